/* literal-near.c: values as others write them: 5min, 10MB, 192.0.2., TRUE.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/literal.h"

#include "filterd/base/ip.h"

#include <string.h>

#define DIGITS 15
#define WEEK 7

typedef struct Unit {
    const char *written, *unit;
    int64_t factor;
} Unit;

static const Unit durations[] = {
    {"ms", "ms", 1},     {"msec", "ms", 1}, {"millisecond", "ms", 1},
    {"s", "s", 1},       {"sec", "s", 1},   {"second", "s", 1},
    {"m", "m", 1},       {"min", "m", 1},   {"minute", "m", 1},
    {"h", "h", 1},       {"hr", "h", 1},    {"hour", "h", 1},
    {"d", "d", 1},       {"day", "d", 1},   {"w", "d", WEEK},
    {"week", "d", WEEK}, {"wk", "d", WEEK},
};

static const Unit sizes[] = {
    {"b", "", 1},   {"byte", "", 1}, {"octet", "", 1},     {"k", "k", 1},
    {"kb", "k", 1}, {"kib", "k", 1}, {"kilobyte", "k", 1}, {"m", "M", 1},
    {"mb", "M", 1}, {"mib", "M", 1}, {"megabyte", "M", 1}, {"g", "G", 1},
    {"gb", "G", 1}, {"gib", "G", 1}, {"gigabyte", "G", 1},
};

/* The unit behind the number, in the singular. */
static char *
near_unit(const char *text, const Unit *units, gsize count)
{
    gsize digits = strspn(text, "0123456789");
    g_autofree char *unit = g_ascii_strdown(text + digits, -1);
    gsize length = strlen(unit);

    if (digits == 0 || digits > DIGITS)
        return NULL;
    for (gsize i = 0; i < count; i++) {
        gsize own = strlen(units[i].written);
        gboolean plural = length == own + 1 && unit[own] == 's' && own > 1;

        if (strncmp(unit, units[i].written, own) == 0
            && (length == own || plural))
            return g_strdup_printf("%" G_GINT64_FORMAT "%s",
                                   g_ascii_strtoll(text, NULL, 10)
                                       * units[i].factor,
                                   units[i].unit);
    }
    return NULL;
}

static char *
near_duration(const char *text)
{
    return near_unit(text, durations, G_N_ELEMENTS(durations));
}

static char *
near_size(const char *text)
{
    return near_unit(text, sizes, G_N_ELEMENTS(sizes));
}

static char *
near_bool(const char *text)
{
    static const struct {
        const char *written, *meant;
    } words[] = {
        {"yes", "yes"},     {"no", "no"},        {"true", "true"},
        {"false", "false"}, {"on", "on"},        {"off", "off"},
        {"1", "yes"},       {"0", "no"},         {"y", "yes"},
        {"n", "no"},        {"enable", "on"},    {"enabled", "on"},
        {"disable", "off"}, {"disabled", "off"}, {"none", "off"},
        {"always", "on"},   {"never", "off"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(words[i].written, text) == 0)
            return g_strdup(words[i].meant);
    return NULL;
}

/* How many octets of an IPv4 address stand before `.`, `.*` or the end. */
static unsigned
count_octets(const char *text, gsize *length)
{
    unsigned octets = 0;
    const char *at = text;

    while (g_ascii_isdigit(*at)) {
        at += strspn(at, "0123456789");
        octets++;
        *length = (gsize)(at - text);
        if (*at != '.')
            break;
        at++;
    }
    while (*at == '*' || *at == '.')
        at++;
    return *at == '\0' ? octets : 0;
}

/* "192.0.2.", "192.0.2.*", "192.0.2.1:25", "192.0.2.0/255.255.255.0". */
static char *
near_ip(const char *text)
{
    const char *rest = text + strspn(text, "0123456789.");
    gsize length = 0;
    unsigned octets = count_octets(text, &length);
    FilterdIp mask, ip;

    if (octets > 0 && octets < 4 && strchr(text, '.') != NULL)
        return g_strdup_printf("%.*s%s/%u", (int)length, text,
                               &".0.0.0"[2 * (octets - 1)], 8 * octets);
    g_autofree char *address = g_strndup(text, (gsize)(rest - text));
    if (rest == text || !ip_parse(address, &ip))
        return NULL;
    if (*rest == ':')
        return g_steal_pointer(&address);
    if (*rest != '/' || !ip_parse(rest + 1, &mask))
        return NULL;
    unsigned bits = 0;
    for (unsigned i = 12; i < sizeof(mask.bytes); i++)
        bits += (unsigned)__builtin_popcount(mask.bytes[i]);
    return g_strdup_printf("%s/%u", address, bits);
}

static char *
near_domain(const char *text)
{
    const char *scheme = strstr(text, "://");

    if (*text == '@')
        return g_strdup(text + 1);
    if (scheme == NULL)
        return NULL;
    return g_strndup(scheme + 3, strcspn(scheme + 3, "/:"));
}

char *
literal_near(FilterdType type, const char *text)
{
    static char *(*const nears[])(const char *text) = {
        [FILTERD_BOOL] = near_bool,
        [FILTERD_INT] = near_size,
        [FILTERD_DURATION] = near_duration,
        [FILTERD_DOMAIN] = near_domain,
        [FILTERD_IP] = near_ip,
    };

    if ((gsize)type >= G_N_ELEMENTS(nears) || nears[type] == NULL)
        return NULL;
    return nears[type](text);
}
