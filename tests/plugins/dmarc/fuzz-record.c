/* fuzz-record.c: DMARC records from a fuzzer; as a program, from files.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dmarc/record.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
check_policy(int policy)
{
    g_assert_true(policy >= DMARC_NONE && policy <= DMARC_ABSENT);
}

/* What the store keeps is few, bounded and visible. */
static void
check_uris(const uint8_t *bytes, size_t length)
{
    g_autofree char *uris =
        dmarc_record_report_uris((const char *)bytes, length, 3);
    g_auto(GStrv) each = g_strsplit(uris != NULL ? uris : "", ",", -1);

    g_assert_cmpuint(g_strv_length(each), <=, 3);
    for (unsigned i = 0; each[i] != NULL; i++) {
        g_assert_cmpuint(strlen(each[i]), <=, DMARC_URI_LENGTH);
        for (const char *c = each[i]; *c != '\0'; c++)
            g_assert_true(g_ascii_isgraph(*c));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    DmarcRecord record;

    if (!dmarc_record_parse((const char *)bytes, length, &record))
        return 0;
    check_uris(bytes, length);
    g_assert_true(record.adkim == (record.adkim & 1));
    g_assert_true(record.aspf == (record.aspf & 1));
    g_assert_true(record.percent >= 0 && record.percent <= 100);
    DmarcRecord older = record;
    dmarc_record_restrict(&older);
    g_assert_true(older.psd == DMARC_PSD_UNDECIDED && !older.testing);
    if (!dmarc_record_settle(&record))
        return 0;
    check_policy(record.p);
    check_policy(record.sp);
    check_policy(record.np);
    g_assert_true(record.p != DMARC_ABSENT);
    return 0;
}
