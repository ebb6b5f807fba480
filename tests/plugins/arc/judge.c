/* judge.c: what the plugin says of messages, to be compared with verifiers of
 * other people: judge-arc FILE ... writes a line for each.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdio.h>

#include "tests/plugins/arc/fixture.h"

int
main(int argc, char **argv)
{
    g_test_init(&(int){1}, &(char **){argv}, NULL);
    g_autoptr(Harness) harness = fixture_harness(&fixture_config);
    for (int i = 1; i < argc; i++) {
        g_autofree char *text = NULL;
        if (!g_file_get_contents(argv[i], &text, NULL, NULL))
            return 1;
        harness_message(harness, text, 1000);
        printf("%s ", harness_fact(harness, "result"));
        printf("%s\n", harness_fact(harness, "problem"));
        harness_reset(harness);
    }
    return 0;
}
