/* literal.c: values as they are written: 5m, 10M, 192.0.2.0/24, "a@b".
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/literal.h"

#include "filterd/base/ip.h"
#include "filterd/base/text.h"
#include "filterd/mail/address.h"
#include "filterd/mail/domain.h"

#include <string.h>

static gboolean
parse_bool(G_GNUC_UNUSED Compile *compile, const char *text,
           FilterdValue *value)
{
    static const struct {
        const char *word;
        bool truth;
    } words[] = {{"yes", true}, {"true", true},   {"on", true},
                 {"no", false}, {"false", false}, {"off", false}};

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(words[i].word, text) == 0) {
            *value = filterd_bool(words[i].truth);
            return TRUE;
        }
    return FALSE;
}

static gboolean
parse_int(G_GNUC_UNUSED Compile *compile, const char *text, FilterdValue *value)
{
    int64_t integer;

    if (!text_parse_int(text, INT64_MIN, INT64_MAX, &integer)
        && !text_parse_size(text, &integer))
        return FALSE;
    *value = filterd_int(integer);
    return TRUE;
}

static gboolean
parse_duration(G_GNUC_UNUSED Compile *compile, const char *text,
               FilterdValue *value)
{
    int64_t milliseconds;

    if (!text_parse_duration(text, &milliseconds))
        return FALSE;
    *value = filterd_duration(milliseconds);
    return TRUE;
}

static gboolean
parse_text(Compile *compile, const char *text, FilterdValue *value)
{
    *value = filterd_text(compile_keep(compile, text, -1));
    return TRUE;
}

static gboolean
parse_word(Compile *compile, const char *text, FilterdValue *value)
{
    *value = filterd_word(compile_keep(compile, text, -1));
    return *text != '\0';
}

static gboolean
parse_domain(Compile *compile, const char *text, FilterdValue *value)
{
    g_autofree char *domain = mail_domain_normalize(text, -1);

    if (domain == NULL)
        return FALSE;
    *value = filterd_string(FILTERD_DOMAIN, compile_keep(compile, domain, -1));
    return TRUE;
}

static gboolean
parse_address(Compile *compile, const char *text, FilterdValue *value)
{
    MailAddress address = {0};

    if (*text == '\0' || strcmp(text, "<>") == 0) {
        *value = filterd_string(FILTERD_ADDRESS, "");
        return TRUE;
    }
    if (!mail_address_parse_bare(text, MAIL_FORWARD_PATH, &address, NULL))
        return FALSE;
    *value = filterd_string(FILTERD_ADDRESS,
                            compile_keep(compile, address.text, -1));
    mail_address_clear(&address);
    return TRUE;
}

static gboolean
parse_ip(G_GNUC_UNUSED Compile *compile, const char *text, FilterdValue *value)
{
    FilterdIp ip;

    if (!ip_parse_network(text, &ip))
        return FALSE;
    *value = filterd_ip(ip);
    return TRUE;
}

static const struct {
    const char *phrase;
    const char *example;
    gboolean (*parse)(Compile *compile, const char *text, FilterdValue *value);
} types[] = {
    [FILTERD_UNKNOWN] = {"unknown", NULL, NULL},
    [FILTERD_BOOL] = {"a bool", "yes or no", parse_bool},
    [FILTERD_INT] = {"an int", "such as 5, -2 or 10M", parse_int},
    [FILTERD_DURATION] = {"a duration", "such as 500ms, 10s, 5m, 2h or 7d",
                          parse_duration},
    [FILTERD_TEXT] = {"a text", NULL, parse_text},
    [FILTERD_WORD] = {"a word", NULL, parse_word},
    [FILTERD_DOMAIN] = {"a domain", "such as example.com", parse_domain},
    [FILTERD_ADDRESS] = {"an address", "such as \"user@example.com\"",
                         parse_address},
    [FILTERD_IP] = {"an ip", "such as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32",
                    parse_ip},
    [FILTERD_LIST] = {"a list", NULL, NULL},
    [FILTERD_FILE] = {"a file", NULL, NULL},
    [FILTERD_GROUP] = {"a group", NULL, NULL},
};

const char *const literal_type_words[] = {"ip",   "domain", "address",  "text",
                                          "word", "int",    "duration", NULL};
static const FilterdType typed[] = {
    FILTERD_IP,   FILTERD_DOMAIN, FILTERD_ADDRESS, FILTERD_TEXT,
    FILTERD_WORD, FILTERD_INT,    FILTERD_DURATION};

gboolean
literal_type(const char *word, FilterdType *type)
{
    for (gsize i = 0; literal_type_words[i] != NULL; i++)
        if (strcmp(literal_type_words[i], word) == 0) {
            *type = typed[i];
            return TRUE;
        }
    return FALSE;
}

const char *
literal_phrase(FilterdType type)
{
    return types[type].phrase;
}

const char *
literal_example(FilterdType type)
{
    return types[type].example;
}

gboolean
literal_parse(Compile *compile, FilterdType type, const char *text,
              FilterdValue *value)
{
    return types[type].parse != NULL && types[type].parse(compile, text, value);
}

gboolean
literal_parse_key(Compile *compile, FilterdType type, const char *text,
                  FilterdValue *value)
{
    if (type != FILTERD_DOMAIN || *text != '.')
        return literal_parse(compile, type, text, value);
    g_autofree char *domain = mail_domain_normalize(text + 1, -1);
    if (domain == NULL)
        return FALSE;
    g_autofree char *below = g_strconcat(".", domain, NULL);
    *value = filterd_string(FILTERD_DOMAIN, compile_keep(compile, below, -1));
    return TRUE;
}

/* A number that would be right if it were 1. */
static gboolean
is_too_large(Compile *compile, FilterdType type, const char *text)
{
    gsize digits = strspn(text, "0123456789");
    g_autofree char *one = g_strconcat("1", text + digits, NULL);
    FilterdValue value;

    return (type == FILTERD_INT || type == FILTERD_DURATION) && digits > 1
           && literal_parse(compile, type, one, &value);
}

/* "192.0.2.0/33" */
static gboolean
is_long_prefix(const char *text)
{
    const char *slash = strchr(text, '/');
    FilterdIp ip;

    if (slash == NULL || slash[1] == '\0'
        || slash[1 + strspn(slash + 1, "0123456789")] != '\0')
        return FALSE;
    g_autofree char *address = g_strndup(text, (gsize)(slash - text));
    return ip_parse(address, &ip);
}

/* Of a domain that is meant to be several; NULL. */
static char *
find_several(const char *text)
{
    const char *below = text + (*text == '*');

    if (*below == '.' && strchr(below, '*') == NULL)
        return g_strdup_printf("a list has it: list NAME of domain { %s }, "
                               "then … in NAME",
                               below);
    if (strchr(text, '*') != NULL)
        return g_strdup("`*` is no wildcard: ask with `matches`");
    return NULL;
}

const char *
literal_range_hint(const char *text)
{
    return g_ascii_isdigit(*text) && strchr(text, '-') != NULL
                   && text[strspn(text, "0123456789.-/")] == '\0'
               ? "a range is given by networks, such as 192.0.2.0/28"
               : NULL;
}

/* What is wrong with it in particular; NULL. */
static const char *
find_hint(FilterdType type, const char *text)
{
    if (type == FILTERD_DURATION && *text != '\0'
        && text[strspn(text, "0123456789")] == '\0')
        return "give a unit, such as 30s, 30m, 30h or 30d";
    if (type == FILTERD_IP && is_long_prefix(text))
        return strchr(text, ':') != NULL ? "a prefix is at most 128"
                                         : "a prefix is at most 32";
    const char *range = type == FILTERD_IP ? literal_range_hint(text) : NULL;
    return range != NULL ? range : types[type].example;
}

void
literal_refuse_key(Compile *compile, const PolicyPlace *place, FilterdType type,
                   const char *text)
{
    const Complaint complaint = {.near = text + 1, .hint = types[type].example};

    if (type == FILTERD_DOMAIN && g_str_has_prefix(text, "*.")
        && strchr(text + 1, '*') == NULL)
        compile_complain(compile, place, &complaint, "`%s` is not %s", text,
                         types[type].phrase);
    else
        literal_refuse(compile, place, type, text);
}

void
literal_refuse(Compile *compile, const PolicyPlace *place, FilterdType type,
               const char *text)
{
    g_autofree char *near = literal_near(type, text);
    g_autofree char *several =
        type == FILTERD_DOMAIN ? find_several(text) : NULL;
    const Complaint complaint = {
        .near = near,
        .hint = several != NULL ? several : find_hint(type, text)};

    if (is_too_large(compile, type, text)) {
        compile_error(compile, place, NULL, "`%s` is too large", text);
        return;
    }
    compile_complain(compile, place, &complaint, "`%s` is not %s", text,
                     types[type].phrase);
}

gboolean
literal_guess(Compile *compile, const char *text, FilterdValue *value)
{
    static const FilterdType shapes[] = {FILTERD_BOOL, FILTERD_INT,
                                         FILTERD_DURATION, FILTERD_IP};

    for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++)
        if (literal_parse(compile, shapes[i], text, value))
            return TRUE;
    return FALSE;
}
