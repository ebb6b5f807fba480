/* value.c: values from text, as text, copied and held against their row.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/harness/internal.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *unit;
    int64_t milliseconds;
} units[] = {
    {"w", 604800000}, {"d", 86400000}, {"h", 3600000},
    {"m", 60000},     {"s", 1000},     {"ms", 1},
};

static gboolean
is_string(FilterdType type)
{
    return type == FILTERD_TEXT || type == FILTERD_WORD
           || type == FILTERD_DOMAIN || type == FILTERD_ADDRESS;
}

FilterdValue
harness_value_copy(const FilterdValue *value)
{
    FilterdValue copy = *value;

    if (is_string(value->type))
        copy.text = g_strdup(value->text);
    if (value->type == FILTERD_LIST) {
        FilterdValue *items = g_new0(FilterdValue, value->list.length + 1);

        for (size_t i = 0; i < value->list.length; i++)
            items[i] = harness_value_copy(&value->list.items[i]);
        copy.list.items = items;
    }
    return copy;
}

void
harness_value_free(FilterdValue *value)
{
    if (is_string(value->type))
        g_free((char *)value->text);
    if (value->type == FILTERD_LIST) {
        FilterdValue *items = (FilterdValue *)value->list.items;

        for (size_t i = 0; i < value->list.length; i++)
            harness_value_free(&items[i]);
        g_free(items);
    }
    *value = filterd_unknown();
}

/* ---- from text ---------------------------------------------------------- */

gboolean
harness_ip_parse(const char *text, FilterdIp *ip)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);
    FilterdIp parsed = {.prefix = 128};
    int shift = 0;

    if (inet_pton(AF_INET, parts[0], parsed.bytes + 12) == 1) {
        parsed.bytes[10] = parsed.bytes[11] = 0xff;
        shift = 96;
    } else if (inet_pton(AF_INET6, parts[0], parsed.bytes) != 1) {
        return FALSE;
    }
    if (parts[1] != NULL)
        parsed.prefix = (uint8_t)(atoi(parts[1]) + shift);
    *ip = parsed;
    return TRUE;
}

static gboolean
bool_parse(const char *text, FilterdValue *value)
{
    static const char *const words[] = {"no",  "false", "off",
                                        "yes", "true",  "on"};

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(text, words[i]) == 0) {
            *value = filterd_bool(i >= 3);
            return TRUE;
        }
    return FALSE;
}

static gboolean
int_parse(const char *text, FilterdValue *value)
{
    char *end;
    int64_t number = g_ascii_strtoll(text, &end, 10);

    if (end == text || *end != '\0')
        return FALSE;
    *value = filterd_int(number);
    return TRUE;
}

static gboolean
duration_parse(const char *text, FilterdValue *value)
{
    char *end;
    int64_t number = g_ascii_strtoll(text, &end, 10);

    for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
        if (end != text && strcmp(end, units[i].unit) == 0) {
            *value = filterd_duration(number * units[i].milliseconds);
            return TRUE;
        }
    return FALSE;
}

static gboolean
list_parse(const char *text, FilterdValue *value)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    size_t length = g_strv_length(words);
    FilterdValue *items = g_new0(FilterdValue, length + 1);

    for (size_t i = 0; i < length; i++)
        items[i] = filterd_text(g_strdup(g_strstrip(words[i])));
    *value = filterd_list(items, length);
    return TRUE;
}

gboolean
harness_value_parse(FilterdType type, const char *text, FilterdValue *value)
{
    *value = filterd_unknown();
    switch (type) {
    case FILTERD_BOOL:
        return bool_parse(text, value);
    case FILTERD_INT:
        return int_parse(text, value);
    case FILTERD_DURATION:
        return duration_parse(text, value);
    case FILTERD_IP:
        value->type = FILTERD_IP;
        return harness_ip_parse(text, &value->ip);
    case FILTERD_LIST:
        return list_parse(text, value);
    case FILTERD_UNKNOWN:
        *value = filterd_text(g_strdup(text));
        return TRUE;
    default:
        *value = filterd_string(type, g_strdup(text));
        return is_string(type);
    }
}

/* ---- as text ------------------------------------------------------------ */

static void
ip_append(GString *out, const FilterdIp *ip)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    gboolean four = memcmp(ip->bytes, mapped, sizeof mapped) == 0;
    char text[INET6_ADDRSTRLEN];

    inet_ntop(four ? AF_INET : AF_INET6, ip->bytes + (four ? 12 : 0), text,
              sizeof text);
    g_string_append(out, text);
    if (ip->prefix != 128)
        g_string_append_printf(out, "/%d", ip->prefix - (four ? 96 : 0));
}

static void
duration_append(GString *out, int64_t rest)
{
    gsize before = out->len;

    if (rest < 0)
        g_string_append_c(out, '-');
    rest = ABS(rest);
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        if (rest >= units[i].milliseconds)
            g_string_append_printf(out, "%" G_GINT64_FORMAT "%s",
                                   rest / units[i].milliseconds, units[i].unit);
        rest %= units[i].milliseconds;
    }
    if (out->len == before)
        g_string_append(out, "0s");
}

void
harness_value_append(GString *out, const FilterdValue *value)
{
    switch (value->type) {
    case FILTERD_BOOL:
        g_string_append(out, value->boolean ? "yes" : "no");
        break;
    case FILTERD_INT:
        g_string_append_printf(out, "%" G_GINT64_FORMAT, value->integer);
        break;
    case FILTERD_DURATION:
        duration_append(out, value->integer);
        break;
    case FILTERD_IP:
        ip_append(out, &value->ip);
        break;
    case FILTERD_LIST:
        for (size_t i = 0; i < value->list.length; i++) {
            g_string_append(out, i > 0 ? "," : "");
            harness_value_append(out, &value->list.items[i]);
        }
        break;
    default:
        g_string_append(out, is_string(value->type) ? value->text : "-");
    }
}

/* ---- against the row ---------------------------------------------------- */

static const char *
domain_problem(const char *text)
{
    if (*text == '\0' || text[strlen(text) - 1] == '.')
        return "a domain that is empty or has a final dot";
    for (const char *at = text; *at != '\0'; at++)
        if (g_ascii_isupper(*at) || (*at & 0x80) != 0)
            return "a domain that is not in lower-case A-labels";
    return NULL;
}

static const char *
string_problem(const FilterdValue *value, const FilterdFact *row)
{
    if (value->text == NULL)
        return "NULL for a text";
    if (strpbrk(value->text, "\r\n") != NULL)
        return "CR or LF in a text";
    if (value->type == FILTERD_DOMAIN)
        return domain_problem(value->text);
    if (value->type == FILTERD_WORD
        && (row->words == NULL || !g_strv_contains(row->words, value->text)))
        return "a word that the row does not have";
    return NULL;
}

const char *
harness_value_problem(const FilterdValue *value, const FilterdFact *row)
{
    if (value->type == FILTERD_UNKNOWN)
        return NULL;
    if (value->type != row->type)
        return "a value of another type than the row's";
    if (is_string(value->type))
        return string_problem(value, row);
    if (value->type != FILTERD_LIST)
        return NULL;

    const FilterdFact item = {.type = row->items, .words = row->words};

    for (size_t i = 0; i < value->list.length; i++) {
        const char *problem =
            harness_value_problem(&value->list.items[i], &item);

        if (value->list.items[i].type == FILTERD_UNKNOWN)
            return "an unknown value in a list";
        if (problem != NULL)
            return problem;
    }
    return NULL;
}
