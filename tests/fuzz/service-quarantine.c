/* service-quarantine.c: fuzzes the files of the quarantine: what is read can be
 * written and read again, and nothing in it makes two commands of one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/quarantine-letter.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_one_line(const char *text)
{
    g_assert_true(text == NULL || strpbrk(text, "\r\n") == NULL);
}

static void
check_recipients(const QuarantineLetter *letter, const char *bytes,
                 gsize length)
{
    for (unsigned i = 0; i < letter->recipients->len; i++) {
        const QuarantineRecipient *recipient =
            g_ptr_array_index(letter->recipients, i);
        check_one_line(recipient->address);
        check_one_line(recipient->parameters);
        g_assert_cmpuint(recipient->mark, <, length);
        g_assert_true((bytes[recipient->mark] == '+') == recipient->taken);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    gsize taken;
    const char *text = (const char *)bytes;
    g_autoptr(QuarantineLetter) letter =
        quarantine_letter_parse(text, length, &taken);
    if (letter == NULL)
        return 0;
    g_assert_cmpuint(taken, <=, length);
    check_recipients(letter, text, taken);
    check_one_line(letter->reverse_path);
    check_one_line(letter->parameters);
    g_autoptr(GString) first = g_string_new(NULL), second = g_string_new(NULL);
    quarantine_letter_format(letter, first);
    g_autoptr(QuarantineLetter) again =
        quarantine_letter_parse(first->str, first->len, &taken);
    g_assert_nonnull(again);
    g_assert_cmpuint(taken, ==, first->len);
    quarantine_letter_format(again, second);
    g_assert_cmpstr(first->str, ==, second->str);
    return 0;
}
