/* dns-master.c: zone files. (RFC 1035 5, RFC 2308 4)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/dns-master.h"

#include "filterd/base/ip.h"
#include "filterd/base/text.h"
#include "filterd/service/dns-words.h"
#include "filterd/service/dns.h"

#include <arpa/inet.h>
#include <string.h>

#define STRING_LIMIT 255
#define TEXT_LIMIT 65535
#define FALLBACK_TTL 3600

typedef struct Master {
    DnsWords words;
    DnsZone *zone;
    char origin[DNS_NAME_LIMIT + 1];
    char owner[DNS_NAME_LIMIT + 1];
    gboolean has_owner;
    uint32_t fallback_ttl;
    uint32_t ttl; /* of the record */
} Master;

static gboolean
fail(Master *master, const char *message)
{
    return dns_words_fail(&master->words, message);
}

/* The octets of a name's word; FALSE: one cannot be in our names. */
static gboolean
unescape_name(const DnsWord *word, GString *name)
{
    const char *at = word->start;
    const char *end = at + word->length;
    while (at < end) {
        gboolean escaped;
        int octet = dns_word_octet(&at, end, &escaped);
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
    const DnsWord *word = dns_words_next(&master->words);
    if (word == NULL)
        return fail(master, "a name is missing");
    if (word->length == 1 && *word->start == '.') {
        *name = '\0';
        return TRUE;
    }
    if (word->length == 1 && *word->start == '@') {
        memmove(name, master->origin, strlen(master->origin) + 1);
        return TRUE;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    if (!unescape_name(word, text))
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

static DnsDraft *
draft_of(Master *master, FilterdDnsType type)
{
    return dns_zone_draft(master->zone, master->owner, type, master->ttl);
}

static gboolean
parse_address(Master *master, int family, void *address)
{
    const DnsWord *word = dns_words_next(&master->words);
    if (word == NULL)
        return fail(master, "an address is missing");
    g_autofree char *text = g_strndup(word->start, word->length);
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
    if (!dns_words_number(&master->words, UINT16_MAX, &preference)
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
append_string(Master *master, const DnsWord *word, GByteArray *text)
{
    const char *at = word->start;
    const char *end = at + word->length;
    gsize length = 0;
    for (; at < end; length++) {
        gboolean escaped;
        int octet = dns_word_octet(&at, end, &escaped);
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
    const DnsWord *word = dns_words_next(&master->words);
    if (word == NULL)
        return fail(master, "a string is missing");
    for (; word != NULL; word = dns_words_next(&master->words))
        if (!append_string(master, word, text))
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
    if (dns_words_next(&master->words) == NULL)
        return fail(master, "the mailbox is missing");
    if (!dns_words_number(&master->words, UINT32_MAX, &serial))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(times); i++)
        if (!dns_words_seconds(&master->words, &times[i]))
            return FALSE;
    dns_zone_add_soa(master->zone, master->owner, MIN(master->ttl, times[3]));
    return TRUE;
}

static gboolean
skip_data(Master *master)
{
    while (dns_words_next(&master->words) != NULL)
        continue;
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
    const DnsWord *word = dns_words_next(&master->words);
    if (word == NULL)
        return fail(master, "the record's type is missing");
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (text_equal_nocase(word->start, word->length, types[i].type))
            return types[i].parse(master);
    if (word->length > 4 && text_equal_nocase(word->start, 4, "TYPE"))
        return skip_data(master);
    g_autofree char *message = g_strdup_printf(
        "unknown type \"%.*s\"", (int)MIN(word->length, 32), word->start);
    return fail(master, message);
}

static gboolean
parse_ttl(Master *master)
{
    const DnsWord *word = dns_words_peek(&master->words);
    if (word == NULL || !g_ascii_isdigit(*word->start))
        return TRUE;
    return dns_words_seconds(&master->words, &master->ttl);
}

/* TTL and class stand before the type in either order, or are missing. */
static gboolean
parse_ttl_and_class(Master *master)
{
    master->ttl = master->fallback_ttl;
    if (dns_words_next_is(&master->words, "IN"))
        return parse_ttl(master);
    if (!parse_ttl(master))
        return FALSE;
    dns_words_next_is(&master->words, "IN");
    return TRUE;
}

static gboolean
parse_record(Master *master)
{
    if (!master->words.indented) {
        if (!parse_name(master, master->owner))
            return FALSE;
        master->has_owner = TRUE;
    }
    if (!master->has_owner)
        return fail(master, "no name before this record");
    return parse_ttl_and_class(master) && parse_data(master);
}

static gboolean
parse_entry(Master *master)
{
    if (dns_words_next_is(&master->words, "$ORIGIN"))
        return parse_name(master, master->origin);
    if (dns_words_next_is(&master->words, "$TTL"))
        return dns_words_seconds(&master->words, &master->fallback_ttl);
    if (*dns_words_peek(&master->words)->start == '$')
        return fail(master, "only $ORIGIN and $TTL are supported");
    return parse_record(master);
}

static gboolean
parse_file(Master *master)
{
    while (!dns_words_ended(&master->words)) {
        if (!dns_words_read(&master->words))
            return FALSE;
        if (dns_words_peek(&master->words) != NULL && !parse_entry(master))
            return FALSE;
        if (dns_words_next(&master->words) != NULL)
            return fail(master, "more than belongs there");
    }
    return TRUE;
}

gboolean
dns_master_load(const FilterdFile *file, DnsZone *zone, GError **error)
{
    Master master = {.zone = zone, .fallback_ttl = FALLBACK_TTL};
    dns_words_init(&master.words, file, error);
    gboolean loaded = parse_file(&master);
    dns_words_clear(&master.words);
    return loaded;
}
