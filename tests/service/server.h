/* server.h: a small DNS server on the test's own loop, that does what a table
 * says.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

typedef enum ServerAct {
    SERVER_ANSWERS,
    SERVER_SERVFAILS,
    SERVER_IS_SILENT,
    SERVER_IS_LATE,   /* by SERVER_DELAY, to each repetition too */
    SERVER_TRUNCATES, /* by UDP; the whole by TCP */
} ServerAct;

/* `data`: an address, "10 mx.example", a target, or text. A name without a row
 * of that type is NODATA, one without any row NXDOMAIN, both for a minute. */
typedef struct ServerRow {
    const char *name;
    int type; /* SERVER_CNAME or a FilterdDnsType */
    const char *data;
    uint32_t ttl;
    ServerAct act;
} ServerRow;

enum { SERVER_CNAME = 5, SERVER_DELAY = 250 /* milliseconds */ };

typedef struct Server Server;

/* On a free port of 127.0.0.1. The rows end with a NULL name, and are read at
 * each question. */
Server *server_new(const ServerRow *rows);
void server_free(Server *server);
/* "127.0.0.1@PORT" */
const char *server_address(const Server *server);
/* Questions seen, repetitions too; NULL: of all names. */
unsigned server_questions(const Server *server, const char *name);
