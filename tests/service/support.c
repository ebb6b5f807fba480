/* support.c: a loop and fibers for tests of what waits.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/service/support.h"

#include "filterd/base/ip.h"
#include "filterd/base/loop.h"

#include <glib/gstdio.h>

void
support_run(FiberRun run, void *data)
{
    support_run_many(run, &data, 1);
}

void
support_run_many(FiberRun run, void *const *data, unsigned count)
{
    g_autofree Fiber **fibers = g_new(Fiber *, count);
    for (unsigned i = 0; i < count; i++)
        fibers[i] = fiber_start("test", run, data[i]);
    for (unsigned i = 0; i < count; i++) {
        while (!fiber_ended(fibers[i]))
            loop_turn(TRUE);
        fiber_join(fibers[i]);
    }
}

char *
support_directory_new(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = g_dir_make_tmp("filterd-test-XXXXXX", &error);
    g_assert_no_error(error);
    return directory;
}

void
support_directory_free(char *directory)
{
    GDir *entries = g_dir_open(directory, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(entries)) != NULL) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        g_unlink(path);
    }
    g_dir_close(entries);
    g_rmdir(directory);
    g_free(directory);
}

static const char *const statuses[] = {
    [FILTERD_DNS_ANSWER] = "answer",
    [FILTERD_DNS_NODATA] = "no data",
    [FILTERD_DNS_NXDOMAIN] = "no such name",
    [FILTERD_DNS_SERVFAIL] = "servfail",
    [FILTERD_DNS_TIMEOUT] = "timeout",
    [FILTERD_DNS_BOGUS] = "bogus",
    [FILTERD_DNS_BADNAME] = "bad name",
    [FILTERD_DNS_CANCELLED] = "cancelled",
};

char *
support_answer_format(const FilterdDnsAnswer *answer)
{
    GString *text = g_string_new(statuses[answer->status]);
    for (gsize i = 0; i < answer->length; i++) {
        const FilterdDnsRecord *record = &answer->records[i];
        char ip[IP_TEXT_SIZE];
        if (record->bytes != NULL)
            g_string_append_printf(text, " '%s'", record->bytes);
        else if (record->name != NULL)
            g_string_append_printf(text, " %u %s", record->preference,
                                   record->name);
        else
            g_string_append_printf(text, " %s", ip_format(&record->ip, ip));
    }
    return g_string_free(text, FALSE);
}
