/* quarantine-list.c: what is kept, for people and as JSON.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/quarantine.h"

#include "filterd/base/clock.h"
#include "filterd/tool/view.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Of one field; no address is longer than that. */
#define SHOWN 320

/* ---- text that is not ours ---------------------------------------------- */

/* Nothing in it moves a cursor, or turns the direction of writing. */
static void
append_safe(GString *out, const char *text, gsize length)
{
    const char *end = text + length;
    while (text < end) {
        gunichar letter = g_utf8_get_char_validated(text, end - text);
        gboolean whole = letter < (gunichar)-2;
        gboolean line = *text == '\n' || *text == '\t';
        if (line || (whole && g_unichar_isprint(letter)))
            g_string_append_unichar(out, letter);
        else if (*text != '\r' || text + 1 == end || text[1] != '\n')
            g_string_append_c(out, '?');
        text = whole ? g_utf8_next_char(text) : text + 1;
    }
}

/* In one line. */
static char *
safe(const char *text)
{
    GString *out = g_string_new(NULL);
    append_safe(out, text, MIN(strlen(text), SHOWN));
    g_strdelimit(out->str, "\n\t", '?');
    return g_string_free(out, FALSE);
}

static char *
format_time(int64_t time)
{
    g_autoptr(GDateTime) moment = g_date_time_new_from_unix_utc(time / 1000);
    return moment != NULL ? g_date_time_format(moment, "%Y-%m-%dT%H:%M:%SZ")
                          : g_strdup("-");
}

static const QuarantineRecipient *
recipient_at(const QuarantineLetter *letter, unsigned index)
{
    return g_ptr_array_index(letter->recipients, index);
}

/* ---- JSON --------------------------------------------------------------- */

static void
append_recipient(GString *out, const void *element)
{
    const QuarantineRecipient *recipient = element;
    g_string_append_c(out, '{');
    view_json_text(out, "address", recipient->address);
    g_string_append_c(out, ',');
    view_json_text(out, "parameters", recipient->parameters);
    g_string_append_printf(out, ",\"taken\":%s}",
                           recipient->taken ? "true" : "false");
}

static void
append_json(GString *out, const QuarantineFile *file)
{
    const QuarantineLetter *letter = quarantine_file_letter(file);
    g_autofree char *subject = quarantine_field(file, "Subject");
    g_autofree char *from = quarantine_field(file, "From");
    g_autofree char *time = format_time(letter->time);
    const struct {
        const char *name, *text;
    } texts[] = {
        {"id", letter->id},
        {"time", time},
        {"rule", letter->rule},
        {"stage", letter->stage},
        {"reason", letter->reason},
        {"facts", letter->facts},
        {"session", letter->session},
        {"protocol", letter->protocol},
        {"client", letter->client},
        {"name", letter->name},
        {"helo", letter->helo},
        {"auth", letter->auth},
        {"from", letter->reverse_path},
        {"parameters", letter->parameters},
        {"header-from", from},
        {"subject", subject},
    };
    gsize size;
    quarantine_file_message(file, &size);
    g_string_append_c(out, '{');
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        view_json_text(out, texts[i].name, texts[i].text);
        g_string_append_c(out, ',');
    }
    g_string_append_printf(out, "\"size\":%" G_GSIZE_FORMAT ",\"to\":[", size);
    view_json_each(out, letter->recipients, append_recipient);
    g_string_append(out, "]}");
}

/* ---- a line for each ---------------------------------------------------- */

static void
append_line(GString *out, const QuarantineFile *file)
{
    const QuarantineLetter *letter = quarantine_file_letter(file);
    g_autofree char *time = format_time(letter->time);
    g_autofree char *from = safe(letter->reverse_path);
    gsize size;
    quarantine_file_message(file, &size);
    g_string_append_printf(out, "%s  %s  %" G_GSIZE_FORMAT "  %s  <%s> ",
                           letter->id, time, size,
                           letter->rule != NULL ? letter->rule : "-", from);
    for (unsigned i = 0; i < letter->recipients->len; i++) {
        g_autofree char *to = safe(recipient_at(letter, i)->address);
        g_string_append_printf(out, "%s<%s>%s", i > 0 ? "," : " ", to,
                               recipient_at(letter, i)->taken ? "+" : "");
    }
    g_string_append_c(out, '\n');
}

/* ---- the whole ---------------------------------------------------------- */

static void
append_item(GString *out, const char *name, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    g_autofree char *shown = safe(text);
    g_string_append_printf(out, "%-9s %s\n", name, g_strstrip(shown));
}

static void
append_path(GString *out, const char *name, const char *address,
            const char *parameters, gboolean taken)
{
    g_autofree char *text = g_strdup_printf(
        "<%s>%s%s", address, parameters != NULL ? parameters : "",
        taken ? " (was taken)" : "");
    append_item(out, name, text);
}

static void
append_envelope(GString *out, const QuarantineFile *file)
{
    gsize octets;
    const QuarantineLetter *letter = quarantine_file_letter(file);
    g_autofree char *time = format_time(letter->time);
    quarantine_file_message(file, &octets);
    g_autofree char *size = g_strdup_printf("%" G_GSIZE_FORMAT, octets);
    g_autofree char *rule =
        g_strdup_printf("%s, at %s", letter->rule != NULL ? letter->rule : "-",
                        letter->stage != NULL ? letter->stage : "-");
    append_item(out, "id", letter->id);
    append_item(out, "kept", time);
    append_item(out, "size", size);
    append_item(out, "rule", rule);
    append_item(out, "reason", letter->reason);
    append_item(out, "facts", letter->facts);
    append_item(out, "session", letter->session);
    append_item(out, "protocol", letter->protocol);
    append_item(out, "client", letter->client);
    append_item(out, "name", letter->name);
    append_item(out, "helo", letter->helo);
    append_item(out, "auth", letter->auth);
    append_path(out, "from", letter->reverse_path, letter->parameters, FALSE);
    for (unsigned i = 0; i < letter->recipients->len; i++)
        append_path(out, "to", recipient_at(letter, i)->address,
                    recipient_at(letter, i)->parameters,
                    recipient_at(letter, i)->taken);
}

static void
append_message(GString *out, const QuarantineFile *file)
{
    gsize length;
    const char *bytes = quarantine_file_message(file, &length);
    if (isatty(STDOUT_FILENO))
        append_safe(out, bytes, length);
    else
        g_string_append_len(out, bytes, (gssize)length);
}

static void
append_whole(GString *out, const QuarantineFile *file)
{
    append_envelope(out, file);
    g_string_append_c(out, '\n');
    append_message(out, file);
}

/* ---- all of them -------------------------------------------------------- */

static void
print(const GString *out)
{
    fwrite(out->str, 1, out->len, stdout);
}

static void
each(QuarantineTask *task,
     void (*append)(GString *out, const QuarantineFile *file))
{
    const char *between = "";
    for (unsigned i = 0; i < task->ids->len; i++) {
        const char *id = g_ptr_array_index(task->ids, i);
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) out = g_string_new(between);
        g_autoptr(QuarantineFile) file =
            quarantine_file_open(task->quarantine, id, FALSE, &error);
        if (file == NULL) {
            quarantine_complain(task, id, error->message);
            continue;
        }
        append(out, file);
        print(out);
        if (task->request->json)
            between = ",\n";
    }
}

static void
print_json(QuarantineTask *task)
{
    putchar('[');
    each(task, append_json);
    puts("]");
}

void
quarantine_list_all(QuarantineTask *task)
{
    if (task->request->json)
        print_json(task);
    else
        each(task, append_line);
}

void
quarantine_show_all(QuarantineTask *task)
{
    if (task->request->json)
        print_json(task);
    else
        each(task, task->request->raw ? append_message : append_whole);
}
