/* record.c: a line in the decision log: a decision with all that it rests on.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * It is written in place, at the end of what goes to the disk next. Each part
 * has a ceiling: what is above it is left out.
 */
#include "filterd/base/ip.h"
#include "filterd/base/json.h"
#include "filterd/base/text.h"
#include "filterd/base/value.h"
#include "filterd/service/dns-answer.h"
#include "filterd/session/state.h"

#include <string.h>

#define TAIL_ROOM 256
#define FACTS_CEILING (RECORD_LINE_LIMIT / 2)
#define RECIPIENTS_CEILING (RECORD_LINE_LIMIT * 3 / 4)
#define RULES_CEILING (RECORD_LINE_LIMIT * 7 / 8)
#define LINE_CEILING (RECORD_LINE_LIMIT - TAIL_ROOM)

typedef struct Record {
    GString *out;
    gsize start; /* of the line in it */
    gsize ceiling;
    gboolean cut;
    gboolean some; /* the list or object at hand has an element */
    RecorderFact *facts;
    unsigned length; /* of the facts */
    GString *answer; /* to a question, in words */
    Session *session;
    const SessionEntry *entry;
    const char *reply; /* NULL: none */
} Record;

/* ---- parts -------------------------------------------------------------- */

static void
append(Record *record, const char *text)
{
    text_append(record->out, text);
}

/* Names are ours. */
static void
name(Record *record, const char *word)
{
    append(record, ",\"");
    append(record, word);
    append(record, "\":");
}

static void
integer(Record *record, const char *word, int64_t value)
{
    name(record, word);
    text_append_integer(record->out, value);
}

static void
octets(Record *record, const char *text)
{
    gsize length = strlen(text);
    record->cut |= length > RECORD_TEXT_LIMIT;
    json_append(record->out, text, MIN(length, RECORD_TEXT_LIMIT));
}

/* Nothing where there is none. */
static void
text(Record *record, const char *word, const char *value)
{
    if (value == NULL)
        return;
    name(record, word);
    octets(record, value);
}

static void
begin(Record *record, const char *word, char bracket)
{
    name(record, word);
    g_string_append_c(record->out, bracket);
    record->some = FALSE;
}

/* Where the element begins, to be given to keep(). */
static gsize
element(Record *record)
{
    gsize mark = record->out->len;
    if (record->some)
        g_string_append_c(record->out, ',');
    return mark;
}

/* FALSE: there was no room for it, and it is gone. */
static gboolean
keep(Record *record, gsize mark)
{
    if (record->out->len - record->start <= record->ceiling) {
        record->some = TRUE;
        return TRUE;
    }
    g_string_truncate(record->out, mark);
    record->cut = TRUE;
    return FALSE;
}

/* ---- who and what ------------------------------------------------------- */

static void
add_time(Record *record)
{
    name(record, "time");
    append(record, "\"");
    clock_append(record->out, clock_real());
    append(record, "\"");
}

static void
add_decision(Record *record)
{
    const SessionEntry *entry = record->entry;
    text(record, "event", entry->event);
    text(record, "verdict", policy_verdict_words[entry->verdict]);
    text(record, "rule", entry->rule);
    text(record, "stage", entry->stage);
    text(record, "reached", policy_stage_words[record->session->reached]);
    if (entry->how != POLICY_APPLIED)
        text(record, "mode", policy_mode_words[entry->how]);
    text(record, "reply", record->reply);
}

static void
add_client(Record *record)
{
    const Session *session = record->session;
    char ip[IP_TEXT_SIZE];
    text(record, "wire", session->wire);
    if (session->answers_each)
        append(record, ",\"each\":true");
    text(record, "client", ip_format(&session->ip, ip));
    text(record, "name", session->reverse.name);
    text(record, "helo", session->helo);
    text(record, "auth", session->auth_user);
    if (!session->in_transaction)
        return;
    text(record, "from", session->reverse_path.text);
    text(record, "queue", session->queue_id);
    text(record, "message-id", session->message_id);
    if (session->message != NULL && !session->partial)
        integer(record, "size", (int64_t)mail_message_size(session->message));
}

/* ---- facts -------------------------------------------------------------- */

static void
append_value(GString *out, const FilterdValue *value)
{
    char ip[IP_TEXT_SIZE];
    switch (value->type) {
    case FILTERD_BOOL:
        text_append(out, value->boolean ? "true" : "false");
        break;
    case FILTERD_INT:
    case FILTERD_DURATION:
        text_append_integer(out, value->integer);
        break;
    case FILTERD_TEXT:
    case FILTERD_WORD:
    case FILTERD_DOMAIN:
    case FILTERD_ADDRESS:
        json_append(out, value->text, strlen(value->text));
        break;
    case FILTERD_IP:
        ip_format(&value->ip, ip);
        json_append(out, ip, strlen(ip));
        break;
    case FILTERD_LIST:
        g_string_append_c(out, '[');
        for (size_t i = 0; i < value->list.length; i++) {
            if (i > 0)
                g_string_append_c(out, ',');
            append_value(out, &value->list.items[i]);
        }
        g_string_append_c(out, ']');
        break;
    default:
        text_append(out, "null");
    }
}

/* Octets, more or less. */
static gsize
weight(const FilterdValue *value)
{
    gsize sum = 1;
    if (value->type == FILTERD_LIST)
        for (size_t i = 0; i < value->list.length; i++)
            sum += weight(&value->list.items[i]);
    if (value_has_text(value))
        sum += strlen(value->text);
    return sum;
}

/* One that is too long is left out rather than cut: it would be another. */
static gboolean
is_short(const FilterdValue *value)
{
    return weight(value)
           <= (value->type == FILTERD_LIST ? FACTS_CEILING : RECORD_TEXT_LIMIT);
}

static void
find_core(Session *session, RecorderFact *fact)
{
    unsigned index = fact->source.index;
    fact->value = session_core_peek(session, index);
    if (fact->value != NULL && fact->value->type == FILTERD_UNKNOWN)
        fact->reason = session_core_reason(session, index);
}

static void
find_published(const Session *session, RecorderFact *fact)
{
    VisitKnown known = visit_known(session->visit, fact->source, &fact->value);
    gboolean shown =
        session->message != NULL || fact->source.row->since < FILTERD_MESSAGE;
    if (known == VISIT_UNASKED)
        fact->value = NULL;
    if (known == VISIT_FAILED)
        fact->reason = shown ? "failed" : "not-shown";
}

static void
find_value(Session *session, RecorderFact *fact)
{
    fact->reason = NULL;
    if (fact->source.instance == NULL)
        find_core(session, fact);
    else
        find_published(session, fact);
}

/* Of what could have been asked for. */
static void
find_values(Record *record)
{
    Session *session = record->session;
    for (unsigned i = 0; i < record->length; i++)
        if (record->facts[i].source.row->since <= session->reached)
            find_value(session, &record->facts[i]);
        else
            record->facts[i].value = NULL;
}

/* Whether it holds for a recipient, and not for all that goes on. */
static gboolean
is_his(const Record *record, const RecorderFact *fact)
{
    FilterdStage reached = record->session->reached;
    return fact->source.row->since == FILTERD_RCPT && reached >= FILTERD_RCPT
           && (!fact->counts || reached == FILTERD_RCPT);
}

static void
add_fact(Record *record, const RecorderFact *fact)
{
    if (fact->value == NULL)
        return;
    if (!is_short(fact->value)) {
        record->cut = TRUE;
        return;
    }
    gsize mark = element(record);
    append(record, fact->head);
    append_value(record->out, fact->value);
    keep(record, mark);
}

static void
add_facts(Record *record)
{
    begin(record, "facts", '{');
    for (unsigned i = 0; i < record->length; i++)
        if (!is_his(record, &record->facts[i]))
            add_fact(record, &record->facts[i]);
    append(record, "}");
}

/* Of the recipient at hand. */
static void
add_his_facts(Record *record)
{
    begin(record, "facts", '{');
    for (unsigned i = 0; i < record->length; i++) {
        RecorderFact *fact = &record->facts[i];
        if (!is_his(record, fact))
            continue;
        find_value(record->session, fact);
        add_fact(record, fact);
    }
    append(record, "}");
}

/* Why those facts are unknown for which a reason is known. Of the recipient at
 * hand; those of another were found last. */
static void
add_reasons(Record *record)
{
    begin(record, "unknown", '{');
    for (unsigned i = 0; i < record->length; i++) {
        RecorderFact *fact = &record->facts[i];
        if (is_his(record, fact))
            find_value(record->session, fact);
        if (fact->value == NULL || fact->reason == NULL)
            continue;
        gsize mark = element(record);
        text_append_all(record->out, fact->head, "\"", fact->reason, "\"",
                        NULL);
        keep(record, mark);
    }
    append(record, "}");
}

/* ---- rules -------------------------------------------------------------- */

static void
add_look(Record *record, SessionLook look)
{
    static const char *const truths[] = {
        [POLICY_NO] = "no",
        [POLICY_YES] = "yes",
        [POLICY_UNKNOWN] = "unknown",
    };
    const Recorder *recorder = record->session->engine->recorder;
    gsize mark = element(record);
    append(record, recorder_rule(recorder, SESSION_LOOK_RULE(look)));
    append(record, policy_mode_words[SESSION_LOOK_MODE(look)]);
    append(record, "\",\"truth\":\"");
    append(record, truths[SESSION_LOOK_TRUTH(look)]);
    append(record, "\"}");
    keep(record, mark);
}

static void
add_looks(Record *record, const GArray *looks)
{
    for (unsigned i = 0; looks != NULL && i < looks->len; i++)
        add_look(record, g_array_index(looks, SessionLook, i));
}

/* Those at mail, or those behind rcpt. */
static void
add_message_looks(Record *record, gboolean before)
{
    const Session *session = record->session;
    const GArray *looks = session->holds[SESSION_OF_MESSAGE].looks;
    const GPtrArray *rules = policy_rules(session->engine->config);
    for (unsigned i = 0; looks != NULL && i < looks->len; i++) {
        SessionLook look = g_array_index(looks, SessionLook, i);
        const PolicyRule *rule =
            g_ptr_array_index(rules, SESSION_LOOK_RULE(look));
        if ((rule->stage < FILTERD_RCPT) == before)
            add_look(record, look);
    }
}

static void
add_rules(Record *record, const GArray *at_rcpt)
{
    const SessionHold *holds = record->session->holds;
    begin(record, "rules", '[');
    add_looks(record, holds[SESSION_OF_CONNECTION].looks);
    add_looks(record, holds[SESSION_OF_HELO].looks);
    add_message_looks(record, TRUE);
    add_looks(record, at_rcpt);
    add_message_looks(record, FALSE);
    append(record, "]");
}

/* ---- recipients --------------------------------------------------------- */

static gboolean
looks_equal(const GArray *one, const GArray *other)
{
    unsigned length = other != NULL ? other->len : 0;
    return one == NULL
           || (one->len == length
               && (length == 0
                   || memcmp(one->data, other->data,
                             length * sizeof(SessionLook))
                          == 0));
}

/* That recipient is at hand. `looks`: those of the first, or NULL. */
static gboolean
add_recipient(Record *record, unsigned index, const PolicyRule *rule,
              const GArray *looks)
{
    gsize mark = element(record);
    append(record, "{\"to\":");
    octets(record, record->session->recipient.text);
    integer(record, "index", index);
    text(record, "rule", rule != NULL ? rule->name : NULL);
    add_his_facts(record);
    if (looks != NULL) {
        begin(record, "rules", '[');
        add_looks(record, looks);
        append(record, "]");
    }
    append(record, "}");
    return keep(record, mark);
}

/* For the length of a call: facts are those of that one. */
static gboolean
add_taken(Record *record, unsigned index, const GArray *first)
{
    Session *session = record->session;
    const SessionRecipient *one = g_ptr_array_index(session->recipients, index);
    const MailAddress before = session->recipient;
    unsigned at_hand = visit_recipient(session->visit);
    session->recipient = one->address;
    visit_set_recipient(session->visit, index);
    gboolean kept =
        add_recipient(record, index, one->rule,
                      looks_equal(one->looks, first) ? NULL : one->looks);
    session->recipient = before;
    visit_set_recipient(session->visit, at_hand);
    return kept;
}

/* Those that go on; where none does, those that do not. */
static gboolean
concerns(const Record *record, const SessionRecipient *recipient)
{
    const char *only = record->entry->recipient;
    if (only != NULL)
        return strcmp(recipient->address.text, only) == 0;
    return session_face(record->session) == NULL
           || session_recipient_goes(record->session, recipient);
}

/* Of the recipient at hand, or of the first of those taken. */
static const GArray *
looks_at_rcpt(const Record *record)
{
    const Session *session = record->session;
    const GPtrArray *all = session->recipients;
    for (unsigned i = 0; session->reached > FILTERD_RCPT && i < all->len; i++) {
        const SessionRecipient *recipient = g_ptr_array_index(all, i);
        if (concerns(record, recipient))
            return recipient->looks;
    }
    return session->holds[SESSION_OF_RECIPIENT].looks;
}

/* Whom there is no room for is counted. */
static unsigned
add_all_taken(Record *record, const GArray *first)
{
    const GPtrArray *all = record->session->recipients;
    unsigned more = 0;
    for (unsigned i = 0; i < all->len; i++)
        if (concerns(record, g_ptr_array_index(all, i)))
            more += more > 0 || !add_taken(record, i, first) ? 1 : 0;
    return more;
}

static void
add_recipients(Record *record, const GArray *looks)
{
    const Session *session = record->session;
    unsigned more = 0;
    begin(record, "recipients", '[');
    if (session->reached == FILTERD_RCPT && record->entry->recipient != NULL)
        add_recipient(record, session->recipients->len, NULL, NULL);
    else
        more = add_all_taken(record, looks);
    append(record, "]");
    if (more > 0)
        integer(record, "more", more);
}

/* ---- DNS and hooks ------------------------------------------------------ */

static gboolean
add_question(const DnsQuestion *question, void *data)
{
    Record *record = data;
    gsize mark = element(record);
    append(record, "{\"name\":");
    octets(record, question->name);
    text(record, "type", dns_type_word(question->type));
    text(record, "status", dns_status_word(question->answer->status));
    g_string_truncate(record->answer, 0);
    dns_answer_append(record->answer, question->type, question->answer,
                      RECORD_ANSWER_LIMIT);
    text(record, "answer", record->answer->str);
    integer(record, "ms", question->waited);
    name(record, "cached");
    append(record, question->cached ? "true}" : "false}");
    return keep(record, mark);
}

static gboolean
add_run(const VisitRun *run, void *data)
{
    Record *record = data;
    gsize mark = element(record);
    append(record, "{\"plugin\":\"");
    append(record, run->instance->use->name);
    append(record, "\",\"stage\":\"");
    append(record, policy_stage_words[run->stage]);
    append(record, "\"");
    integer(record, "ms", run->took);
    append(record, "}");
    return keep(record, mark);
}

static void
add_evidence(Record *record)
{
    Visit *visit = record->session->visit;
    g_autoptr(GString) answer = g_string_sized_new(RECORD_ANSWER_LIMIT);
    record->answer = answer;
    begin(record, "dns", '[');
    visit_each_question(visit, add_question, record);
    append(record, "]");
    begin(record, "hooks", '[');
    visit_each_run(visit, add_run, record);
    append(record, "]");
}

void
session_record(Session *session, const SessionEntry *entry, const char *reply)
{
    Recorder *recorder = session->engine->recorder;
    Record record = {.session = session, .entry = entry, .reply = reply};
    record.out = recorder_begin(recorder);
    if (record.out == NULL)
        return;
    const GArray *at_rcpt = looks_at_rcpt(&record);
    record.start = record.out->len;
    record.facts = recorder_facts(recorder, &record.length);
    append(&record, "{\"v\":1");
    add_time(&record);
    text(&record, "session", session->id);
    integer(&record, "transaction", session->transaction);
    add_decision(&record);
    add_client(&record);
    record.ceiling = FACTS_CEILING;
    find_values(&record);
    add_facts(&record);
    record.ceiling = RECIPIENTS_CEILING;
    add_recipients(&record, at_rcpt);
    record.ceiling = RULES_CEILING;
    add_rules(&record, at_rcpt);
    add_reasons(&record);
    record.ceiling = LINE_CEILING;
    add_evidence(&record);
    integer(&record, "ms", clock_monotonic() - session->began);
    append(&record, record.cut ? ",\"cut\":true}\n" : "}\n");
    recorder_end(recorder);
}
