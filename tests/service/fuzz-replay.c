/* fuzz-replay.c: a fuzz target on files, without libFuzzer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/service/fuzz.h"

#include <glib.h>

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        g_autofree char *bytes = NULL;
        g_autoptr(GError) error = NULL;
        gsize length;
        if (!g_file_get_contents(argv[i], &bytes, &length, &error))
            g_error("%s", error->message);
        LLVMFuzzerTestOneInput((const uint8_t *)bytes, length);
    }
    return 0;
}
