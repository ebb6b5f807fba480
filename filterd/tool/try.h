/* try.h: what filterctl try was asked, and what came of it. Private to the
 * command.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/session/session.h"
#include "filterd/tool/view.h"

/* ---- try-request.c ------------------------------------------------------ */

typedef struct TryRequest {
    gboolean json, facts, colour;
    char *color;
    char *config, *zone, *resolver, *client, *client_name;
    char *helo, *from, *message_out;
    char **to;

    FilterdIp ip;
    MailAddress reverse_path;
    GPtrArray *recipients; /* MailAddress */
    GString *message;      /* as behind DATA */
} TryRequest;

/* The arguments, and the message from standard input. FALSE: of no use, and
 * standard error says why. To be cleared in either case. */
gboolean try_request_read(TryRequest *request, int argc, char **argv);
void try_request_clear(TryRequest *request);

/* ---- try-result.c ------------------------------------------------------- */

/* A verdict; `rule` is NULL where none decided. */
typedef struct TryVerdict {
    PolicyVerdict verdict;
    FilterdStage stage;
    gboolean settled; /* no later stage changes it */
    char *rule;
    char *reply; /* "550 5.7.1 …" or NULL */
} TryVerdict;

/* A message sent to some recipients, or to all. */
typedef struct TryTransaction {
    GPtrArray *edits; /* FilterdEdit */
    gboolean goes_on; /* no verdict ended it */
    gboolean kept;    /* then: in quarantine, and not delivered */
} TryTransaction;

typedef struct TryRecipient {
    char *address;
    gboolean goes; /* was let through to the message */
    TryVerdict verdict;
    const TryTransaction *transaction; /* then; NULL: none */
} TryRecipient;

typedef struct TryFact {
    const PolicyFact *fact;
    FilterdValue value;
} TryFact;

/* A rule, judged; the recipient is NULL outside of rcpt. */
typedef struct TryRule {
    PolicyJudgement *judgement;
    char *recipient;
    unsigned transaction;
} TryRule;

typedef struct TryQuestion {
    char *name;
    FilterdDnsType type;
    char *answer;   /* in words */
    int64_t waited; /* milliseconds */
} TryQuestion;

typedef struct TryResult {
    GPtrArray *recipients;   /* TryRecipient */
    GPtrArray *transactions; /* TryTransaction */
    GPtrArray *facts;        /* TryFact, all of them; empty unless wanted */
    GPtrArray *asked;        /* TryFact: those that rules asked for, at last */
    GPtrArray *rules;        /* TryRule, in order, up to what ended it */
    GPtrArray *questions;    /* TryQuestion, likewise */
    GPtrArray *would;        /* const PolicyRule */
} TryResult;

void try_result_init(TryResult *result);
void try_result_clear(TryResult *result);

/* A new one, which the result owns. */
TryTransaction *try_result_begin(TryResult *result);

void try_verdict_copy(TryVerdict *to, const TryVerdict *from);
void try_verdict_clear(TryVerdict *verdict);

/* The verdict over all recipients: of the message, or, where no recipient got
 * that far, the first one's. */
const TryVerdict *try_result_verdict(const TryResult *result);
/* Of the first transaction that went on, or of the first. */
const GPtrArray *try_result_edits(const TryResult *result);

/* By FilterdEditKind. */
extern const char *const try_edit_words[];

/* The object that the manual page describes, and a new line. */
char *try_result_json(const TryResult *result);

/* ---- try-question.c ----------------------------------------------------- */

TryQuestion *try_question_new(const char *name, FilterdDnsType type,
                              const FilterdDnsAnswer *answer, int64_t waited);
/* For a GDestroyNotify. */
void try_question_free(void *question);
const char *try_question_type(const TryQuestion *question);

/* ---- try-view.c --------------------------------------------------------- */

/* The result for people. */
void try_view(View *view, const TryResult *result);

/* ---- try-dialogue.c ----------------------------------------------------- */

/* Plays the client, as often as recipients have to come one by one. FALSE: the
 * message could not be written. Waits. */
gboolean try_converse(Engine *engine, const TryRequest *request,
                      TryResult *result);
