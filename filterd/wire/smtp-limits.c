/* smtp-limits.c: how much of the machine a client may take up.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/clock.h"
#include "filterd/base/fiber.h"
#include "filterd/base/log.h"
#include "filterd/base/metrics.h"
#include "filterd/wire/smtp-state.h"

#include <string.h>

/* With so many of the sessions that there may be, per cent, time is short. */
#define STRESS 90
/* What is then left of command-timeout, and of a message's first minute; how
 * often those who wait look; milliseconds. */
#define STRESS_TIMEOUT 10000
/* A client that is waited for so long does without a backend meanwhile. */
#define LEND_TIME 5000
/* Before min-data-rate counts. */
#define RATE_GRACE 60000
/* Between two lines about one address. */
#define TELL_PAUSE 60000

/* ---- who may come in ---------------------------------------------------- */

typedef struct Limit {
    const char *name;
    size_t setting; /* of PolicySettings */
    const char *text;
} Limit;

#define SETTING(field) offsetof(PolicySettings, field)

/* In the order of what measure() finds. */
static const Limit limits[] = {
    {"max-sessions-per-address", SETTING(max_sessions_per_address),
     "too many sessions from your address"},
    {"max-sessions-per-network", SETTING(max_sessions_per_network),
     "too many sessions from your network"},
    {"max-connections-per-minute", SETTING(max_connections_per_minute),
     "too many connections from your address"},
    {"max-errors-per-address", SETTING(max_errors_per_address),
     "too many errors from your address"},
    {"max-unknown-recipients", SETTING(max_unknown_recipients),
     "too many unknown recipients from your address"},
};

static void
measure(SmtpServer *server, int64_t found[G_N_ELEMENTS(limits)])
{
    VisitorCounts network;
    visitors_count(server->network_seat, &network);
    visitors_count(server->address_seat, &server->visitor);
    found[0] = server->visitor.sessions;
    found[1] = network.sessions;
    found[2] = server->visitor.recent[VISITOR_CONNECTION];
    found[3] = server->visitor.recent[VISITOR_ERROR];
    found[4] = server->visitor.recent[VISITOR_UNKNOWN];
}

static void
tell(const SmtpServer *server, const Limit *limit, const FilterdIp *ip,
     int64_t count)
{
    LogLine line;
    char text[IP_TEXT_SIZE];
    unsigned seat =
        server->address_seat != 0 ? server->address_seat : server->network_seat;
    if (!visitors_tell(seat, TELL_PAUSE))
        return;
    log_begin(&line, FILTERD_LOG_INFO, "limited");
    log_text(&line, "client", ip_format(ip, text));
    log_text(&line, "limit", limit->name);
    log_int(&line, "count", count);
    log_end(&line);
}

/* A client that expects TLS at once would not understand. */
static void
refuse(SmtpServer *server, const Limit *limit)
{
    g_autofree char *text = g_strconcat(limit->text, "; try again later", NULL);
    metrics_add(METRIC_LIMITED, 1);
    if (server->service->listen->tls != POLICY_TLS_IMPLICIT)
        smtp_reply(server, 421, "4.7.0", text);
    smtp_flush(server);
}

static gboolean
within(SmtpServer *server, const FilterdIp *ip)
{
    int64_t found[G_N_ELEMENTS(limits)];
    measure(server, found);
    for (unsigned i = 0; i < G_N_ELEMENTS(limits); i++) {
        const char *settings = (const char *)server->settings;
        int64_t most = *(const int64_t *)(settings + limits[i].setting);
        if (most == 0 || found[i] <= most)
            continue;
        tell(server, &limits[i], ip, found[i]);
        refuse(server, &limits[i]);
        return FALSE;
    }
    return TRUE;
}

static gboolean
is_loopback(const FilterdIp *ip)
{
    static const uint8_t v6[16] = {[15] = 1};
    return ip_is_v4(ip) ? ip->bytes[12] == 127
                        : memcmp(ip->bytes, v6, sizeof v6) == 0;
}

static gboolean
exempt(const SmtpServer *server, const FilterdIp *ip)
{
    const PolicyListen *listen = server->service->listen;
    return is_loopback(ip) || ip_within(&listen->proxy_from, ip)
           || ip_within(&listen->xclient_from, ip)
           || ip_within(&listen->xforward_from, ip);
}

gboolean
smtp_admit(SmtpServer *server, const FilterdIp *ip)
{
    gboolean v4 = ip_is_v4(ip);
    FilterdIp address = ip_mask(ip, v4 ? 32 : 64);
    FilterdIp network = ip_mask(ip, v4 ? 24 : 48);
    smtp_part(server);
    server->address_seat = visitors_enter(&address);
    server->network_seat = visitors_enter(&network);
    visitors_note(server->address_seat, VISITOR_CONNECTION);
    if (!exempt(server, ip))
        return within(server, ip);
    visitors_count(server->address_seat, &server->visitor);
    return TRUE;
}

void
smtp_part(SmtpServer *server)
{
    visitors_leave(server->address_seat);
    visitors_leave(server->network_seat);
    server->address_seat = server->network_seat = 0;
}

/* ---- how long it may take ----------------------------------------------- */

static gboolean
stressed(const SmtpServer *server)
{
    return metrics_sum(METRIC_SESSIONS) * 100
           >= server->settings->max_sessions * STRESS;
}

int64_t
smtp_deadline(const SmtpServer *server)
{
    int64_t timeout = server->service->listen->command_timeout;
    return server->began
           + (stressed(server) ? MIN(timeout, STRESS_TIMEOUT) : timeout);
}

/* Where somebody authenticates the connection is theirs. */
static gboolean
lends(const SmtpServer *server)
{
    return server->client != NULL && !server->bound;
}

static void
lend_after(SmtpServer *server, int64_t deadline)
{
    if (lends(server) && clock_monotonic() >= deadline)
        smtp_backend_lend(server);
}

StreamStatus
smtp_fill(SmtpServer *server)
{
    StreamStatus status;
    int64_t deadline, lend = server->began + LEND_TIME;
    do {
        lend_after(server, lend);
        deadline = smtp_deadline(server);
        stream_set_deadline(
            server->stream,
            MIN(deadline, lends(server) ? lend : clock_after(STRESS_TIMEOUT)));
        status = stream_fill(server->stream);
    } while (status == STREAM_TIMEOUT
             && clock_monotonic() < smtp_deadline(server));
    stream_set_deadline(server->stream, deadline);
    return status;
}

/* What is left of the time that so many octets may take. */
static int64_t
time_left(const SmtpServer *server, const SmtpPace *pace)
{
    int64_t rate = server->settings->min_data_rate;
    int64_t grace = stressed(server) ? STRESS_TIMEOUT : RATE_GRACE;
    if (rate == 0)
        return CLOCK_NEVER / 2;
    return grace + (int64_t)pace->octets * 1000 / rate - pace->waited;
}

StreamStatus
smtp_fill_message(SmtpServer *server, SmtpPace *pace)
{
    StreamStatus status;
    int64_t deadline;
    do {
        int64_t began = clock_monotonic();
        int64_t lend = began + LEND_TIME - pace->waited;
        lend_after(server, lend);
        deadline = MIN(pace->deadline, began + time_left(server, pace));
        stream_set_deadline(server->stream,
                            MIN(deadline, lends(server) ? lend : deadline));
        status = stream_fill(server->stream);
        pace->waited += clock_monotonic() - began;
    } while (status == STREAM_TIMEOUT && clock_monotonic() < deadline);
    return status;
}

void
smtp_delay(SmtpServer *server, int64_t delay)
{
    int64_t deadline = clock_after(delay);
    if (delay == 0 || stressed(server))
        return;
    smtp_flush(server);
    server->connection->waits = TRUE;
    while (!server->closing && !server->service->draining
           && fiber_wait(deadline) == FIBER_WOKEN)
        continue;
    server->connection->waits = FALSE;
    stream_set_deadline(server->stream, clock_after(STRESS_TIMEOUT));
}
