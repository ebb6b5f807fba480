/* fuzz-main.c: gives each file named to the fuzz target, without a fuzzer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <glib.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        g_autofree char *bytes = NULL;
        g_autoptr(GError) error = NULL;
        gsize length = 0;

        if (!g_file_get_contents(argv[i], &bytes, &length, &error))
            g_error("%s", error->message);
        LLVMFuzzerTestOneInput((const uint8_t *)bytes, length);
    }
    return 0;
}
