/* walk.c: libspf2 walks the terms, and gets nothing to see that
 * a stranger wrote (RFC 7208 section 4).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Its compiler writes past its buffers for some records (CVE-2023-42118),
 * forgets what does not fit into 511 octets, accepts wrong syntax, and counts
 * lookups per include. So each record is fetched and parsed here and said
 * again to the library in names of our own:
 *
 *   v=spf1 a ip4:192.0.2.0/24 include:%{d2}.example.net -all
 *   v=spf1 +exists:t1.spf +include:t2.spf -exists:t3.spf
 *
 * A term that needs no DNS and does not match is left out, one that does is the
 * last. "t1.spf" is a target, term 1 of this check: asked for its address, we
 * evaluate it and answer "exists" or not; asked for its record, we expand its
 * domain and fetch. What order, qualifiers, include and redirect make of that
 * is the library's result.
 */
#include "plugins/spf/walk.h"
#include "plugins/spf/macro.h"
#include "plugins/spf/match.h"

#include <netinet/in.h>

#include <arpa/nameser.h>
#include <netdb.h>
#include <spf2/spf.h>
#include <string.h>

#define SUFFIX ".spf"
/* The client as the library sees it: an address that means nothing to it. */
#define NOBODY "192.0.2.1"
/* Our own limit counts first, over all records. */
#define LIBRARY_LIMIT 1000

/* A record's place in the walk. */
typedef struct Frame {
    char *domain; /* <domain> */
    bool top;     /* its terms decide: not within an include */
} Frame;

typedef struct Target {
    SpfTerm term;
    const Frame *frame; /* the record that it stands in; NULL: the identity */
} Target;

typedef struct Walk {
    SpfCheck *check;
    GArray *targets;   /* Target */
    GPtrArray *frames; /* Frame */
    SpfTerm matched;   /* the last term that the top frame asked for */
} Walk;

static void
frame_free(gpointer data)
{
    Frame *frame = data;
    g_free(frame->domain);
    g_free(frame);
}

static void
walk_clear(Walk *walk)
{
    g_array_unref(walk->targets);
    g_ptr_array_unref(walk->frames);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Walk, walk_clear)

/* ---- saying it again ---------------------------------------------------- */

static void
append_target(Walk *walk, GString *out, const SpfTerm *term, const Frame *frame)
{
    Target target = {*term, frame};
    const char *word = term->mechanism == SPF_MECHANISM_INCLUDE    ? "include:"
                       : term->mechanism == SPF_MECHANISM_REDIRECT ? "redirect="
                                                                   : "exists:";
    g_string_append_c(out, ' ');
    if (term->mechanism != SPF_MECHANISM_REDIRECT)
        g_string_append_c(out, term->qualifier);
    g_string_append_printf(out, "%st%u" SUFFIX, word, walk->targets->len);
    g_array_append_val(walk->targets, target);
}

static bool
asks_dns(const SpfTerm *term)
{
    return term->mechanism != SPF_MECHANISM_ALL
           && term->mechanism != SPF_MECHANISM_IP4
           && term->mechanism != SPF_MECHANISM_IP6;
}

/* RFC 8616 section 4. */
static bool
never_matches(const SpfCheck *check, const SpfTerm *term)
{
    return term->domain.bytes != NULL && !g_str_is_ascii(check->local)
           && spf_macro_has_local(term->domain);
}

/* "all" always matches, which makes a redirect void (section 6.1). Terms behind
 * the one that exceeds the lookup limit are never reached, which
 * keeps every record far below what the library can hold. */
static char *
rebuild(Walk *walk, const SpfRecord *record, const Frame *frame)
{
    GString *out = g_string_new("v=spf1");
    int lookups = 0;
    for (guint i = 0; i < record->terms->len; i++) {
        const SpfTerm *term = &g_array_index(record->terms, SpfTerm, i);
        bool asks = asks_dns(term);
        if (asks ? never_matches(walk->check, term)
                 : !spf_match_address(walk->check, term))
            continue;
        append_target(walk, out, term, frame);
        lookups += asks;
        if (!asks || lookups > walk->check->config->lookup_limit)
            return g_string_free(out, FALSE);
    }
    if (record->redirect.domain.bytes != NULL)
        append_target(walk, out, &record->redirect, frame);
    return g_string_free(out, FALSE);
}

/* ---- the library's questions -------------------------------------------- */

static Walk *
walk_of(SPF_dns_server_t *layer)
{
    return layer->hook;
}

/* The target that one of our own names means. */
static Target
find_target(const Walk *walk, const char *name)
{
    guint64 index = g_ascii_strtoull(name + 1, NULL, 10);
    g_assert(index < walk->targets->len);
    return g_array_index(walk->targets, Target, index);
}

static void
note_term(Walk *walk, const Target *target)
{
    if (target->frame != NULL && target->frame->top)
        walk->matched = target->term;
}

/* The frame of a target's record. NULL: its domain cannot be said. */
static Frame *
open_frame(Walk *walk, const Target *target)
{
    SpfCheck *check = walk->check;
    bool identity = target->frame == NULL;
    if (!identity && !spf_check_count_lookup(check))
        return NULL;
    Frame *frame = g_new0(Frame, 1);
    g_ptr_array_add(walk->frames, frame);
    frame->domain = identity ? g_strdup(check->domain)
                             : spf_domain_expand(check, target->frame->domain,
                                                 target->term.domain);
    frame->top = identity
                 || (target->frame->top
                     && target->term.mechanism == SPF_MECHANISM_REDIRECT);
    return check->forced ? NULL : frame;
}

/* Its terms decide now, and its explanation counts. */
static void
enter_top(Walk *walk, const Frame *frame, const SpfRecord *record)
{
    SpfCheck *check = walk->check;
    walk->matched = (SpfTerm){0};
    g_free(check->decisive);
    check->decisive = g_strdup(frame->domain);
    check->exp = record->explanation;
}

static SPF_errcode_t
answer_failure(SPF_response_t *response, SpfResult result)
{
    static const struct {
        SPF_result_t result;
        SPF_errcode_t code;
    } failures[] = {
        [SPF_OUTCOME_NONE] = {SPF_RESULT_NONE, SPF_E_NOT_SPF},
        [SPF_OUTCOME_TEMPERROR] = {SPF_RESULT_TEMPERROR, SPF_E_DNS_ERROR},
        [SPF_OUTCOME_PERMERROR] = {SPF_RESULT_PERMERROR, SPF_E_SYNTAX},
    };
    response->result = failures[result].result;
    response->reason = SPF_REASON_FAILURE;
    response->err = failures[result].code;
    return failures[result].code;
}

/* SPF_dns_get_spf_t: the record of the target in cur_dom, rebuilt. */
static SPF_errcode_t
answer_record(SPF_server_t *server, SPF_request_t *request,
              SPF_response_t *response, SPF_record_t **compiled)
{
    Walk *walk = walk_of(server->resolver);
    g_auto(SpfRecord) record = {0};
    Target target = find_target(walk, request->cur_dom);
    *compiled = NULL;
    note_term(walk, &target);
    Frame *frame = open_frame(walk, &target);
    if (frame == NULL)
        return answer_failure(response, SPF_OUTCOME_TEMPERROR);
    SpfResult fetched = spf_check_fetch(walk->check, frame->domain, &record);
    if (fetched != SPF_OUTCOME_PASS)
        return answer_failure(response, fetched);
    if (frame->top)
        enter_top(walk, frame, &record);
    g_autofree char *text = rebuild(walk, &record, frame);
    return SPF_record_compile(server, response, compiled, text);
}

static SPF_dns_rr_t *
make_answer(SPF_dns_server_t *layer, const char *name, SPF_dns_stat_t status)
{
    SPF_dns_rr_t *answer = SPF_dns_rr_new_init(layer, name, ns_t_a, 0, status);
    g_assert(answer != NULL);
    if (status != NETDB_SUCCESS)
        return answer;
    SPF_errcode_t code =
        SPF_dns_rr_buf_realloc(answer, 0, sizeof(SPF_dns_rr_data_t));
    g_assert(code == SPF_E_SUCCESS);
    memset(answer->rr[0], 0, sizeof(SPF_dns_rr_data_t));
    answer->num_rr = 1;
    return answer;
}

/* SPF_dns_lookup_t: whether the target "exists". A result that is forced by
 * that ends the walk: the library takes it for a failure of the DNS. */
static SPF_dns_rr_t *
answer_exists(SPF_dns_server_t *layer, const char *name,
              G_GNUC_UNUSED ns_type type, G_GNUC_UNUSED int should_cache)
{
    Walk *walk = walk_of(layer);
    SpfCheck *check = walk->check;
    Target target = find_target(walk, name);
    note_term(walk, &target);
    bool matches = !asks_dns(&target.term)
                   || spf_match_dns(check, &target.term, target.frame->domain);
    return make_answer(layer, name,
                       check->forced ? TRY_AGAIN
                       : matches     ? NETDB_SUCCESS
                                     : NO_DATA);
}

/* ---- the walk ----------------------------------------------------------- */

static SpfResult
result_of(const SPF_response_t *response)
{
    static const SpfResult results[] = {
        [SPF_RESULT_INVALID] = SPF_OUTCOME_PERMERROR,
        [SPF_RESULT_NEUTRAL] = SPF_OUTCOME_NEUTRAL,
        [SPF_RESULT_PASS] = SPF_OUTCOME_PASS,
        [SPF_RESULT_FAIL] = SPF_OUTCOME_FAIL,
        [SPF_RESULT_SOFTFAIL] = SPF_OUTCOME_SOFTFAIL,
        [SPF_RESULT_NONE] = SPF_OUTCOME_NONE,
        [SPF_RESULT_TEMPERROR] = SPF_OUTCOME_TEMPERROR,
        [SPF_RESULT_PERMERROR] = SPF_OUTCOME_PERMERROR,
    };
    return results[response->result];
}

/* Which term of which record did not let the client pass. */
static void
tell_why(SpfCheck *check, bool matched)
{
    g_autoptr(GString) client = g_string_new(NULL);
    const char *quote = matched ? "\"" : "";
    spf_check_append_client(client, check);
    spf_check_explain_problem(
        check, "%s matches %s%s%s in the record of %s", client->str, quote,
        matched ? check->mechanism : "nothing", quote, check->decisive);
}

/* What the library made of it; a result that was forced stays. */
static void
take_result(Walk *walk, const SPF_response_t *response)
{
    SpfCheck *check = walk->check;
    if (!check->forced)
        check->result = result_of(response);
    if (check->result >= SPF_OUTCOME_TEMPERROR
        || check->result == SPF_OUTCOME_NONE)
        return;
    g_clear_pointer(&check->problem, g_free);
    bool matched = response->reason == SPF_REASON_MECH;
    check->mechanism =
        matched ? spf_clean(walk->matched.text.bytes, walk->matched.text.length)
                : g_strdup("default");
    if (check->result != SPF_OUTCOME_PASS)
        tell_why(check, matched);
}

/* What is the same in all walks, and never changes. For each server that it
 * makes, the library asks for the name of the host, and compiles texts. */
static const SPF_server_t *
get_template(void)
{
    static SPF_server_t *made;
    SPF_dns_server_t layer = {.name = "none"};
    if (made == NULL) {
        made = SPF_server_new_dns(&layer, 0);
        SPF_server_set_rec_dom(made, "localhost");
        SPF_server_set_max_dns_mech(made, LIBRARY_LIMIT);
        made->resolver = NULL;
    }
    return made;
}

static void
ask_library(Walk *walk)
{
    SPF_dns_server_t layer = {.lookup = answer_exists,
                              .get_spf = answer_record,
                              .name = "filterd",
                              .hook = walk};
    SPF_server_t server = *get_template();
    server.resolver = &layer;
    SPF_request_t *request = SPF_request_new(&server);
    SPF_response_t *response = NULL;
    SPF_request_set_ipv4_str(request, NOBODY);
    SPF_request_set_env_from(request, "x@t0" SUFFIX);
    SPF_request_query_mailfrom(request, &response);
    take_result(walk, response);
    SPF_response_free(response);
    SPF_request_free(request);
}

void
spf_walk_run(SpfCheck *check)
{
    g_auto(Walk) walk = {
        .check = check,
        .targets = g_array_new(FALSE, FALSE, sizeof(Target)),
        .frames = g_ptr_array_new_with_free_func(frame_free),
    };
    Target identity = {0};
    g_array_append_val(walk.targets, identity);
    ask_library(&walk);
}
