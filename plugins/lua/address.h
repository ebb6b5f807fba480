/* address.h: addresses and networks as text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>

#define ADDRESS_TEXT 64

/* "192.0.2.1", "2001:db8::/32". False: it is neither, or has bits behind its
 * prefix. */
bool address_parse(const char *text, FilterdIp *ip);
void address_format(const FilterdIp *ip, char text[ADDRESS_TEXT]);
bool address_within(const FilterdIp *ip, const FilterdIp *network);
