/* try.h: what filterctl try was asked, and what came of it. Private to the
 * command.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/session/session.h"

/* ---- try-request.c ------------------------------------------------------ */

typedef struct TryRequest {
    gboolean json;
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

typedef struct TryRecipient {
    char *address;
    gboolean goes; /* was let through to the message */
    TryVerdict verdict;
} TryRecipient;

typedef struct TryFact {
    const PolicyFact *fact;
    FilterdValue value;
} TryFact;

typedef struct TryResult {
    GPtrArray *recipients; /* TryRecipient */
    GPtrArray *facts;      /* TryFact */
    GPtrArray *would;      /* const PolicyRule */
    GPtrArray *edits;      /* FilterdEdit */
} TryResult;

void try_result_init(TryResult *result);
void try_result_clear(TryResult *result);

void try_verdict_copy(TryVerdict *to, const TryVerdict *from);
void try_verdict_clear(TryVerdict *verdict);

/* The verdict over all recipients: of the message, or, where no recipient got
 * that far, the first one's. */
const TryVerdict *try_result_verdict(const TryResult *result);

/* The object that the manual page describes, and a new line. */
char *try_result_json(const TryResult *result);
/* The same for people. */
char *try_result_text(const TryResult *result);

/* ---- try-dialogue.c ----------------------------------------------------- */

/* Plays the client, as often as recipients have to come one by one. FALSE: the
 * message could not be written. Waits. */
gboolean try_converse(Engine *engine, const TryRequest *request,
                      TryResult *result);
