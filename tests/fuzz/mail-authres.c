/* mail-authres.c: fuzzes what goes into Authentication-Results: nothing in a
 * value adds a result, ends the field or hides whose it is.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/authres.h"

#include "filterd/mail/message.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* Semicolons outside quotes and comments. */
static unsigned
count_results(const char *text)
{
    unsigned results = 0, depth = 0;
    gboolean quoted = FALSE;
    for (; *text != '\0'; text++) {
        if (*text == '\\' && (quoted || depth > 0))
            text++;
        else if (*text == '"' && depth == 0)
            quoted = !quoted;
        else if (!quoted && *text == '(')
            depth++;
        else if (!quoted && *text == ')')
            depth--;
        else if (!quoted && depth == 0 && *text == ';')
            results++;
    }
    g_assert_false(quoted);
    g_assert_cmpuint(depth, ==, 0);
    return results;
}

static gboolean
collect(const char *bytes, gsize length, void *data, GError **error)
{
    (void)error;
    g_string_append_len(data, bytes, length);
    return TRUE;
}

/* As the value of a field, and raw: one field and the empty line. */
static void
check_field(const char *value)
{
    g_autoptr(MailMessage) message = mail_message_new(0, NULL);
    g_autoptr(GString) out = g_string_new(NULL);
    mail_message_add_header(message, "Authentication-Results", value);
    g_assert_true(mail_message_write(message, collect, out, NULL));
    FilterdField field;
    g_assert_cmpuint(mail_field_next(out->str, out->len, &field), ==,
                     out->len - 2);
    g_assert_true(g_str_has_suffix(out->str, "\r\n\r\n"));
}

static void
check_claim(const char *value)
{
    g_autofree char *text =
        g_strconcat("Authentication-Results: ", value, NULL);
    FilterdField field;
    mail_field_next(text, strlen(text), &field);
    g_assert_true(mail_authres_forged(&field, "mx.example.com"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    g_autofree char *text = g_strndup((const char *)bytes, length);
    FilterdProperty properties[] = {{"smtp", "mailfrom", text},
                                    {text, text, "x"}};
    MailAuthres authres;
    mail_authres_init(&authres, "mx.example.com");
    mail_authres_add(&authres, "spf", "pass", text, properties, 2);
    mail_authres_add(&authres, text, text, NULL, NULL, 0);
    g_autofree char *value = mail_authres_end(&authres);
    g_assert_cmpuint(count_results(value), ==, 2);
    check_field(value);
    check_field(text);
    check_claim(value);
    return 0;
}
