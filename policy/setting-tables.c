/* setting-tables.c: the options of `set`, `listen`, `backend`, `dns` and
 * `store`, with what holds without them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/setting-tables.h"

#include "policy/config.h"

#define MILLISECOND INT64_C(1)
#define SECOND (1000 * MILLISECOND)
#define DAY (86400 * SECOND)
#define GIGABYTE (INT64_C(1) << 30)
#define MEGABYTE (INT64_C(1) << 20)

/* A row of a table, its value at `field` of the struct. */
#define ROW(Struct, word, kind, field, otherwise, about, ...)          \
    {                                                                  \
        .name = word, .type = kind, .offset = offsetof(Struct, field), \
        .fallback = otherwise, .doc = about, __VA_ARGS__               \
    }
#define SET(...) ROW(PolicySettings, __VA_ARGS__)
#define LISTEN(...) ROW(PolicyListen, __VA_ARGS__)
#define BACKEND(...) ROW(PolicyBackend, __VA_ARGS__)
#define DNS(...) ROW(PolicyDns, __VA_ARGS__)
#define STORE(...) ROW(PolicyStore, __VA_ARGS__)
#define REDIS(...) ROW(PolicyStore, __VA_ARGS__)
#define USE(...) ROW(PolicyUseOptions, __VA_ARGS__)
/* In the order of PolicyExtension. */
#define EXTENSIONS                                                           \
    "8BITMIME", "SMTPUTF8", "DSN", "MT-PRIORITY", "DELIVERBY", "REQUIRETLS", \
        "BINARYMIME", "CHUNKING"
#define WORDS(...)                 \
    .words = (const char *const[]) \
    {                              \
        __VA_ARGS__, NULL          \
    }
#define WITHIN(least, most) .low = (least), .high = (most)
#define MANY .flags = FILTERD_MANY

const FilterdOption setting_set[] = {
    SET("hostname", FILTERD_DOMAIN, hostname, NULL,
        "the name in the greeting and in Received; the system's unless set"),
    SET("authserv-id", FILTERD_TEXT, authserv_id, NULL,
        "the name in Authentication-Results; the hostname unless set"),
    SET("user", FILTERD_TEXT, user, NULL, "whom workers run as"),
    SET("group", FILTERD_TEXT, group, NULL, "the group workers run as"),
    SET("workers", FILTERD_INT, workers, "0",
        "how many processes; 0: one for each CPU", WITHIN(0, 1024)),
    SET("state-directory", FILTERD_TEXT, state_directory, "/var/lib/filterd",
        "where the store, the spool and the control socket are"),
    SET("max-message-size", FILTERD_INT, max_message_size, "50M",
        "octets; what is larger gets 552 5.3.4", WITHIN(1024, 16 * GIGABYTE)),
    SET("drain-timeout", FILTERD_DURATION, drain_timeout, "10m",
        "what sessions get to end after a reload", WITHIN(0, 7 * DAY)),
    SET("max-sessions", FILTERD_INT, max_sessions, "10000",
        "of the machine, over all listeners", WITHIN(1, 1000000)),
    SET("max-recipients", FILTERD_INT, max_recipients, "1000",
        "of one transaction; then 452 4.5.3", WITHIN(1, 100000)),
    SET("max-errors", FILTERD_INT, max_errors, "20",
        "of one session; then 421 4.7.0", WITHIN(1, 10000)),
    SET("max-sessions-per-address", FILTERD_INT, max_sessions_per_address, "0",
        "at a time, of an IPv4 address or an IPv6 /64; 0: any number",
        WITHIN(0, 1000000)),
    SET("max-sessions-per-network", FILTERD_INT, max_sessions_per_network, "0",
        "at a time, of an IPv4 /24 or an IPv6 /48; 0: any number",
        WITHIN(0, 1000000)),
    SET("max-connections-per-minute", FILTERD_INT, max_connections_per_minute,
        "0", "of an address; 0: any number", WITHIN(0, 1000000)),
    SET("max-errors-per-address", FILTERD_INT, max_errors_per_address, "200",
        "of the protocol, in ten minutes; 0: any number", WITHIN(0, 1000000)),
    SET("max-unknown-recipients", FILTERD_INT, max_unknown_recipients, "100",
        "of an address, in ten minutes; 0: any number", WITHIN(0, 1000000)),
    SET("min-data-rate", FILTERD_INT, min_data_rate, "500",
        "octets a second of a message, on average; 0: any",
        WITHIN(0, 1000000000)),
    SET("log", FILTERD_WORD, log, "text", "the form of log lines",
        WORDS("text", "json")),
    SET("decision-log", FILTERD_TEXT, decision_log, "on",
        "where each decision is kept with what it rests on: on, off or a file "
        "of the state directory"),
    SET("decision-log-size", FILTERD_INT, decision_log_size, "64M",
        "octets, then it is put aside; 0: never", WITHIN(0, 1024 * GIGABYTE)),
    SET("decision-log-files", FILTERD_INT, decision_log_files, "8",
        "that were put aside and are kept", WITHIN(1, 10000)),
    SET("authentication-results", FILTERD_BOOL, authentication_results, "on",
        "whether delivered mail gets the header field of RFC 8601"),
    SET("quarantine", FILTERD_WORD, quarantine, "mark",
        "deliver with X-Filterd-Quarantine, or keep here",
        WORDS("mark", "spool")),
    SET("quarantine-size", FILTERD_INT, quarantine_size, "1G",
        "octets that are kept here; over it 452 4.3.1",
        WITHIN(1 << 20, 1024 * 1024 * GIGABYTE)),
    SET("quarantine-lifetime", FILTERD_DURATION, quarantine_lifetime, "30d",
        "of what is kept here; 0: as long as nobody removes it",
        WITHIN(0, 3650 * DAY)),
    SET("line-endings", FILTERD_WORD, line_endings, "reject",
        "what becomes of a bare CR or LF in a message",
        WORDS("reject", "normalize")),
    SET("mixed-replies", FILTERD_WORD, mixed_replies, "split",
        "recipients with different verdicts in front of LMTP",
        WORDS("split", "defer")),
    {0},
};

const FilterdOption setting_listen[] = {
    LISTEN("tls", FILTERD_WORD, tls, "off", "whether and when clients use TLS",
           WORDS("off", "opportunistic", "required", "implicit")),
    LISTEN("certificate", FILTERD_FILE, certificate, NULL,
           "PEM: the certificate and those above it; several go by the name "
           "that the client asks for",
           MANY),
    LISTEN("key", FILTERD_FILE, key, NULL,
           "PEM: the key of each certificate, in the same order", MANY),
    LISTEN("client-certificates", FILTERD_BOOL, client_certificates, "off",
           "whether clients are asked for theirs"),
    LISTEN("client-ca", FILTERD_FILE, client_ca, NULL,
           "PEM: who signs those that are client.tls.verified"),
    LISTEN("proxy-from", FILTERD_IP, proxy_from, NULL,
           "who has to begin with PROXY v1 or v2", MANY),
    LISTEN("xclient-from", FILTERD_IP, xclient_from, NULL,
           "who may use XCLIENT", MANY),
    LISTEN("xforward-from", FILTERD_IP, xforward_from, NULL,
           "who may use XFORWARD", MANY),
    LISTEN("auth", FILTERD_WORD, auth, "encrypted",
           "whether clients may authenticate to the backend",
           WORDS("off", "encrypted", "clear")),
    LISTEN("without", FILTERD_WORD, without, NULL,
           "extensions that are not offered", WORDS(EXTENSIONS), MANY),
    LISTEN("pass-through", FILTERD_WORD, pass_through, NULL,
           "verbs that the backend answers",
           WORDS("VRFY", "EXPN", "ETRN", "HELP"), MANY),
    LISTEN("greeting-delay", FILTERD_DURATION, greeting_delay, "0",
           "before the greeting; who talks earlier is client.early-talker",
           WITHIN(0, 60 * SECOND)),
    LISTEN("command-timeout", FILTERD_DURATION, command_timeout, "5m",
           "for one command", WITHIN(MILLISECOND, DAY)),
    LISTEN("data-timeout", FILTERD_DURATION, data_timeout, "10m",
           "for a whole message", WITHIN(MILLISECOND, DAY)),
    LISTEN("max-sessions", FILTERD_INT, max_sessions, "0",
           "of this listener; 0: as many as the machine may have",
           WITHIN(0, 1000000)),
    LISTEN("mode", FILTERD_TEXT, mode, NULL,
           "octal: who may connect to a unix socket; 0660 unless set"),
    LISTEN("owner", FILTERD_TEXT, owner, NULL,
           "the user whose a unix socket is"),
    LISTEN("group", FILTERD_TEXT, group, NULL,
           "the group whose a unix socket is"),
    {0},
};

const FilterdOption setting_backend[] = {
    BACKEND("identity", FILTERD_WORD, identity, "none",
            "how the backend is told who the client is",
            WORDS("none", "xclient", "xforward", "proxy-v1", "proxy-v2")),
    BACKEND("tls", FILTERD_WORD, tls, "off", "TLS towards the backend",
            WORDS("off", "opportunistic", "required", "verified")),
    BACKEND("ca", FILTERD_FILE, ca, NULL,
            "PEM: who signs its certificate; the system's authorities unless "
            "set"),
    BACKEND("name", FILTERD_TEXT, name, NULL,
            "the host that its certificate is for; its address unless set"),
    BACKEND("priority", FILTERD_INT, priority, "0",
            "backends of the lowest number are used first", WITHIN(0, 65535)),
    BACKEND("weight", FILTERD_INT, weight, "1",
            "the share among backends of one priority", WITHIN(0, 65535)),
    BACKEND("max-connections", FILTERD_INT, max_connections, "100",
            "of the machine, to this backend", WITHIN(1, 100000)),
    BACKEND("connect-timeout", FILTERD_DURATION, connect_timeout, "10s",
            "until it is connected", WITHIN(MILLISECOND, DAY)),
    BACKEND("command-timeout", FILTERD_DURATION, command_timeout, "60s",
            "for one command and its reply", WITHIN(MILLISECOND, DAY)),
    BACKEND("data-timeout", FILTERD_DURATION, data_timeout, "10m",
            "for the message and its reply", WITHIN(MILLISECOND, DAY)),
    BACKEND("health-interval", FILTERD_DURATION, health_interval, "10s",
            "how often at least it is looked at while it is down; 0: never",
            WITHIN(0, DAY)),
    BACKEND("without", FILTERD_WORD, without, NULL,
            "extensions that are not used, though it offers them",
            WORDS(EXTENSIONS, "PIPELINING"), MANY),
    BACKEND("slow-start", FILTERD_DURATION, slow_start, "0",
            "until it has its whole weight after it came back", WITHIN(0, DAY)),
    BACKEND("source", FILTERD_TEXT, source, "own",
            "where connections come from: own, client or an address"),
    {0},
};

const FilterdOption setting_dns[] = {
    DNS("resolver", FILTERD_TEXT, resolver, "system",
        "system, recursive or ADDRESS@PORT", MANY),
    DNS("zone", FILTERD_FILE, zone, NULL,
        "local data, in the format of master files", MANY),
    DNS("trust-anchor", FILTERD_FILE, trust_anchor, NULL,
        "of DNSSEC, as unbound-anchor writes it", MANY),
    DNS("timeout", FILTERD_DURATION, timeout, "5s", "of one lookup",
        WITHIN(MILLISECOND, 600 * SECOND)),
    DNS("budget", FILTERD_DURATION, budget, "20s",
        "of all lookups of one transaction", WITHIN(MILLISECOND, DAY)),
    {0},
};

const FilterdOption setting_store[] = {
    STORE("max-entries", FILTERD_INT, max_entries, "1000000",
          "of one plugin; of more, those that end first are forgotten",
          WITHIN(1000, 1000000000)),
    {0},
};

/* No `tls opportunistic`: whoever listens would be told the password. */
const FilterdOption setting_redis[] = {
    REDIS("node", FILTERD_TEXT, node, NULL,
          "more addresses, of the same cluster or of replicas", MANY),
    REDIS("user", FILTERD_TEXT, user, NULL, "of its ACL"),
    REDIS("password", FILTERD_FILE, password, NULL,
          "a file with the password in its only line"),
    REDIS("database", FILTERD_INT, database, "0", "its number",
          WITHIN(0, 65535)),
    REDIS("timeout", FILTERD_DURATION, timeout, "1s",
          "of one operation, connecting included",
          WITHIN(MILLISECOND, 60 * SECOND)),
    REDIS("prefix", FILTERD_TEXT, prefix, "filterd:", "that all keys have"),
    REDIS("tls", FILTERD_WORD, tls, "off", "TLS towards the server",
          WORDS("off", "required", "verified")),
    REDIS("ca", FILTERD_FILE, ca, NULL,
          "PEM: who signs its certificate; the system's authorities unless "
          "set"),
    REDIS("name", FILTERD_TEXT, name, NULL,
          "the host that its certificate is for; its address unless set"),
    {0},
};

const FilterdOption setting_use[] = {
    USE("isolation", FILTERD_WORD, isolation, "none",
        "whether its hooks run in a process of their own",
        WORDS("none", "process")),
    USE("isolation-lost", FILTERD_WORD, isolation_lost, "tempfail",
        "what mail is told whose rules ask for its facts while that process is "
        "not there",
        WORDS("tempfail", "unknown")),
    USE("isolation-memory", FILTERD_INT, isolation_memory, "256M",
        "what that process may take more than it has at its start",
        WITHIN(16 * MEGABYTE, 64 * GIGABYTE)),
    {0},
};
