/* visit.h: one connection as its plugins see it: their state, their hooks, the
 * facts that they published.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A hook runs when one of its facts is first asked for, in the asker's fiber,
 * or earlier in a fiber of its own; whoever else asks waits for it.
 */
#pragma once

#include "filterd/host/host.h"
#include "filterd/mail/authres.h"
#include "filterd/mail/message.h"
#include "filterd/service/dns.h"
#include "policy/judge.h"

typedef struct Visit Visit;

/* What a visit asks the session for. */
typedef struct VisitClient {
    void *data;
    const char *session_id;
    /* A fact of the core; may wait; never NULL. */
    const FilterdValue *(*core_fact)(void *data, unsigned index);
    /* Requested by a hook of that stage. */
    void (*edit)(void *data, FilterdStage stage, const FilterdEdit *edit);
} VisitClient;

Visit *visit_new(Host *host, const VisitClient *client);
/* After visit_end_message(). */
void visit_free(Visit *visit);

/* The value of a fact; may wait. With `shadow`, a fact with an effect that is
 * not known yet stays unknown. */
const FilterdValue *visit_fact(Visit *visit, HostFact fact, gboolean shadow);
/* What is known already; never waits. */
const FilterdValue *visit_peek(Visit *visit, HostFact fact);

/* Whether, since it was last asked, visit_fact() was asked for what its plugin
 * could not find out since its process was not there; mail that may wait for it
 * does. */
gboolean visit_take_missed(Visit *visit);

/* How far a fact of a plugin is known. */
typedef enum VisitKnown {
    VISIT_UNASKED, /* its hook has not run, or not ended */
    VISIT_FAILED,  /* its hook did */
    VISIT_KNOWN,   /* though the value may be unknown */
} VisitKnown;

/* Never waits; `value` is set in each case. */
VisitKnown visit_known(Visit *visit, HostFact fact, const FilterdValue **value);

/* A hook of a fact that has run. */
typedef struct VisitRun {
    const HostInstance *instance;
    FilterdStage stage;
    int64_t took; /* milliseconds */
} VisitRun;

/* Of rcpt hooks those of the recipient at hand; until `func` says FALSE. */
void visit_each_run(Visit *visit,
                    gboolean (*func)(const VisitRun *run, void *data),
                    void *data);

/* Questions to the DNS and their answers, of the connection and of the
 * transaction at hand; until `func` says FALSE. */
void visit_each_question(const Visit *visit,
                         gboolean (*func)(const DnsQuestion *question,
                                          void *data),
                         void *data);

/* Starts hooks of stages up to `known`, except RCPT, each in a fiber: those
 * whose facts are needed whatever comes, as `passed` let the client through. */
void visit_start_early(Visit *visit, FilterdStage known, FilterdStage passed);

/* A new greeting: helo facts are forgotten. */
void visit_forget_helo(Visit *visit);

void visit_begin_message(Visit *visit);
/* A new recipient, counted from 0; one with that number is forgotten. */
void visit_begin_recipient(Visit *visit, unsigned recipient);
/* From now on rcpt facts are those of this recipient. */
void visit_set_recipient(Visit *visit, unsigned recipient);
unsigned visit_recipient(const Visit *visit);
/* The message that is being read, for hooks that join late. With `listen`,
 * those that are certainly needed hear it as it comes. */
void visit_set_message(Visit *visit, MailMessage *message, gboolean listen);
void visit_field(Visit *visit, const FilterdField *field);
void visit_body(Visit *visit, const char *bytes, gsize length);
/* Tells the plugins what became of it, after what is still running for it was
 * cancelled; from then on facts are what is known. `rule` is the outcome's, of
 * the file, or NULL. May wait. */
void visit_done(Visit *visit, const FilterdOutcome *outcome,
                const PolicyRule *rule);
/* Cancels what is still running for it. `aborted`: before its end of data. */
void visit_end_message(Visit *visit, gboolean aborted);

/* Adds the result of each method of each instance; `evaluate`: asks for what
 * is not known yet. */
void visit_authres(Visit *visit, MailAuthres *authres, gboolean evaluate);

/* Carries out an action of an instance. */
gboolean visit_act(Visit *visit, const HostInstance *instance,
                   const FilterdAction *action, const FilterdValue *arguments,
                   GError **error);

/* Shows the message as it goes out to an instance whose action with
 * FILTERD_SIGNS ran. Yields, never waits for anything but its turn. FALSE: it
 * failed, or (no error) was cancelled. */
gboolean visit_sign(Visit *visit, const HostInstance *instance,
                    MailMessage *message, GError **error);

/* DNS questions so far, of the connection and of the transaction at hand. */
unsigned visit_questions(const Visit *visit);

/* For the core's own questions about the connection. */
DnsBudget *visit_budget(Visit *visit);
