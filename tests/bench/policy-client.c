/* policy-client.c: how many requests a second a policy service answers, and how
 * long each takes: bench-policy-client ADDRESS [CONNECTIONS [SECONDS [STATES]]]
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each connection is an smtpd of Postfix: it asks about a transaction at RCPT,
 * DATA and END-OF-MESSAGE (or as many of these as STATES says), waits for each
 * answer, and goes on with the next one.
 */
#include "filterd/base/endpoint.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_SIZE 2048
#define CONNECTIONS_LIMIT 1000

typedef struct Client {
    int fd;
    unsigned state, transaction, answered;
    int64_t asked;
} Client;

static const char *const states[] = {"RCPT", "DATA", "END-OF-MESSAGE"};

static int64_t
microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
ask(Client *client, unsigned number)
{
    char request[REQUEST_SIZE];
    int length = g_snprintf(
        request, sizeof request,
        "request=smtpd_access_policy\nprotocol_state=%s\n"
        "protocol_name=ESMTP\nclient_address=198.51.100.%u\n"
        "client_name=mail.example.org\nclient_port=%u\n"
        "reverse_client_name=mail.example.org\nserver_address=192.0.2.25\n"
        "server_port=25\nhelo_name=mail.example.org\n"
        "sender=alice@example.org\nrecipient=bob@example.com\n"
        "recipient_count=%u\nqueue_id=\ninstance=%x.%x.0\nsize=2000\n"
        "etrn_domain=\nstress=\nsasl_method=\nsasl_username=\n"
        "sasl_sender=\nccert_subject=\nccert_issuer=\n"
        "ccert_fingerprint=\nccert_pubkey_fingerprint=\n"
        "encryption_protocol=\nencryption_cipher=\n"
        "encryption_keysize=0\npolicy_context=\n\n",
        states[client->state], number % 250 + 1, 10000 + number,
        client->state > 0 ? 1 : 0, number, client->transaction);
    client->asked = microseconds();
    if (write(client->fd, request, (size_t)length) != length)
        g_error("cannot ask");
}

static void
hear(Client *client, GArray *times)
{
    char answer[REQUEST_SIZE];
    ssize_t length = read(client->fd, answer, sizeof answer - 1);
    if (length <= 0)
        g_error("closed after %u answers", client->answered);
    answer[length] = '\0';
    if (!g_str_has_prefix(answer, "action=DUNNO\n\n"))
        g_error("unexpected: %s", answer);
    int64_t took = microseconds() - client->asked;
    g_array_append_val(times, took);
    client->answered++;
}

static int
compare(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
    return one < other ? -1 : one > other;
}

static int64_t
percentile(const GArray *times, unsigned percent)
{
    return g_array_index(times, int64_t, (times->len - 1) * percent / 100);
}

static int
connect_to(const char *text)
{
    Endpoint endpoint;
    struct sockaddr_storage address;
    g_autoptr(GError) error = NULL;
    if (!endpoint_parse(text, ':', &endpoint, &error))
        g_error("%s", error->message);
    socklen_t size = endpoint_to_sockaddr(&endpoint, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, size) != 0)
        g_error("cannot connect to %s", text);
    endpoint_clear(&endpoint);
    return fd;
}

static unsigned
number(int argc, char **argv, int index, unsigned otherwise)
{
    return argc > index ? (unsigned)atoi(argv[index]) : otherwise;
}

int
main(int argc, char **argv)
{
    static Client clients[CONNECTIONS_LIMIT];
    static struct pollfd polls[CONNECTIONS_LIMIT];
    unsigned count = MIN(number(argc, argv, 2, 1), CONNECTIONS_LIMIT);
    unsigned rounds = MIN(number(argc, argv, 4, 3), G_N_ELEMENTS(states));
    if (argc < 2)
        return EXIT_FAILURE;
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(int64_t));
    for (unsigned i = 0; i < count; i++) {
        clients[i].fd = connect_to(argv[1]);
        polls[i] = (struct pollfd){.fd = clients[i].fd, .events = POLLIN};
        ask(&clients[i], i);
    }
    int64_t began = microseconds();
    int64_t end = began + (int64_t)number(argc, argv, 3, 5) * 1000000;
    while (microseconds() < end) {
        poll(polls, count, -1);
        for (unsigned i = 0; i < count; i++) {
            if (polls[i].revents == 0)
                continue;
            hear(&clients[i], times);
            clients[i].state = (clients[i].state + 1) % rounds;
            clients[i].transaction += clients[i].state == 0 ? 1 : 0;
            ask(&clients[i], i);
        }
    }
    double seconds = (double)(microseconds() - began) / 1e6;
    g_array_sort(times, compare);
    printf("%u connections: %.0f requests a second, half within %lld us, "
           "99 %% within %lld us, all within %lld us\n",
           count, times->len / seconds, (long long)percentile(times, 50),
           (long long)percentile(times, 99), (long long)percentile(times, 100));
    return EXIT_SUCCESS;
}
