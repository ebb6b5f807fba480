/* dns-flight.c: questions under way, one flight each, however many wait for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/service/dns-flight.h"

#include "filterd/base/fiber.h"
#include "filterd/base/loop.h"
#include "filterd/service/dns-name.h"

struct DnsFlights {
    DnsResolver *resolver;
    DnsCache *cache;
    int64_t timeout;
    GHashTable *table; /* key: Flight, those without an answer */
    GQueue ready;      /* to be asked on the loop's stack */
    GQueue asked;      /* the earliest deadline at the head */
    struct event *starter, *timer;
};

typedef struct Flight {
    DnsFlights *flights;
    GList link; /* in ready or asked */
    GQueue *queue;
    char *key;
    DnsAsked question;
    DnsAnswer *answer;
    FiberQueue fibers;
    unsigned waiters;
    unsigned references; /* table, waiters, whoever is in its code */
    int64_t deadline;
} Flight;

static void
flight_unref(Flight *flight)
{
    if (--flight->references > 0)
        return;
    g_clear_pointer(&flight->answer, dns_answer_unref);
    g_free(flight->key);
    g_free(flight);
}

static void
flight_move(Flight *flight, GQueue *queue)
{
    if (flight->queue != NULL)
        g_queue_unlink(flight->queue, &flight->link);
    if (queue != NULL)
        g_queue_push_tail_link(queue, &flight->link);
    flight->queue = queue;
}

static void
flight_land(Flight *flight, DnsAnswer *answer)
{
    DnsFlights *flights = flight->flights;
    flight->answer = dns_answer_ref(answer);
    flight_move(flight, NULL);
    g_hash_table_remove(flights->table, flight->key);
    dns_cache_put(flights->cache, flight->key, answer, flight->waiters == 0);
    fiber_queue_wake_all(&flight->fibers);
    flight_unref(flight);
}

static void
flight_fail(Flight *flight, FilterdDnsStatus status)
{
    g_autoptr(DnsAnswer) answer = dns_answer_new(status, 0);
    flight_land(flight, answer);
}

static void
resolved(DnsAnswer *answer, void *data)
{
    flight_land(data, answer);
}

static void
arm_timer(DnsFlights *flights)
{
    if (flights->asked.head == NULL)
        return;
    const Flight *first = flights->asked.head->data;
    int64_t left = MAX(first->deadline - clock_monotonic(), 1);
    struct timeval delay = {left / 1000, left % 1000 * 1000};
    event_add(flights->timer, &delay);
}

static void
end_overdue(int fd G_GNUC_UNUSED, short what G_GNUC_UNUSED, void *data)
{
    DnsFlights *flights = data;
    int64_t now = clock_monotonic();
    while (flights->asked.head != NULL) {
        Flight *flight = flights->asked.head->data;
        if (flight->deadline > now)
            break;
        dns_resolver_cancel(flights->resolver, &flight->question);
        flight_fail(flight, FILTERD_DNS_TIMEOUT);
    }
    arm_timer(flights);
}

static void
flight_ask(Flight *flight)
{
    DnsFlights *flights = flight->flights;
    flight->references++;
    flight->deadline = clock_after(flights->timeout);
    flight_move(flight, &flights->asked);
    if (!dns_resolver_ask(flights->resolver, flight->key, &flight->question)
        && flight->answer == NULL)
        flight_fail(flight, FILTERD_DNS_SERVFAIL);
    flight_unref(flight);
}

static void
ask_ready(int fd G_GNUC_UNUSED, short what G_GNUC_UNUSED, void *data)
{
    DnsFlights *flights = data;
    while (flights->ready.head != NULL)
        flight_ask(flights->ready.head->data);
    if (!event_pending(flights->timer, EV_TIMEOUT, NULL))
        arm_timer(flights);
}

DnsFlights *
dns_flights_new(DnsResolver *resolver, DnsCache *cache, int64_t timeout)
{
    DnsFlights *flights = g_new0(DnsFlights, 1);
    flights->resolver = resolver;
    flights->cache = cache;
    flights->timeout = timeout;
    flights->table = g_hash_table_new(dns_key_hash, g_str_equal);
    flights->starter = event_new(loop_base(), -1, 0, ask_ready, flights);
    flights->timer = event_new(loop_base(), -1, 0, end_overdue, flights);
    return flights;
}

static void
drop_all(DnsFlights *flights)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, flights->table);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Flight *flight = value;
        g_assert(flight->waiters == 0);
        if (flight->queue == &flights->asked)
            dns_resolver_cancel(flights->resolver, &flight->question);
        flight_unref(flight);
    }
}

void
dns_flights_free(DnsFlights *flights)
{
    if (flights == NULL)
        return;
    drop_all(flights);
    g_hash_table_unref(flights->table);
    event_free(flights->starter);
    event_free(flights->timer);
    g_free(flights);
}

unsigned
dns_flights_open(const DnsFlights *flights)
{
    return g_hash_table_size(flights->table);
}

/* libunbound is called from the loop's own stack: in a fiber or in one of its
 * callbacks we only take note. */
static Flight *
flight_new(DnsFlights *flights, const char *key)
{
    Flight *flight = g_new0(Flight, 1);
    flight->flights = flights;
    flight->link.data = flight;
    flight->key = g_strdup(key);
    flight->references = 1;
    flight->question.resolved = resolved;
    flight->question.data = flight;
    g_hash_table_insert(flights->table, flight->key, flight);
    flight_move(flight, &flights->ready);
    event_active(flights->starter, EV_TIMEOUT, 0);
    return flight;
}

/* NULL: too many. */
static Flight *
find_or_start(DnsFlights *flights, const char *key)
{
    Flight *flight = g_hash_table_lookup(flights->table, key);
    if (flight != NULL)
        return flight;
    if (g_hash_table_size(flights->table) >= DNS_FLIGHTS_LIMIT)
        return NULL;
    return flight_new(flights, key);
}

void
dns_flights_start(DnsFlights *flights, const char *key)
{
    find_or_start(flights, key);
}

DnsAnswer *
dns_flights_wait(DnsFlights *flights, const char *key, int64_t deadline)
{
    Flight *flight = find_or_start(flights, key);
    if (flight == NULL)
        return dns_answer_new(FILTERD_DNS_SERVFAIL, 0);
    flight->references++;
    flight->waiters++;
    FiberWake wake = FIBER_WOKEN;
    while (flight->answer == NULL && wake == FIBER_WOKEN)
        wake = fiber_queue_wait(&flight->fibers, deadline);
    flight->waiters--;
    DnsAnswer *answer;
    if (wake == FIBER_CANCELLED)
        answer = dns_answer_new(FILTERD_DNS_CANCELLED, 0);
    else if (flight->answer != NULL)
        answer = dns_answer_ref(flight->answer);
    else
        answer = dns_answer_new(FILTERD_DNS_TIMEOUT, 0);
    flight_unref(flight);
    return answer;
}
