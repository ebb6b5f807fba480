/* fault.c: errors of the host that tell which place of the configuration they
 * are about.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/host/fault.h"

#include <string.h>

typedef struct FaultPrivate {
    PolicyPlace place;
    char *hint;
} FaultPrivate;

GQuark fault_quark(void);

static void
fault_private_init(FaultPrivate *fault)
{
    *fault = (FaultPrivate){0};
}

static void
fault_private_copy(const FaultPrivate *from, FaultPrivate *to)
{
    *to = (FaultPrivate){from->place, g_strdup(from->hint)};
}

static void
fault_private_clear(FaultPrivate *fault)
{
    g_free(fault->hint);
}

G_DEFINE_EXTENDED_ERROR(Fault, fault)

void
fault_set(GError **error, const char *instance, const PolicyPlace *place,
          const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "\n", 2);
    if (error == NULL)
        return;
    *error = g_error_new(fault_quark(), 0, "plugin “%s”: %s", instance,
                         parts[0] != NULL ? parts[0] : "");
    FaultPrivate *fault = fault_get_private(*error);
    fault->place = *place;
    fault->hint = parts[0] != NULL ? g_strdup(parts[1]) : NULL;
}

const PolicyPlace *
fault_place(const GError *error, const char **hint)
{
    if (error->domain != fault_quark())
        return NULL;
    const FaultPrivate *fault = fault_get_private(error);
    *hint = fault->hint;
    return &fault->place;
}
