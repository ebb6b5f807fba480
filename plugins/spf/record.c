/* record.c: an SPF record as its terms (RFC 7208 sections 4.5, 4.6, 5, 6, 12).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/spf/record.h"
#include "plugins/spf/macro.h"

#include <arpa/inet.h>
#include <string.h>

#define VERSION "v=spf1"
#define QUALIFIERS "+-~?"
#define IP4_BITS 32
#define IP6_BITS 128
#define MAPPED_BITS 96
/* Of a term, in the text of an error. */
#define QUOTED_LIMIT 60

G_DEFINE_QUARK(spf - record - error - quark, spf_record_error)

/* Reads what stands behind a mechanism's name: "", ":…" or "/…". */
typedef bool Reader(SpfTerm *term, SpfSlice rest);

static SpfSlice
slice_from(SpfSlice slice, gsize offset)
{
    return (SpfSlice){slice.bytes + offset, slice.length - offset};
}

static bool
slice_equal(SpfSlice slice, const char *word)
{
    return slice.length == strlen(word)
           && g_ascii_strncasecmp(slice.bytes, word, slice.length) == 0;
}

/* all = "all" */
static bool
read_nothing(G_GNUC_UNUSED SpfTerm *term, SpfSlice rest)
{
    return rest.length == 0;
}

/* ":" domain-spec */
static bool
read_domain(SpfTerm *term, SpfSlice rest)
{
    if (rest.length == 0 || rest.bytes[0] != ':')
        return false;
    term->domain = slice_from(rest, 1);
    return spf_domain_spec_valid(term->domain);
}

/* [ ":" domain-spec ] */
static bool
read_optional_domain(SpfTerm *term, SpfSlice rest)
{
    return rest.length == 0 || read_domain(term, rest);
}

/* Takes `slashes` and a number off the end: "/" ("0" / %x31-39 *DIGIT), at most
 * `high`. False where such an end is not a number in bounds; without such an
 * end nothing happens. */
static bool
take_prefix(SpfSlice *rest, const char *slashes, unsigned high, uint8_t *prefix)
{
    gsize digits = 0, width = strlen(slashes);
    while (digits < rest->length
           && g_ascii_isdigit(rest->bytes[rest->length - digits - 1]))
        digits++;
    gsize taken = digits + width;
    const char *end = rest->bytes + rest->length;
    if (digits == 0 || taken > rest->length
        || memcmp(end - taken, slashes, width) != 0)
        return true;
    const char *number = end - digits;
    if (digits > 3 || (digits > 1 && *number == '0'))
        return false;
    unsigned value = 0;
    for (gsize i = 0; i < digits; i++)
        value = value * 10 + (unsigned)(number[i] - '0');
    if (value > high)
        return false;
    *prefix = (uint8_t)value;
    rest->length -= taken;
    return true;
}

/* [ ":" domain-spec ] [ dual-cidr-length ] */
static bool
read_host(SpfTerm *term, SpfSlice rest)
{
    return take_prefix(&rest, "//", IP6_BITS, &term->prefix6)
           && take_prefix(&rest, "/", IP4_BITS, &term->prefix4)
           && read_optional_domain(term, rest);
}

/* ":" and an address of that family, in text form. */
static bool
read_address(SpfSlice rest, int family, void *address)
{
    char text[INET6_ADDRSTRLEN];
    if (rest.length < 2 || rest.bytes[0] != ':' || rest.length > sizeof(text)
        || memchr(rest.bytes, '\0', rest.length) != NULL)
        return false;
    memcpy(text, rest.bytes + 1, rest.length - 1);
    text[rest.length - 1] = '\0';
    return inet_pton(family, text, address) == 1;
}

static bool
read_ip4(SpfTerm *term, SpfSlice rest)
{
    uint8_t prefix = IP4_BITS;
    if (!take_prefix(&rest, "/", IP4_BITS, &prefix)
        || !read_address(rest, AF_INET, term->network.bytes + 12))
        return false;
    memset(term->network.bytes + 10, 0xff, 2);
    term->network.prefix = (uint8_t)(MAPPED_BITS + prefix);
    return true;
}

static bool
read_ip6(SpfTerm *term, SpfSlice rest)
{
    uint8_t prefix = IP6_BITS;
    if (!take_prefix(&rest, "/", IP6_BITS, &prefix)
        || !read_address(rest, AF_INET6, term->network.bytes))
        return false;
    term->network.prefix = prefix;
    return true;
}

static const struct {
    const char *name;
    SpfMechanism mechanism;
    Reader *read;
} mechanisms[] = {
    {"all", SPF_MECHANISM_ALL, read_nothing},
    {"include", SPF_MECHANISM_INCLUDE, read_domain},
    {"a", SPF_MECHANISM_A, read_host},
    {"mx", SPF_MECHANISM_MX, read_host},
    {"ptr", SPF_MECHANISM_PTR, read_optional_domain},
    {"ip4", SPF_MECHANISM_IP4, read_ip4},
    {"ip6", SPF_MECHANISM_IP6, read_ip6},
    {"exists", SPF_MECHANISM_EXISTS, read_domain},
};

static SpfTerm
term_init(SpfMechanism mechanism, SpfSlice text)
{
    return (SpfTerm){.mechanism = mechanism,
                     .qualifier = '+',
                     .text = text,
                     .prefix4 = IP4_BITS,
                     .prefix6 = IP6_BITS};
}

/* directive = [ qualifier ] mechanism */
static bool
parse_directive(SpfRecord *record, SpfSlice text, gsize name_length)
{
    SpfTerm term = term_init(SPF_MECHANISM_ALL, text);
    SpfSlice name = {text.bytes, name_length};
    if (name.length > 0 && strchr(QUALIFIERS, name.bytes[0]) != NULL
        && name.bytes[0] != '\0') {
        term.qualifier = name.bytes[0];
        name = slice_from(name, 1);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(mechanisms); i++) {
        if (!slice_equal(name, mechanisms[i].name))
            continue;
        term.mechanism = mechanisms[i].mechanism;
        if (!mechanisms[i].read(&term, slice_from(text, name_length)))
            return false;
        g_array_append_val(record->terms, term);
        return true;
    }
    return false;
}

/* name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ) */
static bool
modifier_name_valid(SpfSlice name)
{
    for (gsize i = 0; i < name.length; i++)
        if (!g_ascii_isalnum(name.bytes[i])
            && (name.bytes[i] == '\0' || strchr("-_.", name.bytes[i]) == NULL))
            return false;
    return name.length > 0 && g_ascii_isalpha(name.bytes[0]);
}

/* modifier = redirect / explanation / unknown-modifier; the first two at most
 * once (section 6). */
static bool
parse_modifier(SpfRecord *record, SpfSlice text, gsize name_length)
{
    SpfSlice name = {text.bytes, name_length};
    SpfSlice value = slice_from(text, name_length + 1);
    if (slice_equal(name, "redirect")) {
        bool first = record->redirect.domain.bytes == NULL;
        record->redirect = term_init(SPF_MECHANISM_REDIRECT, text);
        record->redirect.domain = value;
        return first && spf_domain_spec_valid(value);
    }
    if (slice_equal(name, "exp")) {
        bool first = record->explanation.bytes == NULL;
        record->explanation = value;
        return first && spf_domain_spec_valid(value);
    }
    return modifier_name_valid(name) && spf_macro_string_valid(value, "");
}

/* Which of the two it is, the first of ":", "/" and "=" says. */
static bool
parse_term(SpfRecord *record, SpfSlice text)
{
    gsize end = 0;
    while (end < text.length && text.bytes[end] != ':' && text.bytes[end] != '/'
           && text.bytes[end] != '=')
        end++;
    if (end < text.length && text.bytes[end] == '=')
        return parse_modifier(record, text, end);
    return parse_directive(record, text, end);
}

static char *
quote(SpfSlice text)
{
    gsize length = MIN(text.length, QUOTED_LIMIT);
    char *quoted = g_strndup(text.bytes, length);
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isgraph(text.bytes[i]))
            quoted[i] = '?';
    return quoted;
}

bool
spf_record_is(SpfSlice text)
{
    gsize length = strlen(VERSION);
    return text.length >= length
           && g_ascii_strncasecmp(text.bytes, VERSION, length) == 0
           && (text.length == length || text.bytes[length] == ' ');
}

/* record = version *( 1*SP ( directive / modifier ) ) *SP */
bool
spf_record_parse(SpfSlice text, SpfRecord *record, GError **error)
{
    g_auto(SpfRecord)
        parsed = {.terms = g_array_new(FALSE, FALSE, sizeof(SpfTerm))};
    SpfSlice rest = slice_from(text, strlen(VERSION));
    while (rest.length > 0) {
        const char *space = memchr(rest.bytes, ' ', rest.length);
        gsize length = space ? (gsize)(space - rest.bytes) : rest.length;
        SpfSlice term = {rest.bytes, length};
        if (length > 0 && !parse_term(&parsed, term)) {
            g_autofree char *quoted = quote(term);
            g_set_error(error, SPF_RECORD_ERROR, SPF_RECORD_ERROR_SYNTAX,
                        "\"%s\" is no valid term", quoted);
            return false;
        }
        rest = slice_from(rest, space ? length + 1 : length);
    }
    *record = parsed;
    parsed = (SpfRecord){0};
    return true;
}

void
spf_record_clear(SpfRecord *record)
{
    g_clear_pointer(&record->terms, g_array_unref);
}
