/* dns-answer.c: an answer as it is kept: immutable, in one piece, counted.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/dns-answer.h"

#include "filterd/service/dns.h"

#include <string.h>

typedef struct DraftRecord {
    FilterdDnsRecord record;
    gsize offset; /* of its name or bytes among the draft's octets */
} DraftRecord;

DnsAnswer *
dns_answer_ref(DnsAnswer *answer)
{
    answer->references++;
    return answer;
}

void
dns_answer_unref(DnsAnswer *answer)
{
    if (--answer->references == 0)
        g_free(answer);
}

void
dns_answer_free(FilterdDnsAnswer *answer)
{
    if (answer != NULL)
        dns_answer_unref((DnsAnswer *)answer);
}

static DnsAnswer *
answer_allocate(gsize size)
{
    DnsAnswer *answer = g_malloc0(size);
    answer->references = 1;
    answer->size = size;
    return answer;
}

DnsAnswer *
dns_answer_new(FilterdDnsStatus status, uint32_t ttl)
{
    DnsAnswer *answer = answer_allocate(sizeof *answer);
    answer->answer.status = status;
    answer->answer.ttl = ttl;
    return answer;
}

void
dns_draft_init(DnsDraft *draft, FilterdDnsType type)
{
    draft->type = type;
    draft->records = g_array_new(FALSE, FALSE, sizeof(DraftRecord));
    draft->octets = g_byte_array_new();
}

void
dns_draft_clear(DnsDraft *draft)
{
    g_clear_pointer(&draft->records, g_array_unref);
    g_clear_pointer(&draft->octets, g_byte_array_unref);
}

static void
draft_add(DnsDraft *draft, const FilterdDnsRecord *record, const void *bytes)
{
    static const uint8_t nul = 0;
    if (draft->records->len >= DNS_RECORDS_LIMIT)
        return;
    DraftRecord row = {.record = *record, .offset = draft->octets->len};
    g_array_append_val(draft->records, row);
    if (record->length > 0)
        g_byte_array_append(draft->octets, bytes, record->length);
    g_byte_array_append(draft->octets, &nul, 1);
}

void
dns_draft_add_ip(DnsDraft *draft, const FilterdIp *ip)
{
    draft_add(draft, &(FilterdDnsRecord){.ip = *ip}, NULL);
}

void
dns_draft_add_name(DnsDraft *draft, uint16_t preference, const char *name)
{
    FilterdDnsRecord record = {.preference = preference,
                               .length = strlen(name)};
    draft_add(draft, &record, name);
}

void
dns_draft_add_text(DnsDraft *draft, const void *bytes, gsize length)
{
    draft_add(draft, &(FilterdDnsRecord){.length = length}, bytes);
}

/* Records point into the octets that follow them. */
static FilterdDnsRecord
place_record(const DraftRecord *row, FilterdDnsType type, const char *octets)
{
    FilterdDnsRecord record = row->record;
    if (type == FILTERD_DNS_TXT) {
        record.bytes = octets + row->offset;
    } else if (type == FILTERD_DNS_MX || type == FILTERD_DNS_PTR) {
        record.name = octets + row->offset;
        record.length = 0;
    }
    return record;
}

DnsAnswer *
dns_draft_finish(const DnsDraft *draft, uint32_t ttl)
{
    gsize length = draft->records->len;
    if (length == 0)
        return dns_answer_new(FILTERD_DNS_NODATA, ttl);
    gsize head = sizeof(DnsAnswer) + length * sizeof(FilterdDnsRecord);
    DnsAnswer *answer = answer_allocate(head + draft->octets->len);
    char *octets = (char *)answer + head;
    memcpy(octets, draft->octets->data, draft->octets->len);
    FilterdDnsRecord *records = (FilterdDnsRecord *)(answer + 1);
    for (gsize i = 0; i < length; i++)
        records[i] =
            place_record(&g_array_index(draft->records, DraftRecord, i),
                         draft->type, octets);
    answer->answer.status = FILTERD_DNS_ANSWER;
    answer->answer.ttl = ttl;
    answer->answer.length = length;
    answer->answer.records = records;
    return answer;
}
