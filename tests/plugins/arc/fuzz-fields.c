/* fuzz-fields.c: the parsers of single fields; the first octet says of which.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/arc/part.h"
#include "plugins/arc/results.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_word(const char *word, const char *const *words)
{
    while (word != NULL && *words != word)
        g_assert_nonnull(*words++);
}

static void
read_results(Span value)
{
    Results results;
    gint64 instance = -1;
    if (results_read(&results, value, &instance))
        g_assert_cmpint(instance, >=, 0);
    check_word(results.dmarc, dmarc_words);
    check_word(results.spf, spf_words);
    check_word(results.dkim, result_words);
}

static void
check_part(const Part *part, Span value)
{
    const Signature *signature = part->signature;
    g_assert_cmpuint(part->cut + part->cut_length, <=, value.length);
    if (signature->selector != NULL)
        g_assert_true(span_is_name(
            (Span){signature->selector, strlen(signature->selector)}));
    if (signature->result == RESULT_PENDING) {
        g_assert_nonnull(signature->bytes);
        g_assert_cmpuint(part->cut, >, 0);
        g_assert_cmpint(value.bytes[part->cut - 1], ==, '=');
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return 0;
    const Span value = {(const char *)bytes + 1, length - 1};
    Part part = {0};
    gint64 instance = -1;
    const char *problem = NULL;
    if (bytes[0] == 'r')
        read_results(value);
    else if (bytes[0] == 's')
        problem = part_read_seal(&part, value, &instance);
    else
        problem = part_read_message(&part, value, &instance);
    g_assert_true(problem == NULL || part.signature == NULL);
    if (part.signature != NULL)
        check_part(&part, value);
    part_clear(&part);
    return 0;
}
