/* try-dialogue.c: plays the client of filterctl try, and watches what becomes
 * of its message.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/value.h"
#include "filterd/service/dns.h"
#include "filterd/tool/try.h"
#include "filterd/wire/intake.h"

#include <stdio.h>
#include <string.h>

/* A message whose recipients are treated differently is sent several times: the
 * first time stands for the whole, the others are for their recipients only. */
typedef struct Dialogue {
    const TryRequest *request;
    TryResult *result;
    Session *session;
    unsigned transactions;
    TryVerdict standing; /* before RCPT: of all recipients */
    TryVerdict whole;    /* of the message at hand */
    TryTransaction *transaction;
    gboolean refused;      /* its syntax or size: no accept helps */
    gboolean delivered;    /* it, or one before */
    gboolean written;      /* as far as that was wanted */
    gboolean over;         /* refused: what is judged now no client sees */
    const char *recipient; /* at rcpt */
} Dialogue;

/* ---- what is watched ---------------------------------------------------- */

/* A quarantine holds unless a later stage refuses. */
static void
note(TryVerdict *verdict, FilterdStage stage, const PolicyRule *rule,
     const MailReply *reply)
{
    if (verdict->settled)
        return;
    verdict->settled = rule->kind != POLICY_QUARANTINE;
    if (rule->kind == POLICY_ACCEPT && verdict->verdict == POLICY_QUARANTINE)
        return;
    g_free(verdict->rule);
    g_free(verdict->reply);
    verdict->verdict = rule->kind;
    verdict->stage = stage;
    verdict->rule = g_strdup(rule->name);
    verdict->reply = reply != NULL ? mail_reply_format(reply) : NULL;
}

static void
note_refusal(Dialogue *dialogue, const char *rule, const MailReply *reply)
{
    TryVerdict *verdict = &dialogue->whole;
    try_verdict_clear(verdict);
    verdict->verdict = reply->code < 500 ? POLICY_TEMPFAIL : POLICY_REJECT;
    verdict->settled = dialogue->refused = TRUE;
    verdict->rule = g_strdup(rule);
    verdict->reply = mail_reply_format(reply);
}

static TryRecipient *
find_recipient(const Dialogue *dialogue, const char *address)
{
    const GPtrArray *recipients = dialogue->result->recipients;
    for (unsigned i = 0; i < recipients->len; i++) {
        TryRecipient *recipient = g_ptr_array_index(recipients, i);
        if (strcmp(recipient->address, address) == 0)
            return recipient;
    }
    return NULL;
}

static void
on_decided(void *data, FilterdStage stage, const PolicyRule *rule,
           const char *address, const MailReply *reply)
{
    Dialogue *dialogue = data;
    TryRecipient *recipient =
        address != NULL ? find_recipient(dialogue, address) : NULL;
    if (rule != NULL && rule->kind != POLICY_PASS)
        note(recipient != NULL ? &recipient->verdict : &dialogue->whole, stage,
             rule, reply);
}

static void
on_refused(void *data, const char *rule, const MailReply *reply)
{
    note_refusal(data, rule, reply);
}

static void
on_would(void *data, const PolicyRule *rule)
{
    const Dialogue *dialogue = data;
    if (dialogue->transactions == 0 || rule->stage >= FILTERD_RCPT)
        g_ptr_array_add(dialogue->result->would, (void *)rule);
}

static void
on_edited(void *data, const FilterdEdit *edit)
{
    const Dialogue *dialogue = data;
    FilterdEdit *copy = g_new(FilterdEdit, 1);
    *copy =
        (FilterdEdit){edit->kind, g_strdup(edit->name), g_strdup(edit->value)};
    g_ptr_array_add(dialogue->transaction->edits, copy);
}

static void
add_fact(GPtrArray *facts, const PolicyFact *fact, const FilterdValue *value)
{
    TryFact *copy = g_new(TryFact, 1);
    *copy = (TryFact){fact, value_copy(value)};
    g_ptr_array_add(facts, copy);
}

static void
on_fact(const PolicyFact *fact, const FilterdValue *value, void *data)
{
    const Dialogue *dialogue = data;
    add_fact(dialogue->result->facts, fact, value);
}

static const FilterdValue *
ask_again(void *data, const PolicyFact *fact, gboolean shadow)
{
    const Dialogue *dialogue = data;
    return session_fact(dialogue->session, fact, shadow);
}

static void
on_judged(void *data, const PolicyRule *rule, PolicyTruth truth,
          PolicyMode mode)
{
    Dialogue *dialogue = data;
    const PolicyClient client = {.data = dialogue, .fact = ask_again};
    if (dialogue->over
        || (dialogue->transactions > 0 && rule->stage < FILTERD_RCPT))
        return;
    TryRule *judged = g_new(TryRule, 1);
    *judged = (TryRule){policy_explain(rule, truth, mode, &client),
                        g_strdup(dialogue->recipient), dialogue->transactions};
    g_ptr_array_add(dialogue->result->rules, judged);
}

/* Of a fact that is asked for again the last value counts, at its place. */
static void
on_asked(void *data, const PolicyFact *fact, const FilterdValue *value)
{
    const Dialogue *dialogue = data;
    GPtrArray *asked = dialogue->result->asked;
    if (dialogue->over)
        return;
    for (unsigned i = 0; i < asked->len; i++) {
        TryFact *known = g_ptr_array_index(asked, i);
        if (known->fact != fact)
            continue;
        value_clear(&known->value);
        known->value = value_copy(value);
        return;
    }
    add_fact(asked, fact, value);
}

static void
on_question(void *data, const char *name, FilterdDnsType type,
            const FilterdDnsAnswer *answer, int64_t waited)
{
    const Dialogue *dialogue = data;
    if (!dialogue->over)
        g_ptr_array_add(dialogue->result->questions,
                        try_question_new(name, type, answer, waited));
}

/* ---- recipients --------------------------------------------------------- */

static gboolean
goes_on(SessionDecision decision)
{
    return decision.verdict == SESSION_CONTINUE;
}

static GPtrArray *
add_recipients(const Dialogue *dialogue)
{
    const GPtrArray *addresses = dialogue->request->recipients;
    GPtrArray *waiting = g_ptr_array_new();
    for (unsigned i = 0; i < addresses->len; i++) {
        const MailAddress *address = g_ptr_array_index(addresses, i);
        TryRecipient *recipient = g_new0(TryRecipient, 1);
        recipient->address = g_strdup(address->text);
        recipient->verdict.stage = FILTERD_MESSAGE;
        g_ptr_array_add(dialogue->result->recipients, recipient);
        g_ptr_array_add(waiting, (void *)address);
    }
    return waiting;
}

/* Put off, but refused by no rule: the recipient is of another group. */
static gboolean
send_recipient(Dialogue *dialogue, const MailAddress *address)
{
    MailReply taken = {0};
    TryRecipient *recipient = find_recipient(dialogue, address->text);
    dialogue->recipient = address->text;
    SessionDecision decision = session_rcpt(dialogue->session, address);
    dialogue->recipient = NULL;
    if (goes_on(decision)) {
        mail_reply_set(&taken, 250, "2.1.5", "ok");
        session_rcpt_answered(dialogue->session, TRUE, &taken);
        mail_reply_clear(&taken);
        recipient->goes = TRUE;
    }
    return decision.verdict != SESSION_TEMPFAIL
           || recipient->verdict.reply != NULL;
}

/* Those that were answered; the others are `waiting` as before. */
static GPtrArray *
send_recipients(Dialogue *dialogue, GPtrArray *waiting)
{
    GPtrArray *answered = g_ptr_array_new();
    for (unsigned i = 0; i < waiting->len;) {
        MailAddress *address = g_ptr_array_index(waiting, i);
        if (!send_recipient(dialogue, address)) {
            i++;
            continue;
        }
        g_ptr_array_add(answered, find_recipient(dialogue, address->text));
        g_ptr_array_remove_index(waiting, i);
    }
    return answered;
}

/* Whether the message's verdict is that recipient's, too. */
static gboolean
takes_whole(const Dialogue *dialogue, const TryRecipient *recipient)
{
    const TryVerdict *own = &recipient->verdict;
    const TryVerdict *whole = &dialogue->whole;
    gboolean refused = own->reply != NULL;
    if (dialogue->standing.settled)
        return TRUE;
    if (refused)
        return FALSE;
    if (dialogue->refused)
        return TRUE;
    if (own->verdict == POLICY_ACCEPT && own->settled)
        return whole->verdict == POLICY_QUARANTINE
               && whole->stage < FILTERD_RCPT;
    if (own->verdict == POLICY_QUARANTINE)
        return whole->settled
                   ? whole->verdict != POLICY_ACCEPT
                   : whole->rule != NULL && whole->stage == FILTERD_MESSAGE;
    return !own->settled;
}

static void
share_outcome(const Dialogue *dialogue, const GPtrArray *recipients)
{
    for (unsigned i = 0; i < recipients->len; i++) {
        TryRecipient *recipient = g_ptr_array_index(recipients, i);
        if (recipient->goes)
            recipient->transaction = dialogue->transaction;
        if (takes_whole(dialogue, recipient))
            try_verdict_copy(&recipient->verdict, &dialogue->whole);
    }
}

/* ---- the message -------------------------------------------------------- */

static gboolean
write_piece(const char *bytes, gsize length, void *file, GError **error)
{
    (void)error;
    return fwrite(bytes, 1, length, file) == length;
}

static void
write_message(Dialogue *dialogue)
{
    const char *path = dialogue->request->message_out;
    if (path == NULL || dialogue->delivered)
        return;
    FILE *file = fopen(path, "w");
    gboolean ok = file != NULL
                  && mail_message_write(session_outgoing(dialogue->session),
                                        write_piece, file, NULL);
    if (file == NULL || fclose(file) != 0 || !ok) {
        fprintf(stderr, "filterctl try: %s cannot be written\n", path);
        dialogue->written = FALSE;
    }
}

static void
pass_on(Dialogue *dialogue)
{
    dialogue->transaction->goes_on = TRUE;
    dialogue->transaction->kept = session_keeps(dialogue->session);
    if (dialogue->transaction->kept)
        return;
    write_message(dialogue);
    dialogue->delivered = TRUE;
}

/* A client that was refused sends no message; here it does, for the facts. */
static void
send_message(Dialogue *dialogue, const PolicySettings *settings, gboolean alive)
{
    const GString *message = dialogue->request->message;
    g_autoptr(Intake) intake = intake_new(dialogue->session, settings,
                                          (gsize)settings->max_message_size, 0);
    gboolean ended = FALSE;
    MailReply reply = {0};
    intake_feed(intake, message->str, message->len, &ended);
    g_assert(ended);
    const IntakeRefusal *refusal = intake_refusal(intake);
    if (!alive)
        return;
    if (refusal != NULL) {
        mail_reply_set(&reply, refusal->code, refusal->enhanced, refusal->text);
        note_refusal(dialogue, refusal->rule, &reply);
        mail_reply_clear(&reply);
    } else if (goes_on(session_message(dialogue->session))) {
        pass_on(dialogue);
    }
}

/* ---- the dialogue ------------------------------------------------------- */

static gboolean
any_alive(const GPtrArray *recipients)
{
    for (unsigned i = 0; i < recipients->len; i++) {
        const TryRecipient *recipient = g_ptr_array_index(recipients, i);
        if (recipient->goes || recipient->verdict.verdict == POLICY_DISCARD)
            return TRUE;
    }
    return FALSE;
}

/* Every time the same is said about the sender. */
static gboolean
send_sender(Dialogue *dialogue)
{
    gboolean alive = goes_on(
        session_mail(dialogue->session, &dialogue->request->reverse_path, 0));
    if (dialogue->transactions == 0)
        try_verdict_copy(&dialogue->standing, &dialogue->whole);
    else
        try_verdict_copy(&dialogue->whole, &dialogue->standing);
    dialogue->refused = FALSE;
    return alive;
}

static void
transact(Dialogue *dialogue, const PolicySettings *settings, GPtrArray *waiting,
         gboolean alive)
{
    dialogue->transaction = try_result_begin(dialogue->result);
    dialogue->over = !alive;
    alive &= send_sender(dialogue);
    dialogue->over = !alive;
    g_autoptr(GPtrArray) answered = send_recipients(dialogue, waiting);
    alive &= any_alive(answered);
    dialogue->over = !alive;
    alive &= goes_on(session_data(dialogue->session));
    dialogue->over = !alive;
    if (alive || dialogue->transactions == 0)
        send_message(dialogue, settings, alive);
    dialogue->over = TRUE;
    if (dialogue->transactions == 0
        && (dialogue->request->json || dialogue->request->facts))
        session_each_fact(dialogue->session, on_fact, dialogue);
    share_outcome(dialogue, answered);
    session_reset(dialogue->session);
    dialogue->transactions++;
}

static void
converse(Dialogue *dialogue, const PolicySettings *settings)
{
    g_autoptr(GPtrArray) waiting = add_recipients(dialogue);
    gboolean alive = goes_on(session_connect(dialogue->session));
    dialogue->over = !alive;
    alive &= goes_on(
        session_helo(dialogue->session, dialogue->request->helo, "ESMTP"));
    while (waiting->len > 0)
        transact(dialogue, settings, waiting, alive);
}

gboolean
try_converse(Engine *engine, const TryRequest *request, TryResult *result)
{
    const SessionPeer peer = {.ip = request->ip,
                              .local_ip = request->ip,
                              .name = request->client_name,
                              .wire = "try"};
    Dialogue dialogue = {.request = request,
                         .result = result,
                         .session = session_new(engine, &peer),
                         .standing = {.stage = FILTERD_MESSAGE},
                         .whole = {.stage = FILTERD_MESSAGE},
                         .written = TRUE};
    const SessionObserver observer = {.data = &dialogue,
                                      .decided = on_decided,
                                      .would = on_would,
                                      .judged = on_judged,
                                      .asked = on_asked,
                                      .edited = on_edited,
                                      .refused = on_refused};
    session_observe(dialogue.session, &observer);
    session_insist(dialogue.session);
    dns_watch(on_question, &dialogue);
    converse(&dialogue, &engine_config(engine)->settings);
    session_free(dialogue.session);
    dns_watch(NULL, NULL);
    try_verdict_clear(&dialogue.standing);
    try_verdict_clear(&dialogue.whole);
    return dialogue.written;
}
