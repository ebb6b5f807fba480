/* state.h: what stands between a thread of libmilter and the fiber that serves
 * its mail server. Private to the milter.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/fiber.h"
#include "filterd/base/loop.h"
#include "filterd/session/session.h"
#include "filterd/wire/intake.h"
#include "filterd/wire/milter/milter.h"
#include "filterd/wire/milter/needs.h"

#include <event2/event.h>
#include <libmilter/mfapi.h>
#include <pthread.h>

/* Octets of a message that are handed over at once, so that a fiber is not
 * woken for each field. */
#define MILTER_PIECE 65536
/* Between two signs of life at the end of a message, seconds. */
#define MILTER_PROGRESS 15

/* A step of the dialogue, as its thread hands it over. */
typedef enum MilterStep {
    MILTER_CONNECT,
    MILTER_HELO,
    MILTER_MAIL,
    MILTER_RCPT,
    MILTER_DATA,
    MILTER_OCTETS, /* of a message */
    MILTER_END,    /* with the last of them */
    MILTER_TAKEN,  /* the mail server took all edits */
    MILTER_NOT_TAKEN,
    MILTER_ABORT,
} MilterStep;

typedef struct MilterCall {
    MilterStep step;
    const struct sockaddr *address; /* of connect; NULL: no network */
    const char *name;               /* of connect and helo */
    char **arguments;               /* of mail and rcpt, NULL at the end */
    const GString *octets;
    gboolean in_body; /* the header is among them, or was before */
    sfsistat answer;
} MilterCall;

typedef enum MilterEditKind {
    MILTER_INSERT_FIELD, /* on top */
    MILTER_CHANGE_FIELD, /* the one with that index among its namesakes */
    MILTER_SENDER,
    MILTER_ADD_RECIPIENT,
    MILTER_REMOVE_RECIPIENT,
    MILTER_REPLACE_BODY,
    MILTER_HOLD,
} MilterEditKind;

/* What the mail server is to do with the message before it takes it. */
typedef struct MilterEdit {
    MilterEditKind kind;
    char *name;   /* of a field; or ESMTP arguments of the sender, or NULL */
    char *value;  /* NULL: the field goes */
    gsize length; /* of a body */
    int index;
} MilterEdit;

/* A recipient that was let through, as it is to be judged and as it was told.
 */
typedef struct MilterRecipient {
    char *address, *told;
} MilterRecipient;

struct Milter {
    Engine *engine;
    const PolicyListen *listen;
    MilterNeeds needs;
    int fd;   /* libmilter's: the listening socket, or for a time `away` */
    int own;  /* ours, of the same socket */
    int away; /* one that nobody can reach */
    gboolean is_away, draining;
    struct event *look;
    GQueue clients;   /* MilterClient */
    pthread_t thread; /* of smfi_main() */
    FilterdIp key;    /* of the listener, among the visitors */
};

/* One connection of a mail server's client. */
typedef struct MilterClient {
    Milter *milter;
    SMFICTX *context; /* for the thread, and for the fiber during a call */

    /* Between both, under the lock. */
    GMutex lock;
    GCond answered;
    MilterCall *call; /* at hand */
    gboolean awaited; /* the thread waits for it to go */

    /* The thread's. */
    GString *octets; /* not handed over yet */
    gboolean in_body;
    gboolean in_transaction; /* MAIL was told, its end was not */
    MilterCall note;

    /* The loop's. */
    GList link;
    Fiber *fiber; /* NULL once it has ended */
    gboolean started, closed;
    Session *session;
    Intake *intake;
    gboolean secured, in_data, judged;
    char *sender, *sender_arguments;
    GPtrArray *recipients; /* MilterRecipient */
    unsigned seat, desk;   /* among the visitors */

    /* The fiber makes them at the end, the thread carries them out. */
    GPtrArray *edits; /* MilterEdit */
} MilterClient;

/* ---- client.c ----------------------------------------------------------- */

/* Whether threads may post to the loop. */
void milter_gate(gboolean open);
/* On the thread. FALSE: there is no loop any more. */
gboolean milter_post(LoopFunc func, void *data);

/* On the thread: hands the step over and waits for the answer. */
sfsistat milter_ask(MilterClient *client, MilterCall *call);
/* The same without waiting for an answer. */
void milter_tell(MilterClient *client, MilterStep step);
/* On the thread: its connection is gone; from now on it is not its client. */
void milter_part(MilterClient *client);
MilterClient *milter_client_new(Milter *milter, SMFICTX *context);

/* ---- dialogue.c --------------------------------------------------------- */

/* In the client's fiber. */
sfsistat milter_carry_out(MilterClient *client, const MilterCall *call);
/* After the answer to the end of a message: the transaction is over. */
void milter_end_transaction(MilterClient *client);
void milter_end_session(MilterClient *client);
void milter_recipient_free(void *recipient);

/* ---- edits.c ------------------------------------------------------------ */

/* In the fiber: what became of message and envelope, for the thread. */
void milter_edits_collect(MilterClient *client);
/* On the thread. FALSE: the mail server does not take one. */
gboolean milter_edits_carry_out(const MilterClient *client);
void milter_edit_free(void *edit);

/* ---- reply.c ------------------------------------------------------------ */

/* The verdict, with its reply where it has one. Waits for its delay. */
sfsistat milter_decide(MilterClient *client, SessionDecision decision);
sfsistat milter_refuse(MilterClient *client, const IntakeRefusal *refusal);

/* ---- callbacks.c -------------------------------------------------------- */

/* Registers them with libmilter; TRUE unless there is no memory. */
gboolean milter_register(Milter *milter);

/* ---- milter.c ----------------------------------------------------------- */

/* A session began or ended. */
void milter_regulate(Milter *milter);
/* On a thread: a mail server does not offer what is needed. */
void milter_complain(const Milter *milter, unsigned long actions,
                     unsigned long steps);
