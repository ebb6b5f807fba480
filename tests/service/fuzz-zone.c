/* fuzz-zone.c: a zone file, then a question about its first word.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/dns-master.h"
#include "tests/service/fuzz.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_malloc(size + 1);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    const FilterdFile file = {"fuzz", text, size};
    DnsZone *zone = dns_zone_new(TRUE);
    g_autoptr(GError) error = NULL;
    char key[DNS_KEY_SIZE];
    gboolean loaded = dns_master_load(&file, zone, &error);
    g_assert(loaded == (error == NULL));
    text[strcspn(text, " \t\n")] = '\0';
    if (loaded && dns_key_init(key, text, FILTERD_DNS_TXT))
        dns_answer_unref(dns_zone_find(zone, key));
    dns_zone_free(zone);
    return 0;
}
