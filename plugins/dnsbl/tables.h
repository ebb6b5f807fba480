/* tables.h: options, facts, needs and metrics of dnsbl.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "plugins/dnsbl/dnsbl.h"

enum { DNSBL_SUSPENDED_METRIC, DNSBL_LISTED_METRIC, DNSBL_FAILED_METRIC };

extern const FilterdOption dnsbl_options[];
extern const FilterdFact dnsbl_facts[];
extern const FilterdNeed dnsbl_needs[];
extern const FilterdMethod dnsbl_methods[];
extern const FilterdMetric dnsbl_metrics[];
