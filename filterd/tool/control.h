/* control.h: asks the filterd that runs, for the commands that do.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/base/json.h"

#include <stdio.h>

#define CONTROL_CONFIG "/etc/filterd/filterd.conf"
/* Octets of all that it answers. */
#define CONTROL_ANSWER_LIMIT (16 * 1024 * 1024)

typedef struct ControlQuestion {
    const char *command; /* of filterctl, for what is said of errors */
    const char *config;  /* the daemon's; it may have errors */
    const char *word;    /* one of filterd's ControlWord */
    int64_t patience;    /* milliseconds, for all of the answer */
    /* Each line of it, but errors; valid for the call. */
    void (*hear)(const JsonValue *line, void *data);
    void *data;
} ControlQuestion;

/* TOOL_OK: it was answered; else standard error says why not, and TOOL_ABSENT
 * that nobody is there to answer. */
int control_ask(const ControlQuestion *question);

/* Lines that somebody else wrote: control characters are question marks. */
void control_print(FILE *file, const char *text);
