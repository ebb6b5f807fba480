/* code.h: which codes of a list count: what stands behind its name.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

/* From `low` to `high`; with `bits`, those that have one of them set. */
typedef struct Code {
    uint32_t low, high, bits;
} Code;

/* code = ADDRESS [ "/" LENGTH | "-" ( ADDRESS | OCTET ) | "&" OCTET ] .
 *
 *   127.0.0.2             127.0.0.0/24
 *   127.0.0.2-127.0.0.11  127.0.0.2-11
 *   127.0.0.0&6           of 127.0.0.0/24, where bit 2 or 4 is set
 *
 * false: it is none, or all of it is an error by code_is_error(). */
bool code_parse(const char *text, Code *code);
bool code_has(const Code *code, uint32_t address);

/* Errors whatever a list says of them: outside of 127.0.0.0/8, 127.0.0.1,
 * 127.255.255.0/24. */
bool code_is_error(uint32_t address);
/* false: it is no IPv4 address. */
bool code_address(const FilterdIp *ip, uint32_t *address);
