/* control.h: those who ask and command the master: a word from each, and lines
 * of JSON for an answer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Nothing here waits. Who says nothing, or does not take its answer, is gone
 * after CONTROL_TIME; the answer to some words comes when a reload is over.
 */
#pragma once

#include "filterd/process/control-socket.h"

/* At a time, and how many of them may wait for a reload. */
#define CONTROL_CLIENTS 64
#define CONTROL_WAITING 48
/* Octets of a word with its end of line. */
#define CONTROL_WORD_LIMIT 32
/* For a word to come, and for an answer to go, milliseconds. */
#define CONTROL_TIME 5000

typedef struct Control Control;

/* What may be asked; NULL ends the table. */
typedef struct ControlWord {
    const char *word;
    /* A line of JSON, without its end; caller frees. NULL: it is a reload that
     * is asked for. */
    char *(*answer)(const void *data);
} ControlWord;

/* NULL with a CONTROL_ERROR. */
Control *control_new(const char *directory, const Privileges *privileges,
                     GError **error);
/* Who still waits hears that filterd ends. */
void control_free(Control *control);
const char *control_directory(const Control *control);

/* Adds a pollfd for each that may have something. */
void control_poll(const Control *control, GArray *polls);
/* Takes connections and words, and answers; TRUE: a reload is asked for. */
gboolean control_look(Control *control, const ControlWord *words,
                      const void *data);

/* Those who have asked for a reload cannot have it yet: told once. */
void control_delay(Control *control, const char *why);
/* A reload begins: it is theirs who have asked so far. */
void control_begin(Control *control);
/* It is over: they are told that line of JSON. */
void control_conclude(Control *control, const char *line);
