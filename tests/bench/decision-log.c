/* decision-log.c: what a line of the decision log costs the worker that has
 * decided. Give it a release build and a configuration, whose checks are asked
 * about one message:
 *
 *   bench-decision-log filterd.conf
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The lines go where the configuration says; the thread that writes them is not
 * counted.
 */
#include "filterd/base/fiber.h"
#include "filterd/base/log.h"
#include "filterd/base/loop.h"
#include "filterd/base/metrics.h"
#include "filterd/process/configuration.h"
#include "filterd/service/dns.h"
#include "filterd/service/offload.h"
#include "filterd/session/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINES 40000
/* Between two turns of the writer. */
#define BATCH 20

typedef struct Bench {
    const PolicyConfig *config;
} Bench;

static int64_t
processor_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
say_field(Session *session, const char *text)
{
    FilterdField field;
    if (mail_field_next(text, strlen(text), &field) > 0)
        session_field(session, &field);
}

/* Up to the end of the message. */
static void
play(Session *session)
{
    MailAddress from = {0}, to = {0};
    MailReply taken = {.code = 250};
    mail_address_take("news@shop.example", MAIL_REVERSE_PATH, &from);
    mail_address_take("alice@example.com", MAIL_FORWARD_PATH, &to);
    session_connect(session);
    session_helo(session, "mail.shop.example", "ESMTP");
    session_mail(session, &from, 0);
    session_rcpt(session, &to);
    session_rcpt_answered(session, TRUE, &taken);
    session_data(session);
    say_field(session, "From: Shop <news@shop.example>\r\n");
    say_field(session, "Message-ID: <1@shop.example>\r\n");
    session_header_end(session);
    session_body(session, "Hello.\r\n", 8);
    session_message(session);
    mail_address_clear(&from);
    mail_address_clear(&to);
}

static void
measure(Session *session)
{
    int64_t spent = 0;
    MailReply reply = {0};
    mail_reply_set(&reply, 250, "2.0.0", "queued as 4ZxYkq0Z1Bz9rxM");
    const SessionEntry entry = {.event = "accepted", .reply = &reply};
    for (unsigned i = 0; i < LINES / BATCH; i++) {
        int64_t began = processor_time();
        for (unsigned j = 0; j < BATCH; j++)
            session_record(session, &entry);
        spent += processor_time() - began;
        fiber_sleep(1);
    }
    printf("%.1f us a line\n", (double)spent / LINES / 1000);
    mail_reply_clear(&reply);
}

static void
run(void *data)
{
    const Bench *bench = data;
    const EngineOptions options = {.private_store = TRUE, .records = TRUE};
    g_autoptr(GError) error = NULL;
    Engine *engine = engine_new(bench->config, &options, &error);
    if (engine == NULL) {
        fprintf(stderr, "%s\n", error->message);
        exit(EXIT_FAILURE);
    }
    SessionPeer peer = {.wire = "smtp"};
    ip_parse("198.51.100.9", &peer.ip);
    Session *session = session_new(engine, &peer);
    play(session);
    measure(session);
    session_free(session);
    engine_free(engine);
    printf("%" G_GINT64_FORMAT " written, %" G_GINT64_FORMAT " lost\n",
           metrics_sum(METRIC_DECISIONS_LOGGED),
           metrics_sum(METRIC_DECISIONS_LOST));
    loop_stop();
}

int
main(int argc, char **argv)
{
    PolicyReport report;
    g_autoptr(Bundle) bundle = bundle_new();
    policy_report_init(&report);
    g_autoptr(PolicyConfig) config =
        argc == 2 ? configuration_compile(bundle, argv[1], TRUE, &report)
                  : NULL;
    if (config == NULL) {
        fputs("usage: bench-decision-log CONFIGURATION\n", stderr);
        return EXIT_FAILURE;
    }
    Bench bench = {config};
    log_setup(LOG_TEXT, FILTERD_LOG_WARNING);
    loop_init();
    offload_init(1);
    configuration_start_dns(&config->dns, TRUE, NULL);
    fiber_detach(fiber_start("bench", run, &bench));
    loop_run();
    dns_clear();
    offload_clear();
    fiber_pool_clear();
    loop_clear();
    policy_report_clear(&report);
    return EXIT_SUCCESS;
}
