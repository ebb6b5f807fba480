/* wire-command.c: fuzzes whole dialogues, to a strict backend.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The first octet says whether to normalize and into how many pieces the rest
 * is cut.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/play.h"

/* Each costs turns of the loop. */
#define PIECES 16

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    uint8_t how = length > 0 ? *bytes : 0;
    unsigned pieces = 1 + (how >> 1) % PIECES;
    const PlayInput input = {
        .bytes = (const char *)bytes + (length > 0 ? 1 : 0),
        .length = length > 0 ? length - 1 : 0,
        .piece = length / pieces + 1,
        .normalize = how & 1,
    };
    play_run(&input);
    return 0;
}
