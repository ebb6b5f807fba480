/* guest.h: an instance in a visit: its state, its hooks, one at a time. Private
 * to the host.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/host/call.h"

/* One run of one hook. */
typedef enum HostRunState {
    HOST_RUN_IDLE,
    HOST_RUN_BUSY,
    HOST_RUN_DONE,
} HostRunState;

typedef struct HostRun {
    HostRunState state;
    unsigned length; /* of the values */
    FiberQueue waiters;
    FilterdValue *values; /* by the instance's slots; NULL until it runs */
    GPtrArray *results;   /* HostResult; NULL if there are none */
    int64_t took;         /* milliseconds, its turn waited for */
    gboolean lost;        /* HOST_LOST_ERROR, which mail has to wait for */
} HostRun;

typedef struct Guest {
    HostCall host;                 /* first */
    HostRun *runs[FILTERD_STAGES]; /* NULL: it never began */
    GPtrArray *recipients;    /* HostRun of the rcpt hook, one a recipient */
    HostRun *current;         /* whose hook is running; NULL: none of a fact */
    Fiber *owner;             /* whose hook of this instance is running */
    const FiberDoing *before; /* what the owner did before */
    FiberQueue queue;         /* of those who want to be the next owner */
    gboolean listening;       /* to the message as it comes */
    gboolean heard;    /* has been given the message, in one way or other */
    gboolean broken;   /* a header or body hook failed: no eom */
    gboolean finished; /* eom has run */
    gboolean lost;     /* its states are spoiled: no hook is called */
} Guest;

Guest *guest_new(HostInstance *instance, Visit *visit);
void guest_begin_message(Guest *guest);
/* Tells it what became of the message. May wait. */
void guest_done(Guest *guest, const FilterdOutcome *outcome);
void guest_end_message(Guest *guest, gboolean aborted);
/* The connection ends; others may still ask what is known. */
void guest_end(Guest *guest);
/* After guest_end(). */
void guest_free(Guest *guest);
/* Whether an instance wants to hear of the end of a message, or of a
 * connection, for which nothing else of it ran. */
gboolean guest_hears_message_end(const HostInstance *instance);
gboolean guest_hears_end(const HostInstance *instance);

/* The run of that stage's hook; for RCPT, of the recipient at hand. NULL: it
 * never began. */
const HostRun *guest_find_run(const Guest *guest, FilterdStage stage);
/* Runs the hook, or waits for whoever runs it. */
void guest_complete(Guest *guest, FilterdStage stage);
void guest_forget_stage(Guest *guest, FilterdStage stage);
void guest_forget_recipient(Guest *guest, unsigned recipient);

/* Between the two nobody else runs a hook of this instance here. FALSE:
 * cancelled while it waited. */
gboolean guest_enter(Guest *guest, FilterdStage stage, const char *hook);
void guest_leave(Guest *guest);
/* TRUE, with an error: the plugin spoilt its state here, it is not asked. */
gboolean guest_lost(const Guest *guest, GError **error);

/* Whether an instance is certain to want the message. */
gboolean guest_listens(const HostInstance *instance);
/* The message as it comes, to one that listens. */
void guest_listen(Guest *guest, gboolean listen);
void guest_hear_field(Guest *guest, const FilterdField *field);
void guest_hear_body(Guest *guest, const char *bytes, gsize length);

/* How many results of that method there were. */
unsigned guest_add_results(const Guest *guest, const char *method,
                           MailAuthres *authres);
