/* fuzz-spamd.c: whatever spamd answers, or who is taken for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/plugins/spamd/fuzz-answer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    Answer answer = answer_parse_spamd((const char *)bytes, length);

    check_answer(&answer, (const char *)bytes, length);
    answer_clear(&answer);
    return 0;
}
