/* value.c: copies, frees and writes values.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/value.h"

#include "filterd/base/ip.h"
#include "filterd/base/text.h"

gboolean
value_has_text(const FilterdValue *value)
{
    return value->type == FILTERD_TEXT || value->type == FILTERD_WORD
           || value->type == FILTERD_DOMAIN || value->type == FILTERD_ADDRESS;
}

FilterdValue
value_copy(const FilterdValue *value)
{
    FilterdValue copy = *value;
    FilterdValue *items;

    if (value_has_text(value))
        copy.text = g_strdup(value->text);
    if (value->type != FILTERD_LIST)
        return copy;
    items = g_new(FilterdValue, value->list.length);
    for (size_t i = 0; i < value->list.length; i++)
        items[i] = value_copy(&value->list.items[i]);
    copy.list.items = items;
    return copy;
}

void
value_clear(FilterdValue *value)
{
    FilterdValue *items;

    if (value_has_text(value))
        g_free((char *)value->text);
    if (value->type == FILTERD_LIST) {
        items = (FilterdValue *)value->list.items;
        for (size_t i = 0; i < value->list.length; i++)
            value_clear(&items[i]);
        g_free(items);
    }
    *value = filterd_unknown();
}

static void
append_duration(GString *out, int64_t milliseconds)
{
    g_autofree char *text = text_format_duration(milliseconds);

    g_string_append(out, text);
}

static void
append_list(GString *out, const FilterdList *list,
            void (*append)(GString *, const FilterdValue *))
{
    for (size_t i = 0; i < list->length; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        append(out, &list->items[i]);
    }
}

void
value_append(GString *out, const FilterdValue *value)
{
    char ip[IP_TEXT_SIZE];

    if (value_has_text(value))
        text_append(out, value->text);
    else if (value->type == FILTERD_BOOL)
        g_string_append(out, value->boolean ? "yes" : "no");
    else if (value->type == FILTERD_INT)
        text_append_integer(out, value->integer);
    else if (value->type == FILTERD_DURATION)
        append_duration(out, value->integer);
    else if (value->type == FILTERD_IP)
        g_string_append(out, ip_format(&value->ip, ip));
    else if (value->type == FILTERD_LIST)
        append_list(out, &value->list, value_append);
    else
        g_string_append_c(out, '-');
}

/* Also what a terminal could take for a command. */
static void
append_json_char(GString *out, gunichar c)
{
    if (c == '"' || c == '\\')
        g_string_append_printf(out, "\\%c", (char)c);
    else if (c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
        g_string_append_printf(out, "\\u%04x", c);
    else
        g_string_append_unichar(out, c);
}

void
value_append_json_text(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    while (*text != '\0') {
        gunichar c = g_utf8_get_char_validated(text, -1);
        gboolean valid = c < (gunichar)-2;

        append_json_char(out, valid ? c : 0xfffd);
        text = valid ? g_utf8_next_char(text) : text + 1;
    }
    g_string_append_c(out, '"');
}

void
value_append_json(GString *out, const FilterdValue *value)
{
    char ip[IP_TEXT_SIZE];

    if (value_has_text(value)) {
        value_append_json_text(out, value->text);
    } else if (value->type == FILTERD_BOOL) {
        g_string_append(out, value->boolean ? "true" : "false");
    } else if (value->type == FILTERD_INT || value->type == FILTERD_DURATION) {
        text_append_integer(out, value->integer);
    } else if (value->type == FILTERD_IP) {
        value_append_json_text(out, ip_format(&value->ip, ip));
    } else if (value->type == FILTERD_LIST) {
        g_string_append_c(out, '[');
        append_list(out, &value->list, value_append_json);
        g_string_append_c(out, ']');
    } else {
        g_string_append(out, "null");
    }
}
