/* tables.c: options, facts, needs and metrics of dnsbl.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/tables.h"

/* ---- options ------------------------------------------------------------ */

#define WEIGHT_ROW                                                             \
    {                                                                          \
        .name = "weight", .type = FILTERD_INT,                                 \
        .offset = offsetof(ListZone, weight), .fallback = "1",                 \
        .doc = "What a listing adds to the score; less than 0 for a list of "  \
               "good clients, which is refused on `mail`, `helo` and `from`: " \
               "anybody can write these.",                                     \
        .low = -1000, .high = 1000,                                            \
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
     .doc = "Which domains it is asked about: of the reverse-path (`mail`), of "
            "the greeting (`helo`), the client's name if that leads back to it "
            "(`name`), of the From field (`from`), of DKIM signatures that "
            "passed (`dkim`).",
     .words = sources},
    {.name = "ask",
     .type = FILTERD_WORD,
     .offset = offsetof(ListZone, ask),
     .fallback = "registered",
     .doc = "What it is asked: the registered domain, by the Public Suffix "
            "List, or the name as it came.",
     .words = list_asks},
    LIST_TEST_ROW,
    {NULL},
};

const FilterdOption dnsbl_options[] = {
    {.name = "zone",
     .type = FILTERD_GROUP,
     .flags = FILTERD_MANY,
     .offset = offsetof(DnsblConfig, zones),
     .doc =
         "A list to ask about the client's address, and which of its answers "
         "count. One list may stand several times, to weigh its answers "
         "differently. Without a zone nobody is asked, and the score is 0.",
     .group = zone_options,
     .size = sizeof(ListZone)},
    {.name = "domain-zone",
     .type = FILTERD_GROUP,
     .flags = FILTERD_MANY,
     .offset = offsetof(DnsblConfig, domain_zones),
     .doc = "A list to ask about domains, those that `on` says.",
     .group = domain_zone_options,
     .size = sizeof(ListZone)},
    {.name = "self-test",
     .type = FILTERD_BOOL,
     .offset = offsetof(DnsblConfig, self_test),
     .fallback = "on",
     .doc = "At start and every hour, check that each list has 127.0.0.2 and "
            "does not have 127.0.0.1 (nor ::ffff:127.0.0.1, else it is not "
            "asked about IPv6); that a domain list has its `test` entry and "
            "does not have `invalid`; and do not ask it while that is not so "
            "(RFC 5782 5). Each such list is in the log and in a metric."},
    {NULL},
};

/* ---- facts -------------------------------------------------------------- */

const FilterdFact dnsbl_facts[] = {
    [DNSBL_SCORE] = {"score", FILTERD_INT, FILTERD_CONNECT,
                     "The sum of the weights of the lists that have the "
                     "client's address or name. A list that failed counts as "
                     "0; where every list failed it is unknown."},
    [DNSBL_LISTED] = {"listed", FILTERD_BOOL, FILTERD_CONNECT,
                      "Whether a list whose weight is not negative has the "
                      "client; unknown where every list failed."},
    [DNSBL_ALLOWED] = {"allowed", FILTERD_BOOL, FILTERD_CONNECT,
                       "Whether a list whose weight is negative has the "
                       "client; unknown where every list failed."},
    [DNSBL_ZONES] = {"zones", FILTERD_LIST, FILTERD_CONNECT,
                     "The lists that have the client, in the order of the "
                     "options; unknown where every list failed.",
                     .items = FILTERD_TEXT},
    [DNSBL_REASON] = {"reason", FILTERD_TEXT, FILTERD_CONNECT,
                      "What the first list with a weight from 0 says of the "
                      "client, cut at 200 octets; else \"listed in\" and the "
                      "list's name. Unknown where none has it."},
    [DNSBL_FAILED] = {"failed", FILTERD_LIST, FILTERD_CONNECT,
                      "The lists that gave no answer, or an error, or are "
                      "suspended by the self-test.",
                      .items = FILTERD_TEXT},
    [DNSBL_PROBLEM] = {"problem", FILTERD_TEXT, FILTERD_CONNECT,
                       "What is the matter with those that failed, in words. "
                       "Unknown where nothing is."},
    [DNSBL_HELO_SCORE] = {"helo-score", FILTERD_INT, FILTERD_HELO,
                          "As `dnsbl.score`, of the name in the greeting."},
    [DNSBL_HELO_ZONES] = {"helo-zones", FILTERD_LIST, FILTERD_HELO,
                          "The lists that have the name in the greeting.",
                          .items = FILTERD_TEXT},
    [DNSBL_HELO_REASON] =
        {"helo-reason", FILTERD_TEXT, FILTERD_HELO,
         "What the first of these says of it, as `dnsbl.reason`."},
    [DNSBL_HELO_PROBLEM] =
        {"helo-problem", FILTERD_TEXT, FILTERD_HELO,
         "What is the matter with lists that failed here, as `dnsbl.problem`."},
    [DNSBL_MAIL_SCORE] =
        {"mail-score", FILTERD_INT, FILTERD_MAIL,
         "As `dnsbl.score`, of the domain of the reverse-path."},
    [DNSBL_MAIL_ZONES] = {"mail-zones", FILTERD_LIST, FILTERD_MAIL,
                          "The lists that have the domain of the reverse-path.",
                          .items = FILTERD_TEXT},
    [DNSBL_MAIL_REASON] =
        {"mail-reason", FILTERD_TEXT, FILTERD_MAIL,
         "What the first of these says of it, as `dnsbl.reason`."},
    [DNSBL_MAIL_PROBLEM] =
        {"mail-problem", FILTERD_TEXT, FILTERD_MAIL,
         "What is the matter with lists that failed here, as `dnsbl.problem`."},
    [DNSBL_MESSAGE_SCORE] =
        {"message-score", FILTERD_INT, FILTERD_MESSAGE,
         "As `dnsbl.score`, of the domain of From and those of DKIM signatures "
         "that passed; each list counts once."},
    [DNSBL_MESSAGE_ZONES] = {"message-zones", FILTERD_LIST, FILTERD_MESSAGE,
                             "The lists that have one of these domains.",
                             .items = FILTERD_TEXT},
    [DNSBL_MESSAGE_REASON] =
        {"message-reason", FILTERD_TEXT, FILTERD_MESSAGE,
         "What the first of these says of it, as `dnsbl.reason`."},
    [DNSBL_MESSAGE_PROBLEM] =
        {"message-problem", FILTERD_TEXT, FILTERD_MESSAGE,
         "What is the matter with lists that failed here, as `dnsbl.problem`."},
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

/* RFC 8904, of lists with a weight less than 0; nobody is asked for it. */
const FilterdMethod dnsbl_methods[] = {
    {"dnswl", FILTERD_UNASKED},
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
