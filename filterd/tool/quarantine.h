/* quarantine.h: the parts of `filterctl quarantine`: mail that is kept here.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/mail/message.h"
#include "filterd/service/quarantine.h"
#include "policy/config.h"

typedef struct QuarantineRequest {
    char *config, *older_text, *rule, *from, *to;
    int64_t older; /* milliseconds; 0: of any age */
    gboolean all, json, raw, keep;
    char **ids; /* or none */
} QuarantineRequest;

typedef struct QuarantineTask {
    const QuarantineRequest *request;
    const PolicyConfig *config;
    Quarantine *quarantine;
    GPtrArray *ids; /* what is asked for, the oldest first */
    gboolean failed;
} QuarantineTask;

/* One that could not be dealt with. */
void quarantine_complain(QuarantineTask *task, const char *id, const char *why);

/* ---- quarantine-list.c -------------------------------------------------- */

void quarantine_list_all(QuarantineTask *task);
void quarantine_show_all(QuarantineTask *task);

/* ---- quarantine-mail.c -------------------------------------------------- */

/* What goes out: as it was kept, below a field that says so. */
MailMessage *quarantine_mail(const QuarantineFile *file);
/* The first field of that name; NULL. Caller frees. */
char *quarantine_field(const QuarantineFile *file, const char *name);

/* ---- quarantine-release.c ----------------------------------------------- */

/* In a fiber. */
void quarantine_release_all(QuarantineTask *task);
