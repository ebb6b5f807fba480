/* try.h: what came of judging one message, for filterctl try.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/session/session.h"

/* A verdict; `rule` is NULL where none decided. */
typedef struct TryVerdict {
    PolicyVerdict verdict;
    FilterdStage stage;
    char *rule;
    char *reply; /* "550 5.7.1 …" or NULL */
} TryVerdict;

typedef struct TryRecipient {
    char *address;
    TryVerdict verdict;
} TryRecipient;

typedef struct TryFact {
    const PolicyFact *fact;
    FilterdValue value;
} TryFact;

typedef struct TryResult {
    gboolean settled; /* `verdict` holds for the whole */
    TryVerdict verdict;
    GPtrArray *recipients; /* TryRecipient */
    GPtrArray *facts;      /* TryFact */
    GPtrArray *would;      /* const PolicyRule */
    GPtrArray *edits;      /* FilterdEdit */
} TryResult;

void try_result_init(TryResult *result);
void try_result_clear(TryResult *result);

/* The verdict over all recipients: of the message, or, where no recipient got
 * that far, the first one's. */
const TryVerdict *try_result_verdict(const TryResult *result);

/* The object that the manual page describes, and a new line. */
char *try_result_json(const TryResult *result);
/* The same for people. */
char *try_result_text(const TryResult *result);

extern const char *const try_stage_words[];
