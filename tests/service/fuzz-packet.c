/* fuzz-packet.c: a type, then a packet, for dns_answer_parse().
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/dns.h"
#include "tests/service/fuzz.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const FilterdDnsType types[] = {FILTERD_DNS_A, FILTERD_DNS_AAAA,
                                           FILTERD_DNS_MX, FILTERD_DNS_PTR,
                                           FILTERD_DNS_TXT};
    if (size == 0)
        return 0;
    FilterdDnsAnswer *answer = dns_answer_parse(
        data + 1, size - 1, types[data[0] % G_N_ELEMENTS(types)]);
    g_assert((answer->status == FILTERD_DNS_ANSWER) == (answer->length > 0));
    for (gsize i = 0; i < answer->length; i++) {
        const FilterdDnsRecord *record = &answer->records[i];
        g_assert(record->name == NULL || strlen(record->name) <= 253);
        g_assert(record->bytes == NULL || record->bytes[record->length] == 0);
    }
    dns_answer_free(answer);
    return 0;
}
