/* message.c: tests of the message, its spool and its edits. (RFC 5322 2.1)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/message.h"

#include <glib/gstdio.h>
#include <string.h>

static const char sample[] = "Received: one\r\nSubject: s\r\n\tt\r\n"
                             "X-A: 1\r\nReceived: two\r\nx-a: 2\r\n";

static MailMessage *
message_of(const char *header, const char *body)
{
    MailMessage *message = mail_message_new(1 << 20, NULL);
    gsize taken;
    FilterdField field;
    while ((taken = mail_field_next(header, strlen(header), &field)) > 0) {
        mail_message_add_field(message, &field);
        header += taken;
    }
    g_assert_true(mail_message_add_body(message, body, strlen(body), NULL));
    return message;
}

static gboolean
collect(const char *bytes, gsize length, void *data, GError **error)
{
    (void)error;
    g_string_append_len(data, bytes, length);
    return TRUE;
}

static void
assert_written(MailMessage *message, const char *expected)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_assert_true(mail_message_write(message, collect, out, NULL));
    g_assert_cmpstr(out->str, ==, expected);
    g_assert_cmpuint(mail_message_edited_size(message), ==, out->len);
}

static void
test_unedited_is_as_received(void)
{
    g_autoptr(MailMessage) message = message_of(sample, "a\r\n.\r\nb\r\n");
    g_autofree char *whole = g_strconcat(sample, "\r\na\r\n.\r\nb\r\n", NULL);
    assert_written(message, whole);
    g_assert_cmpuint(mail_message_size(message), ==, strlen(whole));
}

static void
test_fields_are_kept(void)
{
    g_autoptr(MailMessage) message = message_of(sample, "");
    g_assert_cmpuint(mail_message_fields(message), ==, 5);
    const FilterdField *field = mail_message_field(message, 1);
    g_assert_true(mail_field_is(field, "subject"));
    g_autofree char *value = mail_field_unfold(field);
    g_assert_cmpstr(value, ==, "s t");
}

static void
test_first_line_continues_nothing(void)
{
    static const char *const lines[] = {" no", "\tno", " ", " x: y\r\n z"};
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *header = g_strconcat(lines[i], "\r\nB: 2\r\n", NULL);
        g_autofree char *whole = g_strconcat(header, "\r\nx\r\n", NULL);
        g_autofree char *below = g_strconcat(
            "X-Spam: yes\r\n" MAIL_MESSAGE_UNNAMED ":", whole, NULL);
        g_autoptr(MailMessage) message = message_of(header, "x\r\n");
        assert_written(message, whole);
        mail_message_add_header(message, "X-Spam", "yes");
        assert_written(message, below);
    }
}

static void
test_junk_line_is_kept(void)
{
    g_autoptr(MailMessage) message =
        message_of("A: 1\r\njunk\r\nB: 2\r\n", "x\r\n");
    mail_message_remove_header(message, "A");
    assert_written(message, "junk\r\nB: 2\r\n\r\nx\r\n");
}

static void
test_no_header(void)
{
    g_autoptr(MailMessage) message = message_of("", "x\r\n");
    g_assert_cmpuint(mail_message_size(message), ==, 5);
    assert_written(message, "\r\nx\r\n");
    mail_message_add_header(message, "A", "1");
    assert_written(message, "A: 1\r\n\r\nx\r\n");
}

static void
test_no_body(void)
{
    g_autoptr(MailMessage) message = message_of("A: 1\r\n", "");
    assert_written(message, "A: 1\r\n\r\n");
}

static void
test_final_crlf_is_guaranteed(void)
{
    g_autoptr(MailMessage) message = message_of("A: 1\r\n", "x");
    assert_written(message, "A: 1\r\n\r\nx\r\n");
    mail_message_add_body(message, "y\r", 2, NULL);
    mail_message_add_body(message, "\n", 1, NULL);
    assert_written(message, "A: 1\r\n\r\nxy\r\n");
}

static void
test_added_are_on_top_last_first(void)
{
    g_autoptr(MailMessage) message = message_of("A: 1\r\n", "");
    mail_message_add_header(message, "Received", "from a\n\tby b");
    mail_message_add_header(message, "Authentication-Results", "mx; none");
    assert_written(message, "Authentication-Results: mx; none\r\n"
                            "Received: from a\r\n\tby b\r\nA: 1\r\n\r\n");
}

static void
test_change_is_in_place(void)
{
    g_autoptr(MailMessage) message = message_of(sample, "");
    mail_message_change_header(message, "x-A", "first");
    mail_message_change_header(message, "x-A", "second");
    mail_message_change_header(message, "X-New", "3");
    assert_written(message, "X-New: 3\r\nReceived: one\r\n"
                            "Subject: s\r\n\tt\r\nx-A: second\r\n"
                            "Received: two\r\nx-a: 2\r\n\r\n");
}

static void
test_remove_takes_every_one_received(void)
{
    g_autoptr(MailMessage) message = message_of(sample, "");
    mail_message_add_header(message, "X-A", "ours");
    mail_message_remove_header(message, "X-a");
    mail_message_remove_field(message, 3);
    assert_written(message, "X-A: ours\r\nReceived: one\r\n"
                            "Subject: s\r\n\tt\r\n\r\n");
}

static void
test_change_of_a_removed_one_adds(void)
{
    g_autoptr(MailMessage) message = message_of("A: 1\r\nB: 2\r\n", "");
    mail_message_remove_header(message, "A");
    mail_message_change_header(message, "A", "3");
    assert_written(message, "A: 3\r\nB: 2\r\n\r\n");
}

static void
test_replaced_body(void)
{
    g_autoptr(MailMessage) message = message_of("A: 1\r\n", "long\r\n");
    mail_message_replace_body(message, "dropped");
    mail_message_replace_body(message, "a\nb\r\nc\rd");
    assert_written(message, "A: 1\r\n\r\na\r\nb\r\nc\r\nd\r\n");
    mail_message_replace_body(message, "");
    assert_written(message, "A: 1\r\n\r\n");
}

typedef struct Value {
    const char *value;
    const char *written;
} Value;

static void
test_value_ends_no_field(void)
{
    static const Value values[] = {
        {"a\nX-Evil: b", "H: a\r\n X-Evil: b\r\n\r\n"},
        {"a\r\nX-Evil: b", "H: a\r\n X-Evil: b\r\n\r\n"},
        {"a\rX-Evil: b", "H: aX-Evil: b\r\n\r\n"},
        {"a\n\nbody", "H: a\r\n body\r\n\r\n"},
        {"a\n \n\t\r\n body\n", "H: a\r\n body\r\n\r\n"},
        {"a\x01"
         "b\tc\x7f",
         "H: a b\tc \r\n\r\n"},
        {"", "H: \r\n\r\n"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autoptr(MailMessage) message = mail_message_new(0, NULL);
        mail_message_add_header(message, "H", values[i].value);
        assert_written(message, values[i].written);
    }
}

typedef struct Scratch {
    char *path;
} Scratch;

static void
scratch_setup(Scratch *scratch, gconstpointer data)
{
    (void)data;
    scratch->path = g_dir_make_tmp("filterd-mail-XXXXXX", NULL);
    g_assert_nonnull(scratch->path);
}

static void
scratch_teardown(Scratch *scratch, gconstpointer data)
{
    (void)data;
    g_rmdir(scratch->path);
    g_free(scratch->path);
}

/* Lines that tell where they are, in pieces that fit nothing. */
static GString *
fill(MailMessage *message, gsize size)
{
    GString *whole = g_string_new(NULL);
    while (whole->len < size)
        g_string_append_printf(whole, "line at %" G_GSIZE_FORMAT "\r\n",
                               whole->len);
    for (gsize at = 0; at < whole->len; at += 4999)
        g_assert_true(mail_message_add_body(message, whole->str + at,
                                            MIN(4999, whole->len - at), NULL));
    return whole;
}

/* Below, at and above the sizes of memory, chunk and buffer. */
static void
test_spool_gives_back_what_it_got(Scratch *scratch, gconstpointer data)
{
    static const gsize limits[] = {0, 1, 65536, 100000, 10000000};
    static const gsize sizes[] = {10, 65530, 131080, 400000};
    (void)data;
    for (gsize i = 0; i < G_N_ELEMENTS(limits); i++)
        for (gsize j = 0; j < G_N_ELEMENTS(sizes); j++) {
            g_autoptr(MailMessage) message =
                mail_message_new(limits[i], scratch->path);
            g_autoptr(GString) whole = fill(message, sizes[j]);
            g_autoptr(GString) body = g_string_new(NULL);
            g_assert_true(mail_message_each_body(message, collect, body, NULL));
            g_assert_true(g_string_equal(body, whole));
            g_assert_cmpuint(mail_message_size(message), ==, whole->len + 2);
        }
    g_autoptr(GDir) directory = g_dir_open(scratch->path, 0, NULL);
    g_assert_null(g_dir_read_name(directory));
}

static void
test_no_directory_is_an_error(Scratch *scratch, gconstpointer data)
{
    (void)data;
    g_autofree char *path = g_build_filename(scratch->path, "none", NULL);
    g_autoptr(MailMessage) message = mail_message_new(10, path);
    g_autoptr(GError) error = NULL;
    g_assert_true(mail_message_add_body(message, "0123456789", 10, &error));
    g_assert_false(mail_message_add_body(message, "x", 1, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
}

static gboolean
refuse_second(const char *bytes, gsize length, void *data, GError **error)
{
    unsigned *calls = data;
    (void)bytes;
    (void)length;
    if (++*calls < 2)
        return TRUE;
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "enough");
    return FALSE;
}

static void
test_writer_can_stop(Scratch *scratch, gconstpointer data)
{
    (void)data;
    g_autoptr(MailMessage) message = mail_message_new(0, scratch->path);
    g_autoptr(GError) error = NULL;
    unsigned calls = 0;
    g_string_free(fill(message, 400000), TRUE);
    g_assert_false(mail_message_write(message, refuse_second, &calls, &error));
    g_assert_nonnull(error);
    g_assert_cmpuint(calls, ==, 2);
}

static void
add_with_scratch(const char *path, void (*test)(Scratch *, gconstpointer))
{
    g_test_add(path, Scratch, NULL, scratch_setup, test, scratch_teardown);
}

/* For those who carry edits out themselves. */
static void
test_edits_one_by_one(void)
{
    g_autoptr(MailMessage) message = message_of(sample, "body\r\n");
    FilterdField field;
    g_assert_null(mail_message_replaced(message));
    mail_message_remove_header(message, "received");
    mail_message_change_header(message, "X-A", "3");
    mail_message_add_header(message, "X-B", "4\n 5");
    mail_message_replace_body(message, "other\n");
    g_assert_cmpint(mail_message_fate(message, 0, &field), ==,
                    MAIL_FIELD_REMOVED);
    g_assert_cmpint(mail_message_fate(message, 1, &field), ==, MAIL_FIELD_KEPT);
    g_assert_cmpint(mail_message_fate(message, 2, &field), ==,
                    MAIL_FIELD_CHANGED);
    g_assert_cmpmem(field.bytes, field.length, "X-A: 3", 6);
    g_assert_cmpuint(mail_message_added(message), ==, 1);
    mail_message_added_field(message, 0, &field);
    g_assert_cmpmem(field.bytes, field.length, "X-B: 4\r\n 5", 10);
    g_assert_cmpstr(mail_message_replaced(message)->str, ==, "other\r\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mail/message/unedited-is-as-received",
                    test_unedited_is_as_received);
    g_test_add_func("/mail/message/fields-are-kept", test_fields_are_kept);
    g_test_add_func("/mail/message/junk-line-is-kept", test_junk_line_is_kept);
    g_test_add_func("/mail/message/first-line-continued-what-was-added",
                    test_first_line_continues_nothing);
    g_test_add_func("/mail/message/header-may-be-empty", test_no_header);
    g_test_add_func("/mail/message/body-may-be-empty", test_no_body);
    g_test_add_func("/mail/message/final-crlf-is-guaranteed",
                    test_final_crlf_is_guaranteed);
    g_test_add_func("/mail/message/added-are-on-top-last-first",
                    test_added_are_on_top_last_first);
    g_test_add_func("/mail/message/change-is-in-place",
                    test_change_is_in_place);
    g_test_add_func("/mail/message/remove-takes-every-one-received",
                    test_remove_takes_every_one_received);
    g_test_add_func("/mail/message/change-of-a-removed-one-adds",
                    test_change_of_a_removed_one_adds);
    g_test_add_func("/mail/message/replaced-body-is-crlf", test_replaced_body);
    g_test_add_func("/mail/message/edits-can-be-told-one-by-one",
                    test_edits_one_by_one);
    g_test_add_func("/mail/message/value-ends-no-field",
                    test_value_ends_no_field);
    add_with_scratch("/mail/message/spool-gives-back-what-it-got",
                     test_spool_gives_back_what_it_got);
    add_with_scratch("/mail/message/spool-without-directory-is-an-error",
                     test_no_directory_is_an_error);
    add_with_scratch("/mail/message/writer-can-stop", test_writer_can_stop);
    return g_test_run();
}
