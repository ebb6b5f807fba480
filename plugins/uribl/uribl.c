/* uribl.c: asks DNS lists about the domains that a message's links lead to.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/self-test.h"
#include "plugins/uribl/links.h"
#include "plugins/uribl/manual.h"

enum { SCORE, LISTED, DOMAINS, ZONES, REASON, LINKS, PROBLEM };
enum { METRIC_SUSPENDED, METRIC_LISTED, METRIC_FAILED };

typedef struct Config {
    FilterdArray zones; /* ListZone */
    FilterdFile skip;
    int64_t domains, scan;
    bool self_test;
} Config;

typedef struct Instance {
    ListSet *set;
    psl_ctx_t *psl;
    GHashTable *skip;
} Instance;

typedef struct Message {
    Links *links;
    size_t asked; /* links that have been asked about ahead */
} Message;

/* ---- start and stop ----------------------------------------------------- */

static void
self_test_run(FilterdCall *call, void *data)
{
    Instance *instance = data;

    instance->set->testing = true;
    while (self_test(call, instance->set)
           && call->host->sleep(call, SELF_TEST_PAUSE))
        ;
}

static void
stop(FilterdCall *call)
{
    Instance *instance = call->instance;

    g_clear_pointer(&instance->set, list_set_free);
    g_clear_pointer(&instance->psl, psl_free);
    g_clear_pointer(&instance->skip, g_hash_table_unref);
}

static bool
start(FilterdCall *call, GError **error)
{
    static const ListMetrics metrics = {METRIC_SUSPENDED, METRIC_LISTED,
                                        METRIC_FAILED};
    const Config *config = call->config;
    Instance *instance = call->instance;

    instance->set =
        list_set_new(LIST_OF_DOMAINS, &config->zones, metrics, error);
    if (instance->set != NULL)
        instance->skip = links_skip_parse(&config->skip, error);
    if (instance->skip == NULL) {
        stop(call);
        return false;
    }
    instance->psl = name_suffixes_new();
    if (config->self_test)
        call->host->spawn(call, self_test_run, instance);
    return true;
}

/* ---- questions ---------------------------------------------------------- */

typedef struct Subjects {
    const Link *links;
} Subjects;

static const char *
prefix(void *data, const List *list, size_t subject)
{
    const Link *link = &((const Subjects *)data)->links[subject];

    if (link->registered == NULL)
        return link->prefix;
    return list->zone->ask == LIST_ASK_HOST ? link->host : link->registered;
}

static ListInquiry
inquiry_of(const Instance *instance, Subjects *subjects, size_t length)
{
    return (ListInquiry){.set = instance->set,
                         .subjects = length,
                         .prefix = prefix,
                         .data = subjects};
}

/* Those that are new are asked about while the rest of the body comes. */
static void
ask_ahead(FilterdCall *call)
{
    Message *message = call->message;
    const Links *links = message->links;
    Subjects subjects = {&links->links[message->asked]};

    if (links->length == message->asked)
        return;

    const ListInquiry inquiry =
        inquiry_of(call->instance, &subjects, links->length - message->asked);

    list_prefetch(call, &inquiry);
    message->asked = links->length;
}

/* ---- the message -------------------------------------------------------- */

static Links *
links_get(FilterdCall *call)
{
    const Config *config = call->config;
    const Instance *instance = call->instance;
    Message *message = call->message;

    if (message->links == NULL)
        message->links =
            links_new(&(LinksConfig){.psl = instance->psl,
                                     .skip = instance->skip,
                                     .most = (size_t)config->domains,
                                     .scan = config->scan});
    return message->links;
}

static bool
header(FilterdCall *call, const FilterdField *field, GError **error)
{
    (void)error;
    links_field(links_get(call), field);
    return true;
}

static bool
body(FilterdCall *call, const char *bytes, size_t length, GError **error)
{
    (void)error;
    links_body(links_get(call), bytes, length);
    ask_ahead(call);
    return true;
}

static void
clear_message(FilterdCall *call)
{
    Message *message = call->message;

    g_clear_pointer(&message->links, links_free);
}

/* ---- what was found ----------------------------------------------------- */

static void
domains_publish(FilterdCall *call, const Links *links,
                const ListFinding *finding)
{
    FilterdValue all[LINKS_LIMIT], listed[LINKS_LIMIT];
    size_t length = 0;

    for (size_t i = 0; i < links->length; i++) {
        all[i] = filterd_text(links->links[i].host);
        if (finding->has[i])
            listed[length++] = all[i];
    }
    call->host->publish(call, LINKS, filterd_list(all, links->length));
    call->host->publish(call, DOMAINS, filterd_list(listed, length));
}

static void
problem_publish(FilterdCall *call, const Links *links,
                const ListFinding *finding)
{
    const char *what = links_problem(links);

    if (*finding->problem != '\0')
        what = finding->problem;
    if (what != NULL)
        call->host->publish(call, PROBLEM, filterd_text(what));
}

static void
finding_publish(FilterdCall *call, const Links *links,
                const ListFinding *finding)
{
    const FilterdHost *host = call->host;

    domains_publish(call, links, finding);
    problem_publish(call, links, finding);
    if (list_found_nothing(finding))
        return;
    host->publish(call, SCORE, filterd_int(finding->score));
    host->publish(call, LISTED, filterd_bool(finding->listed));
    host->publish(call, ZONES, filterd_list(finding->zones, finding->listing));

    g_autofree char *reason = list_reason(call, finding);

    host->publish(call, REASON, filterd_text(reason));
}

static bool
eom(FilterdCall *call, GError **error)
{
    const Instance *instance = call->instance;
    ListFinding *finding = list_finding_new(call, instance->set->length);
    Links *links = links_get(call);
    Subjects subjects = {links->links};

    (void)error;
    links_end(links);
    if (!self_test_wait(call, instance->set))
        return true;

    const ListInquiry inquiry = inquiry_of(instance, &subjects, links->length);

    list_prefetch(call, &inquiry);
    if (list_ask(call, &inquiry, finding))
        finding_publish(call, links, finding);
    return true;
}

/* ---- tables ------------------------------------------------------------- */

static const FilterdOption zone_options[] = {
    LIST_NAME_ROW,
    LIST_ANSWER_ROW,
    {.name = "weight",
     .type = FILTERD_INT,
     .offset = offsetof(ListZone, weight),
     .fallback = "1",
     .doc = "What a listing adds to the score.",
     .low = 0,
     .high = 1000},
    {.name = "ask",
     .type = FILTERD_WORD,
     .offset = offsetof(ListZone, ask),
     .fallback = "registered",
     .doc = "What it is asked: the registered domain, by the Public Suffix "
            "List, or the host as the link names it. IPv4 addresses are asked "
            "backwards.",
     .words = list_asks},
    LIST_TEST_ROW,
    {NULL},
};

static const FilterdOption options[] = {
    {.name = "zone",
     .type = FILTERD_GROUP,
     .flags = FILTERD_MANY,
     .offset = offsetof(Config, zones),
     .doc = "A list to ask, and which of its answers count.",
     .group = zone_options,
     .size = sizeof(ListZone)},
    {.name = "domains",
     .type = FILTERD_INT,
     .offset = offsetof(Config, domains),
     .fallback = "20",
     .doc = "How many hosts of a message are asked about, the first ones.",
     .low = 1,
     .high = LINKS_LIMIT},
    {.name = "scan",
     .type = FILTERD_INT,
     .offset = offsetof(Config, scan),
     .fallback = "2M",
     .doc = "How many octets of a message's text are looked at.",
     .low = 1,
     .high = 1 << 30},
    {.name = "skip",
     .type = FILTERD_FILE,
     .offset = offsetof(Config, skip),
     .doc = "A file of domains that are never asked about, nor what is below "
            "them: one a line, # begins a comment."},
    {.name = "self-test",
     .type = FILTERD_BOOL,
     .offset = offsetof(Config, self_test),
     .fallback = "on",
     .doc = "At start and every hour, check that each list has its `test` "
            "entry and does not have `invalid`, and do not ask it while that "
            "is not so (RFC 5782 5)."},
    {NULL},
};

static const FilterdFact facts[] = {
    [SCORE] = {"score", FILTERD_INT, FILTERD_MESSAGE,
               "The sum of the weights of the lists that have one of the hosts "
               "that links lead to; each list counts once. Unknown where every "
               "list failed."},
    [LISTED] = {"listed", FILTERD_BOOL, FILTERD_MESSAGE,
                "Whether a list has one; unknown where every list failed."},
    [DOMAINS] = {"domains", FILTERD_LIST, FILTERD_MESSAGE,
                 "The hosts that a list has.", .items = FILTERD_TEXT},
    [ZONES] = {"zones", FILTERD_LIST, FILTERD_MESSAGE,
               "The lists that have one of the hosts.", .items = FILTERD_TEXT},
    [REASON] = {"reason", FILTERD_TEXT, FILTERD_MESSAGE,
                "What the first list says of it, cut at 200 octets, else "
                "\"listed in\" and its name; unknown where there is none."},
    [LINKS] = {"links", FILTERD_LIST, FILTERD_MESSAGE,
               "The hosts that were asked about, in the order of the message.",
               .items = FILTERD_TEXT},
    [PROBLEM] = {"problem", FILTERD_TEXT, FILTERD_MESSAGE,
                 "Which lists failed and why, else what of the message was not "
                 "looked at; unknown where nothing is the matter."},
    {NULL},
};

static const FilterdMetric metrics[] = {
    [METRIC_SUSPENDED] = {"suspended",
                          "Workers in which the list failed its self-test.",
                          "zone", FILTERD_GAUGE},
    [METRIC_LISTED] = {"listed", "Listings found, by list.", "zone", 0},
    [METRIC_FAILED] = {"failed", "Answers missing or wrong, by list.", "zone",
                       0},
    {NULL},
};

FILTERD_PLUGIN(.name = "uribl", .version = "0.1",
               .summary = "ask DNS lists about the hosts that links lead to",
               .description = description, .example = example,
               .options = options, .config_size = sizeof(Config),
               .facts = facts, .metrics = metrics,
               .instance_size = sizeof(Instance),
               .message_size = sizeof(Message), .start = start, .stop = stop,
               .header = header, .body = body, .eom = eom,
               .clear_message = clear_message);
