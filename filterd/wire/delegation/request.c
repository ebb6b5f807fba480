/* request.c: what Postfix asks a policy service, as it is written
 * (postfix.org/SMTPD_POLICY_README.html).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/delegation/request.h"

#include <string.h>

static const struct Attribute {
    const char *name;
    gboolean address;
} attributes[DELEGATION_NAMES] = {
    [DELEGATION_REQUEST] = {"request", FALSE},
    [DELEGATION_STATE] = {"protocol_state", FALSE},
    [DELEGATION_PROTOCOL] = {"protocol_name", FALSE},
    [DELEGATION_CLIENT_ADDRESS] = {"client_address", FALSE},
    [DELEGATION_CLIENT_NAME] = {"client_name", FALSE},
    [DELEGATION_CLIENT_PORT] = {"client_port", FALSE},
    [DELEGATION_SERVER_ADDRESS] = {"server_address", FALSE},
    [DELEGATION_SERVER_PORT] = {"server_port", FALSE},
    [DELEGATION_HELO] = {"helo_name", FALSE},
    [DELEGATION_SENDER] = {"sender", TRUE},
    [DELEGATION_RECIPIENT] = {"recipient", TRUE},
    [DELEGATION_QUEUE_ID] = {"queue_id", FALSE},
    [DELEGATION_INSTANCE] = {"instance", FALSE},
    [DELEGATION_SIZE] = {"size", FALSE},
    [DELEGATION_STRESS] = {"stress", FALSE},
    [DELEGATION_USER] = {"sasl_username", FALSE},
    [DELEGATION_CERTIFICATE_NAME] = {"ccert_subject", FALSE},
    [DELEGATION_CERTIFICATE] = {"ccert_fingerprint", FALSE},
    [DELEGATION_TLS] = {"encryption_protocol", FALSE},
    [DELEGATION_CIPHER] = {"encryption_cipher", FALSE},
    [DELEGATION_CONTEXT] = {"policy_context", FALSE},
};

gsize
delegation_request_length(const char *bytes, gsize length, const char **problem)
{
    *problem = NULL;
    if (length > 0 && bytes[0] == '\n')
        *problem = "a request has attributes";
    const char *end =
        memmem(bytes, MIN(length, DELEGATION_REQUEST_LIMIT), "\n\n", 2);
    if (end != NULL)
        return (gsize)(end - bytes) + 2;
    if (length >= DELEGATION_REQUEST_LIMIT)
        *problem = "the request is too long";
    return 0;
}

/* They come in one order, so the search goes on where the last one ended. */
static unsigned
find(const char *name, unsigned from)
{
    for (unsigned i = 0; i < DELEGATION_NAMES; i++) {
        unsigned index = (from + i) % DELEGATION_NAMES;
        if (strcmp(attributes[index].name, name) == 0)
            return index;
    }
    return DELEGATION_NAMES;
}

static void
clean(char *value)
{
    for (; *value != '\0'; value++)
        if (g_ascii_iscntrl(*value))
            *value = '?';
}

/* `line` ends with NUL. Whatever is said of it, it is not said twice. */
static const char *
take_line(char *line, unsigned *next, DelegationRequest *request)
{
    char *value = strchr(line, '=');
    if (value == NULL || value == line)
        return "a line is no name=value";
    *value++ = '\0';
    unsigned index = find(line, *next);
    if (index == DELEGATION_NAMES)
        return NULL;
    if (request->values[index] != NULL)
        return "an attribute is there twice";
    if (!attributes[index].address)
        clean(value);
    request->values[index] = value;
    *next = index + 1;
    return NULL;
}

static const char *
take_lines(char *bytes, gsize length, DelegationRequest *request)
{
    unsigned lines = 0, next = 0;
    const char *problem = NULL;
    char *end = bytes + length - 1;
    while (bytes < end && problem == NULL) {
        char *lf = memchr(bytes, '\n', (gsize)(end - bytes));
        *lf = '\0';
        if (++lines > DELEGATION_ATTRIBUTES_LIMIT)
            problem = "there are too many attributes";
        else if (lf - bytes > DELEGATION_LINE_LIMIT)
            problem = "a line is too long";
        else
            problem = take_line(bytes, &next, request);
        bytes = lf + 1;
    }
    return problem;
}

const char *
delegation_request_parse(char *bytes, gsize length, DelegationRequest *request)
{
    *request = (DelegationRequest){0};
    if (memchr(bytes, '\0', length) != NULL)
        return "there is a NUL in it";
    const char *problem = take_lines(bytes, length, request);
    for (unsigned i = 0; i < DELEGATION_NAMES; i++)
        if (request->values[i] == NULL)
            request->values[i] = "";
    if (problem == NULL
        && strcmp(request->values[DELEGATION_REQUEST], "smtpd_access_policy")
               != 0)
        problem = "it is no smtpd_access_policy";
    return problem;
}
