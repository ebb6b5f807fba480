/* request.h: what Postfix asks a policy service
 * (postfix.org/SMTPD_POLICY_README.html).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines "name=value", ended by an empty one.
 */
#pragma once

#include <glib.h>

/* Octets of a request, and of one line without its LF; Postfix's own limit for
 * a line is 2048. */
#define DELEGATION_REQUEST_LIMIT 32768
#define DELEGATION_LINE_LIMIT 4096
#define DELEGATION_ATTRIBUTES_LIMIT 100

/* In the order in which Postfix says them. */
typedef enum DelegationName {
    DELEGATION_REQUEST,
    DELEGATION_STATE,
    DELEGATION_PROTOCOL,
    DELEGATION_CLIENT_ADDRESS,
    DELEGATION_CLIENT_NAME,
    DELEGATION_CLIENT_PORT,
    DELEGATION_SERVER_ADDRESS,
    DELEGATION_SERVER_PORT,
    DELEGATION_HELO,
    DELEGATION_SENDER,
    DELEGATION_RECIPIENT,
    DELEGATION_QUEUE_ID,
    DELEGATION_INSTANCE,
    DELEGATION_SIZE,
    DELEGATION_STRESS,
    DELEGATION_USER,
    DELEGATION_CERTIFICATE_NAME,
    DELEGATION_CERTIFICATE,
    DELEGATION_TLS,
    DELEGATION_CIPHER,
    DELEGATION_CONTEXT,
    DELEGATION_NAMES,
} DelegationName;

/* Never NULL: what was not said is "", as Postfix writes what it does not know.
 * Those that are no address have no control characters. */
typedef struct DelegationRequest {
    const char *values[DELEGATION_NAMES];
} DelegationRequest;

/* The octets of the first request of those, its empty line included; 0: it has
 * not come to its end. `problem` is set, and the result means nothing, where it
 * never will. */
gsize delegation_request_length(const char *bytes, gsize length,
                                const char **problem);
/* Of one of that length, which is written into, and into which the values
 * point. NULL, or what is wrong with it. */
const char *delegation_request_parse(char *bytes, gsize length,
                                     DelegationRequest *request);
