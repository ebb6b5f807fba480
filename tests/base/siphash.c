/* siphash.c: tests of base/siphash.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/siphash.h"

#include <glib.h>

/* The paper's key is 00 01 … 0f, its texts 00 01 02 … of each length. */
static void
vectors(void)
{
    static const struct {
        size_t length;
        uint64_t hash;
    } rows[] = {
        {0, 0x726fdb47dd0e0e31},  {1, 0x74f839c593dc67fd},
        {7, 0xab0200f58b01d137},  {8, 0x93f5f5799a932462},
        {15, 0xa129ca6149be45e5},
    };
    const SiphashKey key = {{0x0706050403020100, 0x0f0e0d0c0b0a0908}};
    uint8_t text[16];
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)i;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmphex(siphash(&key, text, rows[i].length), ==, rows[i].hash);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/siphash/gives-what-its-authors-say", vectors);
    return g_test_run();
}
