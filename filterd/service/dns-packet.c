/* dns-packet.c: a packet made an answer: only what the question's chain of
 * CNAMEs leads to. (RFC 1035 4.1, RFC 2308, RFC 6604)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/ip.h"
#include "filterd/service/dns-answer.h"
#include "filterd/service/dns-name.h"
#include "filterd/service/dns.h"

#include <string.h>

#define PACKET_LIMIT 65535
#define CHAIN_LIMIT 16
#define WIRE_NAME_LIMIT 255

enum {
    CLASS_IN = 1,
    TYPE_CNAME = 5,
    TYPE_SOA = 6,
    FLAG_RESPONSE = 0x8000,
    FLAG_TRUNCATED = 0x0200,
    RCODE_MASK = 0xf,
    RCODE_NXDOMAIN = 3,
};

/* Length octets and labels, lower case, with the root's zero. */
typedef struct WireName {
    uint8_t octets[WIRE_NAME_LIMIT];
    gsize length;
} WireName;

typedef struct Reader {
    const uint8_t *packet;
    gsize length;
    gsize at;
} Reader;

typedef struct Section {
    Reader start;
    unsigned count;
} Section;

typedef struct Record {
    WireName owner;
    uint16_t type, class;
    uint32_t ttl;
    gsize data; /* where its octets begin */
    gsize length;
} Record;

typedef struct Packet {
    uint16_t flags;
    WireName name;
    Section answer, authority;
} Packet;

static gboolean
read_u16(Reader *reader, uint16_t *value)
{
    if (reader->length - reader->at < 2)
        return FALSE;
    const uint8_t *octets = reader->packet + reader->at;
    *value = (uint16_t)(octets[0] << 8 | octets[1]);
    reader->at += 2;
    return TRUE;
}

static gboolean
read_u32(Reader *reader, uint32_t *value)
{
    uint16_t high, low;
    if (!read_u16(reader, &high) || !read_u16(reader, &low))
        return FALSE;
    *value = (uint32_t)high << 16 | low;
    return TRUE;
}

/* Length octet and label at `at`. */
static gboolean
append_label(const Reader *reader, gsize at, WireName *name)
{
    gsize size = 1 + (gsize)reader->packet[at];
    if (reader->length - at < size || sizeof name->octets - name->length < size)
        return FALSE;
    uint8_t *label = name->octets + name->length;
    label[0] = reader->packet[at];
    for (gsize i = 1; i < size; i++)
        label[i] = (uint8_t)g_ascii_tolower((char)reader->packet[at + i]);
    name->length += size;
    return TRUE;
}

/* A pointer must lead to before everything read so far: no loops. */
static gboolean
read_name(Reader *reader, WireName *name)
{
    gsize at = reader->at;
    gsize lowest = at;
    gsize end = 0;
    name->length = 0;
    while (at < reader->length) {
        uint8_t octet = reader->packet[at];
        if (octet >= 0xc0) {
            if (reader->length - at < 2)
                return FALSE;
            end = end != 0 ? end : at + 2;
            at = (gsize)(octet & 0x3f) << 8 | reader->packet[at + 1];
            if (at >= lowest)
                return FALSE;
            lowest = at;
            continue;
        }
        if (octet > DNS_LABEL_LIMIT || !append_label(reader, at, name))
            return FALSE;
        at += 1 + (gsize)octet;
        if (octet == 0) {
            reader->at = end != 0 ? end : at;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
name_equal(const WireName *a, const WireName *b)
{
    return a->length == b->length
           && memcmp(a->octets, b->octets, a->length) == 0;
}

/* FALSE: a label holds what our text form cannot. */
static gboolean
name_format(const WireName *name, char text[DNS_NAME_LIMIT + 1])
{
    gsize length = 0;
    for (gsize at = 0; name->octets[at] != 0; at += 1 + name->octets[at]) {
        const uint8_t *label = name->octets + at + 1;
        gsize size = name->octets[at];
        if (memchr(label, '.', size) != NULL || memchr(label, 0, size) != NULL)
            return FALSE;
        if (length > 0)
            text[length++] = '.';
        memcpy(text + length, label, size);
        length += size;
    }
    text[length] = '\0';
    return TRUE;
}

static gboolean
read_record(Reader *reader, Record *record)
{
    uint16_t length;
    if (!read_name(reader, &record->owner) || !read_u16(reader, &record->type)
        || !read_u16(reader, &record->class) || !read_u32(reader, &record->ttl)
        || !read_u16(reader, &length) || reader->length - reader->at < length)
        return FALSE;
    if (record->ttl > INT32_MAX) /* RFC 2181 8 */
        record->ttl = 0;
    record->data = reader->at;
    record->length = length;
    reader->at += length;
    return TRUE;
}

static gboolean
skip_section(Reader *reader, Section *section, uint16_t count)
{
    section->start = *reader;
    section->count = count;
    Record record;
    for (unsigned i = 0; i < count; i++)
        if (!read_record(reader, &record))
            return FALSE;
    return TRUE;
}

static gboolean
read_packet(Reader *reader, Packet *packet, FilterdDnsType type)
{
    uint16_t id, questions, answers, authorities, additionals, asked, class;
    return read_u16(reader, &id) && read_u16(reader, &packet->flags)
           && read_u16(reader, &questions) && read_u16(reader, &answers)
           && read_u16(reader, &authorities) && read_u16(reader, &additionals)
           && (packet->flags & FLAG_RESPONSE) != 0
           && (packet->flags & FLAG_TRUNCATED) == 0 && questions == 1
           && read_name(reader, &packet->name) && read_u16(reader, &asked)
           && read_u16(reader, &class) && asked == (uint16_t)type
           && class == CLASS_IN
           && skip_section(reader, &packet->answer, answers)
           && skip_section(reader, &packet->authority, authorities);
}

/* The names in the data of a record may point anywhere before in the packet,
 * but not beyond the data. */
static gboolean
read_data_name(const Reader *reader, const Record *record, gsize skip,
               WireName *name)
{
    if (record->length < skip)
        return FALSE;
    Reader data = *reader;
    data.at = record->data + skip;
    data.length = record->data + record->length;
    return read_name(&data, name);
}

static gboolean
add_address(DnsDraft *draft, const Reader *reader, const Record *record)
{
    const uint8_t *data = reader->packet + record->data;
    FilterdIp ip;
    if (record->type == FILTERD_DNS_A && record->length == 4) {
        struct in_addr v4;
        memcpy(&v4, data, sizeof v4);
        ip = ip_from_v4(v4);
    } else if (record->type == FILTERD_DNS_AAAA && record->length == 16) {
        struct in6_addr v6;
        memcpy(&v6, data, sizeof v6);
        ip = ip_from_v6(&v6);
    } else {
        return FALSE;
    }
    dns_draft_add_ip(draft, &ip);
    return TRUE;
}

static gboolean
add_name(DnsDraft *draft, const Reader *reader, const Record *record)
{
    gsize skip = record->type == FILTERD_DNS_MX ? 2 : 0;
    WireName name;
    if (!read_data_name(reader, record, skip, &name))
        return FALSE;
    Reader data = *reader;
    data.at = record->data;
    uint16_t preference = 0;
    if (skip > 0 && !read_u16(&data, &preference))
        return FALSE;
    char text[DNS_NAME_LIMIT + 1];
    if (name_format(&name, text))
        dns_draft_add_name(draft, preference, text);
    return TRUE;
}

static gboolean
add_text(DnsDraft *draft, const Reader *reader, const Record *record)
{
    const uint8_t *data = reader->packet + record->data;
    g_autoptr(GByteArray) text = g_byte_array_new();
    for (gsize at = 0; at < record->length;) {
        gsize size = data[at++];
        if (record->length - at < size)
            return FALSE;
        g_byte_array_append(text, data + at, size);
        at += size;
    }
    dns_draft_add_text(draft, text->data, text->len);
    return TRUE;
}

static const struct {
    FilterdDnsType type;
    gboolean (*add)(DnsDraft *draft, const Reader *reader,
                    const Record *record);
} kinds[] = {
    {FILTERD_DNS_A, add_address}, {FILTERD_DNS_AAAA, add_address},
    {FILTERD_DNS_MX, add_name},   {FILTERD_DNS_PTR, add_name},
    {FILTERD_DNS_TXT, add_text},
};

static gboolean
add_record(DnsDraft *draft, const Reader *reader, const Record *record)
{
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].type == draft->type)
            return kinds[i].add(draft, reader, record);
    return FALSE;
}

/* The first record of that type of `owner` (NULL: of anybody). */
static gboolean
find_record(const Section *section, const WireName *owner, uint16_t type,
            Record *record)
{
    Reader reader = section->start;
    for (unsigned i = 0; i < section->count && read_record(&reader, record);
         i++)
        if (record->type == type && record->class == CLASS_IN
            && (owner == NULL || name_equal(&record->owner, owner)))
            return TRUE;
    return FALSE;
}

/* Makes `name` the name at the end of the chain. */
static gboolean
follow_chain(const Section *section, WireName *name, uint32_t *ttl)
{
    Record record;
    for (int hops = 0; find_record(section, name, TYPE_CNAME, &record);
         hops++) {
        if (hops == CHAIN_LIMIT
            || !read_data_name(&section->start, &record, 0, name))
            return FALSE;
        *ttl = MIN(*ttl, record.ttl);
    }
    return TRUE;
}

/* RFC 2308 5; without a SOA it may not be kept. */
static uint32_t
negative_ttl(const Section *authority)
{
    Record record;
    uint32_t minimum;
    if (!find_record(authority, NULL, TYPE_SOA, &record) || record.length < 22)
        return 0;
    Reader reader = authority->start;
    reader.at = record.data + record.length - sizeof minimum;
    if (!read_u32(&reader, &minimum))
        return 0;
    return MIN(record.ttl, minimum);
}

static gboolean
collect(const Section *section, const WireName *name, DnsDraft *draft,
        uint32_t *ttl)
{
    Reader reader = section->start;
    Record record;
    for (unsigned i = 0; i < section->count && read_record(&reader, &record);
         i++) {
        if (record.type != (uint16_t)draft->type || record.class != CLASS_IN
            || !name_equal(&record.owner, name))
            continue;
        if (!add_record(draft, &section->start, &record))
            return FALSE;
        *ttl = MIN(*ttl, record.ttl);
    }
    return TRUE;
}

static DnsAnswer *
packet_answer(const Packet *packet, FilterdDnsType type)
{
    g_auto(DnsDraft) draft;
    dns_draft_init(&draft, type);
    WireName name = packet->name;
    uint32_t ttl = UINT32_MAX;
    uint32_t negative = negative_ttl(&packet->authority);
    unsigned rcode = packet->flags & RCODE_MASK;
    if ((rcode != 0 && rcode != RCODE_NXDOMAIN)
        || !follow_chain(&packet->answer, &name, &ttl)
        || !collect(&packet->answer, &name, &draft, &ttl))
        return dns_answer_new(FILTERD_DNS_SERVFAIL, 0);
    if (rcode == RCODE_NXDOMAIN)
        return dns_answer_new(FILTERD_DNS_NXDOMAIN, MIN(ttl, negative));
    if (draft.records->len == 0)
        ttl = MIN(ttl, negative);
    return dns_draft_finish(&draft, ttl);
}

FilterdDnsAnswer *
dns_answer_parse(const uint8_t *bytes, gsize length, FilterdDnsType type)
{
    Reader reader = {.packet = bytes, .length = length};
    Packet packet;
    if (length > PACKET_LIMIT || !read_packet(&reader, &packet, type))
        return &dns_answer_new(FILTERD_DNS_SERVFAIL, 0)->answer;
    return &packet_answer(&packet, type)->answer;
}
