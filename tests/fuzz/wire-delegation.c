/* wire-delegation.c: fuzzes requests of Postfix: what is taken is within the
 * limits, whatever piece of it came first, and its values can be said again.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/wire/delegation/facts.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_values(const DelegationRequest *request)
{
    MailAddress address = {0};
    for (unsigned i = 0; i < DELEGATION_NAMES; i++) {
        const char *value = request->values[i];
        g_assert_cmpuint(strlen(value), <=, DELEGATION_LINE_LIMIT);
        gboolean raw = i == DELEGATION_SENDER || i == DELEGATION_RECIPIENT;
        for (; *value != '\0'; value++)
            g_assert_true(*value != '\n' && (raw || !g_ascii_iscntrl(*value)));
    }
    if (mail_address_take(request->values[DELEGATION_SENDER], MAIL_REVERSE_PATH,
                          &address))
        g_assert_nonnull(address.domain);
    mail_address_clear(&address);
}

/* More octets change nothing about a request that is whole; with fewer it is
 * not, or wrong already. */
static void
check_pieces(const char *bytes, gsize length, gsize whole)
{
    const char *problem;
    gsize some = delegation_request_length(bytes, whole, &problem);
    g_assert_true(problem == NULL && some == whole);
    some = delegation_request_length(bytes, whole - 1, &problem);
    g_assert_true(problem != NULL || some == 0);
    g_assert_cmpuint(whole, <=, length);
    g_assert_cmpuint(whole, <=, DELEGATION_REQUEST_LIMIT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
    const char *problem, *bytes = (const char *)octets;
    gsize whole;
    while ((whole = delegation_request_length(bytes, length, &problem)) > 0
           && problem == NULL) {
        DelegationRequest request;
        g_autofree char *copy = g_memdup2(bytes, whole);
        check_pieces(bytes, length, whole);
        if (delegation_request_parse(copy, whole, &request) == NULL)
            check_values(&request);
        bytes += whole;
        length -= whole;
    }
    g_assert_true(problem != NULL || length < DELEGATION_REQUEST_LIMIT);
    return 0;
}
