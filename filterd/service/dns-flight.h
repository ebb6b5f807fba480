/* dns-flight.h: questions under way, one flight each, however many wait for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#pragma once

#include "filterd/service/dns-cache.h"
#include "filterd/service/dns-resolver.h"

/* At once; beyond it a question fails. */
#define DNS_FLIGHTS_LIMIT 8192

typedef struct DnsFlights DnsFlights;

/* Both are borrowed; a flight ends after `timeout` milliseconds. */
DnsFlights *dns_flights_new(DnsResolver *resolver, DnsCache *cache,
                            int64_t timeout);
/* Nobody may be waiting. */
void dns_flights_free(DnsFlights *flights);

/* Those without an answer. */
unsigned dns_flights_open(const DnsFlights *flights);

/* Does not wait; the answer goes to the cache. */
void dns_flights_start(DnsFlights *flights, const char *key);

/* Waits. A new reference, of TIMEOUT or CANCELLED too. */
DnsAnswer *dns_flights_wait(DnsFlights *flights, const char *key,
                            int64_t deadline);
