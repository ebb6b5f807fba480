/* fuzz-record.c: DMARC records from a fuzzer; as a program, from files.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dmarc/record.h"

#include <glib.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
check_policy(int policy)
{
    g_assert_true(policy >= DMARC_NONE && policy <= DMARC_ABSENT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    DmarcRecord record;

    if (!dmarc_record_parse((const char *)bytes, length, &record))
        return 0;
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
