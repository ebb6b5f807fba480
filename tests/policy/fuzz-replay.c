/* fuzz-replay.c: gives a fuzz target the files of the directories named.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static unsigned
replay(const char *directory)
{
    g_autoptr(GDir) files = g_dir_open(directory, 0, NULL);
    const char *name;
    unsigned count = 0;

    while (files != NULL && (name = g_dir_read_name(files)) != NULL) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        g_autofree char *bytes = NULL;
        gsize size;

        if (!g_file_get_contents(path, &bytes, &size, NULL))
            continue;
        LLVMFuzzerTestOneInput((const uint8_t *)bytes, size);
        count++;
    }
    return count;
}

int
main(int argc, char **argv)
{
    unsigned count = 0;

    for (int i = 1; i < argc; i++)
        count += replay(argv[i]);
    g_print("%u inputs replayed\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
