/* dns-master.c: zone files. (RFC 1035 5, RFC 2308 4)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/dns-master.h"

#include "filterd/base/ip.h"
#include "filterd/base/text.h"
#include "filterd/service/dns.h"

#include <arpa/inet.h>
#include <string.h>

#define STRING_LIMIT 255
#define TEXT_LIMIT 65535
#define FALLBACK_TTL 3600

typedef struct Token {
    const char *start; /* escapes still in it, quotes not */
    gsize length;
    unsigned line;
    gboolean quoted;
} Token;

typedef struct Master {
    const FilterdFile *file;
    DnsZone *zone;
    const char *at, *end;
    unsigned line;
    GArray *tokens;    /* of the entry */
    gsize next;        /* the first that is not yet used */
    gboolean indented; /* the entry: its owner is the one before */
    char origin[DNS_NAME_LIMIT + 1];
    char owner[DNS_NAME_LIMIT + 1];
    gboolean has_owner;
    uint32_t fallback_ttl;
    uint32_t ttl; /* of the record */
    GError **error;
} Master;

static gboolean
fail_at(Master *master, unsigned line, const char *message)
{
    g_set_error(master->error, DNS_ERROR, DNS_ERROR_INVALID, "%s:%u: %s",
                master->file->path, line, message);
    return FALSE;
}

/* At the token that was used last. */
static gboolean
fail(Master *master, const char *message)
{
    gsize last = master->next > 0 ? master->next - 1 : 0;
    return fail_at(master, g_array_index(master->tokens, Token, last).line,
                   message);
}

/* ---- tokens: `;` comments, quotes, parentheses ---- */

static gboolean
push_token(Master *master, const char *start, const char *end, gboolean quoted)
{
    Token token = {.start = start,
                   .length = (gsize)(end - start),
                   .line = master->line,
                   .quoted = quoted};
    if (memchr(start, '\0', token.length) != NULL)
        return fail_at(master, master->line, "a NUL octet");
    g_array_append_val(master->tokens, token);
    return TRUE;
}

static const char *
skip_escape(const Master *master, const char *c)
{
    return *c == '\\' && c + 1 < master->end && c[1] != '\n' ? c + 2 : c + 1;
}

static gboolean
read_quoted(Master *master)
{
    const char *start = ++master->at;
    const char *c = start;
    while (c < master->end && *c != '"' && *c != '\n')
        c = skip_escape(master, c);
    if (c >= master->end || *c != '"')
        return fail_at(master, master->line, "the quote is not closed");
    master->at = c + 1;
    return push_token(master, start, c, TRUE);
}

static gboolean
read_word(Master *master)
{
    const char *c = master->at;
    while (c < master->end && memchr(" \t\r\n;()\"", *c, 8) == NULL)
        c = skip_escape(master, c);
    const char *start = master->at;
    master->at = c;
    return push_token(master, start, c, FALSE);
}

static void
skip_comment(Master *master)
{
    while (master->at < master->end && *master->at != '\n')
        master->at++;
}

/* One that is neither blank nor the end of a line. */
static gboolean
read_token(Master *master, unsigned *depth)
{
    switch (*master->at) {
    case ';':
        skip_comment(master);
        return TRUE;
    case '(':
        ++*depth;
        master->at++;
        return TRUE;
    case ')':
        if (*depth == 0)
            return fail_at(master, master->line, "')' without '('");
        --*depth;
        master->at++;
        return TRUE;
    case '"':
        return read_quoted(master);
    default:
        return read_word(master);
    }
}

/* The tokens up to a line's end that is not in parentheses. */
static gboolean
read_entry(Master *master)
{
    unsigned depth = 0;
    unsigned opened = master->line;
    g_array_set_size(master->tokens, 0);
    master->next = 0;
    master->indented = memchr(" \t", *master->at, 2) != NULL;
    while (master->at < master->end && (*master->at != '\n' || depth > 0)) {
        if (*master->at == '\n')
            master->line++;
        if (memchr(" \t\r\n", *master->at, 4) != NULL)
            master->at++;
        else if (!read_token(master, &depth))
            return FALSE;
    }
    if (depth > 0)
        return fail_at(master, opened, "'(' is not closed");
    return TRUE;
}

static const Token *
next_token(Master *master)
{
    if (master->next >= master->tokens->len)
        return NULL;
    return &g_array_index(master->tokens, Token, master->next++);
}

static gboolean
next_is(Master *master, const char *word)
{
    if (master->next >= master->tokens->len)
        return FALSE;
    const Token *token = &g_array_index(master->tokens, Token, master->next);
    if (token->quoted || !text_equal_nocase(token->start, token->length, word))
        return FALSE;
    master->next++;
    return TRUE;
}

/* ---- what a token means ---- */

/* One octet, `\X` or `\DDD` undone; moves `at`. -1: a bad escape. */
static int
next_octet(const char **at, const char *end, gboolean *escaped)
{
    *escaped = **at == '\\';
    if (!*escaped)
        return (uint8_t) * (*at)++;
    const char *c = *at + 1;
    if (c >= end)
        return -1;
    *at = c + 1;
    if (!g_ascii_isdigit(*c))
        return (uint8_t)*c;
    if (end - c < 3 || !g_ascii_isdigit(c[1]) || !g_ascii_isdigit(c[2]))
        return -1;
    *at = c + 3;
    int octet = (c[0] - '0') * 100 + (c[1] - '0') * 10 + (c[2] - '0');
    return octet <= 255 ? octet : -1;
}

/* The octets of a name's token; FALSE: one cannot be in our names. */
static gboolean
unescape_name(const Token *token, GString *name)
{
    const char *at = token->start;
    const char *end = at + token->length;
    while (at < end) {
        gboolean escaped;
        int octet = next_octet(&at, end, &escaped);
        if (octet <= 0 || (escaped && octet == '.'))
            return FALSE;
        g_string_append_c(name, (char)octet);
    }
    return TRUE;
}

/* Absolute, lower case; "" is the root. */
static gboolean
parse_name(Master *master, char name[DNS_NAME_LIMIT + 1])
{
    const Token *token = next_token(master);
    if (token == NULL)
        return fail(master, "a name is missing");
    if (token->length == 1 && *token->start == '.') {
        *name = '\0';
        return TRUE;
    }
    if (token->length == 1 && *token->start == '@') {
        memmove(name, master->origin, strlen(master->origin) + 1);
        return TRUE;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    if (!unescape_name(token, text))
        return fail(master, "a name with an escape that is not supported");
    if (text->len > 0 && text->str[text->len - 1] != '.')
        g_string_append_printf(text, ".%s", master->origin);
    char key[DNS_KEY_SIZE];
    if (!dns_key_init(key, text->str, FILTERD_DNS_A))
        return fail(master, "not a name (labels of 1 to 63 octets, 253 in "
                            "all)");
    strcpy(name, dns_key_name(key));
    return TRUE;
}

static gboolean
parse_number(Master *master, int64_t limit, int64_t *number)
{
    const Token *token = next_token(master);
    if (token == NULL)
        return fail(master, "a number is missing");
    g_autofree char *text = g_strndup(token->start, token->length);
    if (!text_parse_int(text, 0, limit, number))
        return fail(master, "not a number, or too large");
    return TRUE;
}

static int64_t
unit_seconds(char unit)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
        if (units[i].unit == g_ascii_tolower(unit))
            return units[i].seconds;
    return 0;
}

/* "3600", "1h30m". */
static gboolean
parse_seconds(Master *master, uint32_t *seconds)
{
    const Token *token = next_token(master);
    if (token == NULL)
        return fail(master, "a time is missing");
    int64_t sum = 0;
    int64_t number = 0;
    gboolean digits = FALSE;
    for (gsize i = 0; i < token->length; i++) {
        char c = token->start[i];
        int64_t unit = unit_seconds(c);
        if (g_ascii_isdigit(c))
            number = number * 10 + (c - '0');
        else if (!digits || unit == 0)
            return fail(master, "not a time in seconds");
        else
            sum += number * unit;
        digits = g_ascii_isdigit(c);
        number = digits ? number : 0;
        if (number > INT32_MAX || sum + number > INT32_MAX)
            return fail(master, "a time over 68 years");
    }
    *seconds = (uint32_t)(sum + number);
    return TRUE;
}

/* ---- data ---- */

static DnsDraft *
draft_of(Master *master, FilterdDnsType type)
{
    return dns_zone_draft(master->zone, master->owner, type, master->ttl);
}

static gboolean
parse_address(Master *master, int family, void *address)
{
    const Token *token = next_token(master);
    if (token == NULL)
        return fail(master, "an address is missing");
    g_autofree char *text = g_strndup(token->start, token->length);
    if (inet_pton(family, text, address) != 1)
        return fail(master, family == AF_INET ? "not an IPv4 address"
                                              : "not an IPv6 address");
    return TRUE;
}

static gboolean
parse_a(Master *master)
{
    struct in_addr address;
    if (!parse_address(master, AF_INET, &address))
        return FALSE;
    FilterdIp ip = ip_from_v4(address);
    dns_draft_add_ip(draft_of(master, FILTERD_DNS_A), &ip);
    return TRUE;
}

static gboolean
parse_aaaa(Master *master)
{
    struct in6_addr address;
    if (!parse_address(master, AF_INET6, &address))
        return FALSE;
    FilterdIp ip = ip_from_v6(&address);
    dns_draft_add_ip(draft_of(master, FILTERD_DNS_AAAA), &ip);
    return TRUE;
}

static gboolean
parse_mx(Master *master)
{
    int64_t preference;
    char name[DNS_NAME_LIMIT + 1];
    if (!parse_number(master, UINT16_MAX, &preference)
        || !parse_name(master, name))
        return FALSE;
    dns_draft_add_name(draft_of(master, FILTERD_DNS_MX), (uint16_t)preference,
                       name);
    return TRUE;
}

static gboolean
parse_ptr(Master *master)
{
    char name[DNS_NAME_LIMIT + 1];
    if (!parse_name(master, name))
        return FALSE;
    dns_draft_add_name(draft_of(master, FILTERD_DNS_PTR), 0, name);
    return TRUE;
}

static gboolean
parse_cname(Master *master)
{
    char name[DNS_NAME_LIMIT + 1];
    if (!parse_name(master, name))
        return FALSE;
    dns_zone_add_cname(master->zone, master->owner, name);
    return TRUE;
}

static gboolean
append_string(Master *master, const Token *token, GByteArray *text)
{
    const char *at = token->start;
    const char *end = at + token->length;
    gsize length = 0;
    for (; at < end; length++) {
        gboolean escaped;
        int octet = next_octet(&at, end, &escaped);
        if (octet < 0)
            return fail(master, "an escape is \\X or \\DDD");
        g_byte_array_append(text, &(uint8_t){(uint8_t)octet}, 1);
    }
    if (length > STRING_LIMIT)
        return fail(master, "a string of over 255 octets: split it");
    if (text->len > TEXT_LIMIT)
        return fail(master, "a TXT record of over 65535 octets");
    return TRUE;
}

static gboolean
parse_txt(Master *master)
{
    g_autoptr(GByteArray) text = g_byte_array_new();
    if (master->next == master->tokens->len)
        return fail(master, "a string is missing");
    while (master->next < master->tokens->len)
        if (!append_string(master, next_token(master), text))
            return FALSE;
    dns_draft_add_text(draft_of(master, FILTERD_DNS_TXT), text->data,
                       text->len);
    return TRUE;
}

/* MNAME RNAME SERIAL REFRESH RETRY EXPIRE MINIMUM. The RNAME is a mail address
 * with escapes of its own: not looked at. */
static gboolean
parse_soa(Master *master)
{
    char name[DNS_NAME_LIMIT + 1];
    int64_t serial;
    uint32_t times[4];
    if (!parse_name(master, name))
        return FALSE;
    if (next_token(master) == NULL)
        return fail(master, "the mailbox is missing");
    if (!parse_number(master, UINT32_MAX, &serial))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(times); i++)
        if (!parse_seconds(master, &times[i]))
            return FALSE;
    dns_zone_add_soa(master->zone, master->owner, MIN(master->ttl, times[3]));
    return TRUE;
}

static gboolean
skip_data(Master *master)
{
    master->next = master->tokens->len;
    dns_zone_add_name(master->zone, master->owner);
    return TRUE;
}

static const struct {
    const char *type;
    gboolean (*parse)(Master *master);
} types[] = {
    {"A", parse_a},
    {"AAAA", parse_aaaa},
    {"CNAME", parse_cname},
    {"MX", parse_mx},
    {"PTR", parse_ptr},
    {"SOA", parse_soa},
    {"TXT", parse_txt},
    {"NS", skip_data},
    {"SPF", skip_data},
    {"SRV", skip_data},
    {"CAA", skip_data},
    {"DS", skip_data},
    {"DNSKEY", skip_data},
    {"RRSIG", skip_data},
    {"NSEC", skip_data},
    {"NSEC3", skip_data},
    {"NSEC3PARAM", skip_data},
    {"CDS", skip_data},
    {"CDNSKEY", skip_data},
    {"TLSA", skip_data},
    {"SSHFP", skip_data},
    {"NAPTR", skip_data},
    {"HINFO", skip_data},
    {"RP", skip_data},
    {"LOC", skip_data},
    {"URI", skip_data},
    {"SVCB", skip_data},
    {"HTTPS", skip_data},
    {"SMIMEA", skip_data},
    {"OPENPGPKEY", skip_data},
    {"AFSDB", skip_data},
    {"CERT", skip_data},
};

static gboolean
parse_data(Master *master)
{
    const Token *token = next_token(master);
    if (token == NULL)
        return fail(master, "the record's type is missing");
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (text_equal_nocase(token->start, token->length, types[i].type))
            return types[i].parse(master);
    if (token->length > 4 && text_equal_nocase(token->start, 4, "TYPE"))
        return skip_data(master);
    g_autofree char *message = g_strdup_printf(
        "unknown type \"%.*s\"", (int)MIN(token->length, 32), token->start);
    return fail(master, message);
}

static gboolean
parse_ttl(Master *master)
{
    if (master->next == master->tokens->len)
        return TRUE;
    const Token *token = &g_array_index(master->tokens, Token, master->next);
    if (!g_ascii_isdigit(*token->start))
        return TRUE;
    return parse_seconds(master, &master->ttl);
}

/* TTL and class stand before the type in either order, or are missing. */
static gboolean
parse_ttl_and_class(Master *master)
{
    master->ttl = master->fallback_ttl;
    if (next_is(master, "IN"))
        return parse_ttl(master);
    if (!parse_ttl(master))
        return FALSE;
    next_is(master, "IN");
    return TRUE;
}

static gboolean
parse_record(Master *master)
{
    if (!master->indented) {
        if (!parse_name(master, master->owner))
            return FALSE;
        master->has_owner = TRUE;
    }
    if (!master->has_owner)
        return fail(master, "no name before this record");
    if (!parse_ttl_and_class(master) || !parse_data(master))
        return FALSE;
    if (master->next == master->tokens->len)
        return TRUE;
    master->next++;
    return fail(master, "more than the record takes");
}

static gboolean
parse_entry(Master *master)
{
    if (next_is(master, "$ORIGIN"))
        return parse_name(master, master->origin);
    if (next_is(master, "$TTL"))
        return parse_seconds(master, &master->fallback_ttl);
    if (*g_array_index(master->tokens, Token, 0).start == '$')
        return fail(master, "only $ORIGIN and $TTL are supported");
    return parse_record(master);
}

static gboolean
parse_file(Master *master)
{
    while (master->at < master->end) {
        if (!read_entry(master))
            return FALSE;
        if (master->tokens->len > 0 && !parse_entry(master))
            return FALSE;
        master->line++;
        master->at++;
    }
    return TRUE;
}

gboolean
dns_master_load(const FilterdFile *file, DnsZone *zone, GError **error)
{
    Master master = {.file = file,
                     .zone = zone,
                     .at = file->bytes,
                     .end = file->bytes + file->length,
                     .line = 1,
                     .fallback_ttl = FALLBACK_TTL,
                     .error = error};
    master.tokens = g_array_new(FALSE, FALSE, sizeof(Token));
    gboolean loaded = parse_file(&master);
    g_array_unref(master.tokens);
    return loaded;
}
