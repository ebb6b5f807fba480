/* certificates.h: whether the certificates and keys of a configuration are
 * such, before a worker needs them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/process/bundle.h"
#include "policy/config.h"

/* FALSE: the report says which are not, and where they are named. Those that
 * clients will not like are warned of. */
gboolean certificates_check(const PolicyConfig *config, const Bundle *bundle,
                            PolicyReport *report);
