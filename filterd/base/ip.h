/* ip.h: addresses and networks (RFC 4291, RFC 4632).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include <filterd/plugin.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* INET6_ADDRSTRLEN and a prefix. */
#define IP_TEXT_SIZE 56

/* "192.0.2.1", "2001:db8::1", IPv4-mapped ones; no zone, no prefix. */
gboolean ip_parse(const char *text, FilterdIp *ip);
/* The same, or with "/24". Host bits are cleared. */
gboolean ip_parse_network(const char *text, FilterdIp *ip);
/* Whether it is a network with such. */
gboolean ip_has_host_bits(const char *text);

/* IPv4 as IPv4, with a prefix (of 32 or 128) unless it is a single address.
 * Returns `text`, of IP_TEXT_SIZE octets. */
const char *ip_format(const FilterdIp *ip, char *text);

gboolean ip_is_v4(const FilterdIp *ip);
gboolean ip_equal(const FilterdIp *a, const FilterdIp *b);
int ip_compare(const FilterdIp *a, const FilterdIp *b);
/* An IPv6 network, ::/0 too, contains no IPv4 address. */
gboolean ip_contains(const FilterdIp *network, const FilterdIp *ip);
/* Whether any of them, FilterdIp each, contains it. */
gboolean ip_within(const FilterdArray *networks, const FilterdIp *ip);
/* Its network of that many bits (of 32 for IPv4, of 128 otherwise). */
FilterdIp ip_mask(const FilterdIp *ip, unsigned bits);

/* "4.3.2.1" or 32 nibbles, and `suffix` behind a dot if it is not NULL: the
 * name to ask a DNSBL or, with "in-addr.arpa" and "ip6.arpa", the PTR for. */
char *ip_reverse_name(const FilterdIp *ip, const char *suffix);
char *ip_ptr_name(const FilterdIp *ip);

FilterdIp ip_from_v4(struct in_addr address);
FilterdIp ip_from_v6(const struct in6_addr *address);
