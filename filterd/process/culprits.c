/* culprits.c: which plugins have ended how many processes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/culprits.h"

#include "filterd/base/clock.h"
#include "filterd/base/log.h"
#include "filterd/process/board.h"

#include <string.h>

/* More than misbehave at a time; the one that is quiet longest goes first. */
#define CULPRITS 16

typedef struct Culprit {
    char plugin[BOARD_TEXT];
    unsigned losses;
    int64_t first, last;
} Culprit;

static Culprit culprits[CULPRITS];

static Culprit *
find(const char *plugin)
{
    Culprit *quiet = &culprits[0];
    for (unsigned i = 0; i < CULPRITS; i++) {
        if (strcmp(culprits[i].plugin, plugin) == 0)
            return &culprits[i];
        if (culprits[i].last < quiet->last)
            quiet = &culprits[i];
    }
    *quiet = (Culprit){0};
    g_strlcpy(quiet->plugin, plugin, sizeof quiet->plugin);
    return quiet;
}

static void
advise(const Culprit *culprit)
{
    LogLine line;
    log_begin(&line, FILTERD_LOG_WARNING, "plugin");
    log_text(&line, "plugin", culprit->plugin);
    log_int(&line, "workers-lost", culprit->losses);
    log_text(&line, "text",
             "it ends one worker after the other, with all their sessions; "
             "with `isolation process` in its block it would end itself alone");
    log_end(&line);
}

void
culprits_note(const char *plugin)
{
    Culprit *culprit = find(plugin);
    culprit->last = clock_monotonic();
    if (culprit->losses == 0
        || culprit->last > culprit->first + CULPRIT_WINDOW) {
        culprit->losses = 0;
        culprit->first = culprit->last;
    }
    culprit->losses++;
    if (culprit->losses % CULPRIT_LOSSES == 0)
        advise(culprit);
}
