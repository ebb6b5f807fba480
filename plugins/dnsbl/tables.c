/* tables.c: options, facts, needs and metrics of dnsbl.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/tables.h"

/* ---- options ------------------------------------------------------------ */

#define WEIGHT_ROW                                                    \
    {                                                                 \
        .name = "weight", .type = FILTERD_INT,                        \
        .offset = offsetof(ListZone, weight), .fallback = "1",        \
        .doc = "what a listing adds to the score; less than 0 for a " \
               "list of the good ones",                               \
        .low = -1000, .high = 1000,                                   \
    }

static const FilterdOption zone_options[] = {
    LIST_NAME_ROW, LIST_ANSWER_ROW, WEIGHT_ROW, {NULL}};

/* In the order of DnsblSource. */
static const char *const sources[] = {"mail", "helo", "name",
                                      "from", "dkim", NULL};
static const FilterdOption domain_zone_options[] = {
    LIST_NAME_ROW,
    LIST_ANSWER_ROW,
    WEIGHT_ROW,
    {.name = "on",
     .type = FILTERD_WORD,
     .flags = FILTERD_MANY,
     .offset = offsetof(ListZone, on),
     .fallback = "mail",
     .doc = "which domains it is asked about: of the reverse-path, of the "
            "greeting, the client's name if it leads back, of From, of DKIM "
            "signatures that passed",
     .words = sources},
    {.name = "ask",
     .type = FILTERD_WORD,
     .offset = offsetof(ListZone, ask),
     .fallback = "registered",
     .doc = "about the registered domain (by the Public Suffix List), or about "
            "the name as it came",
     .words = list_asks},
    LIST_TEST_ROW,
    {NULL},
};

const FilterdOption dnsbl_options[] = {
    {.name = "zone",
     .type = FILTERD_GROUP,
     .flags = FILTERD_MANY,
     .offset = offsetof(DnsblConfig, zones),
     .doc = "a list to ask about the client's address, and which of its "
            "answers count; may be repeated, for one list too, to weigh its "
            "answers differently. Without a zone nobody is asked and the score "
            "is 0",
     .group = zone_options,
     .size = sizeof(ListZone)},
    {.name = "domain-zone",
     .type = FILTERD_GROUP,
     .flags = FILTERD_MANY,
     .offset = offsetof(DnsblConfig, domain_zones),
     .doc = "a list to ask about domains",
     .group = domain_zone_options,
     .size = sizeof(ListZone)},
    {.name = "self-test",
     .type = FILTERD_BOOL,
     .offset = offsetof(DnsblConfig, self_test),
     .fallback = "on",
     .doc = "at start and every hour, check that each list has its test entry "
            "and does not have what no list has, and do not ask it while that "
            "is not so (RFC 5782 section 5)"},
    {NULL},
};

/* ---- facts -------------------------------------------------------------- */

const FilterdFact dnsbl_facts[] = {
    [DNSBL_SCORE] = {"score", FILTERD_INT, FILTERD_CONNECT,
                     "the sum of the weights of the lists that have the "
                     "client's address or name; a list that failed counts as "
                     "0, see `failed`; unknown where every list failed. Error "
                     "codes (127.0.0.1, 127.255.255.0/24, anything outside "
                     "127.0.0.0/8) are failures, never listings. Private, "
                     "loopback and other special addresses are never asked "
                     "for: 0"},
    [DNSBL_LISTED] = {"listed", FILTERD_BOOL, FILTERD_CONNECT,
                      "whether a list whose weight is not negative has the "
                      "client; unknown where every list failed"},
    [DNSBL_ALLOWED] = {"allowed", FILTERD_BOOL, FILTERD_CONNECT,
                       "whether a list whose weight is negative has the "
                       "client; unknown where every list failed"},
    [DNSBL_ZONES] = {"zones", FILTERD_LIST, FILTERD_CONNECT,
                     "the lists that have the client, in the order of the "
                     "options; unknown where every list failed",
                     .items = FILTERD_TEXT},
    [DNSBL_REASON] = {"reason", FILTERD_TEXT, FILTERD_CONNECT,
                      "what the first list whose weight is not negative says "
                      "of the client, cut at 200 octets, else \"listed in\" "
                      "and its name; unknown where there is none"},
    [DNSBL_FAILED] = {"failed", FILTERD_LIST, FILTERD_CONNECT,
                      "the lists that gave no answer or an error, or are "
                      "suspended by the self-test",
                      .items = FILTERD_TEXT},
    [DNSBL_PROBLEM] = {"problem", FILTERD_TEXT, FILTERD_CONNECT,
                       "what is the matter with them, in words; unknown where "
                       "nothing is"},
    [DNSBL_HELO_SCORE] = {"helo-score", FILTERD_INT, FILTERD_HELO,
                          "as score, of the name in the greeting"},
    [DNSBL_HELO_ZONES] = {"helo-zones", FILTERD_LIST, FILTERD_HELO,
                          "the lists that have it", .items = FILTERD_TEXT},
    [DNSBL_HELO_REASON] = {"helo-reason", FILTERD_TEXT, FILTERD_HELO,
                           "what the first of them says of it"},
    [DNSBL_MAIL_SCORE] = {"mail-score", FILTERD_INT, FILTERD_MAIL,
                          "as score, of the domain of the reverse-path"},
    [DNSBL_MAIL_ZONES] = {"mail-zones", FILTERD_LIST, FILTERD_MAIL,
                          "the lists that have it", .items = FILTERD_TEXT},
    [DNSBL_MAIL_REASON] = {"mail-reason", FILTERD_TEXT, FILTERD_MAIL,
                           "what the first of them says of it"},
    [DNSBL_MESSAGE_SCORE] = {"message-score", FILTERD_INT, FILTERD_MESSAGE,
                             "as score, of the domain of From and those of "
                             "DKIM signatures that passed"},
    [DNSBL_MESSAGE_ZONES] = {"message-zones", FILTERD_LIST, FILTERD_MESSAGE,
                             "the lists that have one of them",
                             .items = FILTERD_TEXT},
    [DNSBL_MESSAGE_REASON] = {"message-reason", FILTERD_TEXT, FILTERD_MESSAGE,
                              "what the first of them says of it"},
    {NULL},
};

const FilterdNeed dnsbl_needs[] = {
    [DNSBL_NEED_IP] = {"client.ip", FILTERD_IP},
    [DNSBL_NEED_NAME] = {"client.name?", FILTERD_DOMAIN},
    [DNSBL_NEED_CONFIRMED] = {"client.fcrdns?", FILTERD_BOOL},
    [DNSBL_NEED_HELO] = {"helo.name?", FILTERD_TEXT},
    [DNSBL_NEED_MAIL] = {"mail.domain?", FILTERD_DOMAIN},
    [DNSBL_NEED_FROM] = {"header.from.domain?", FILTERD_DOMAIN},
    [DNSBL_NEED_DKIM] = {"dkim.domains?", FILTERD_LIST},
    {NULL},
};

/* ---- metrics ------------------------------------------------------------ */

const FilterdMetric dnsbl_metrics[] = {
    [DNSBL_SUSPENDED_METRIC] = {"suspended",
                                "Workers in which the list failed its "
                                "self-test.",
                                "zone", FILTERD_GAUGE},
    [DNSBL_LISTED_METRIC] = {"listed", "Listings found, by list.", "zone", 0},
    [DNSBL_FAILED_METRIC] = {"failed", "Answers missing or wrong, by list.",
                             "zone", 0},
    {NULL},
};
