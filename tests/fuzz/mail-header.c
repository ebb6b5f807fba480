/* mail-header.c: fuzzes the header section, From and forged results.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/authres.h"
#include "filterd/mail/domain.h"
#include "filterd/mail/header.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_from(MailFrom *from)
{
    mail_from_end(from);
    if (from->domain != NULL)
        g_assert_true(mail_domain_valid(from->domain));
    if (from->problem == MAIL_FROM_OK) {
        g_assert_cmpuint(from->seen, ==, 1);
        g_assert_true(g_str_has_suffix(from->address, from->domain));
    }
    mail_from_clear(from);
}

static void
check_field(const FilterdField *field)
{
    g_assert_cmpuint(field->value, <=, field->length);
    g_assert_cmpuint(field->name_length, <=, field->length);
    g_autofree char *value = mail_field_unfold(field);
    for (const char *at = value; *at != '\0'; at++)
        g_assert_false(g_ascii_iscntrl(*at));
    mail_authres_forged(field, "mx.example.com");
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *at = (const char *)bytes;
    const char *end = at + length;
    MailFrom from = {0};
    FilterdField field;
    gsize taken;
    for (; (taken = mail_field_next(at, end - at, &field)) > 0; at += taken) {
        g_assert_cmpuint(taken, <=, end - at);
        g_assert_cmpuint(field.length, <=, taken);
        check_field(&field);
        mail_from_add(&from, &field);
    }
    check_from(&from);
    return 0;
}
