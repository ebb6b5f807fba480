/* guess.c: which word was probably meant: words of other mail servers, other
 * filters and other languages.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/compile.h"

#include "filterd/base/text.h"

#include <string.h>

/* One word may be several, each among other words. */
static const struct {
    const char *written, *meant;
} others[] = {
    /* verdicts and prefixes */
    {"deny", "reject"},
    {"block", "reject"},
    {"refuse", "reject"},
    {"denied", "reject"},
    {"bounce", "reject"},
    {"fail", "reject"},
    {"drop", "reject"},
    {"blackhole", "discard"},
    {"trash", "discard"},
    {"defer", "tempfail"},
    {"deferred", "tempfail"},
    {"defer_if_permit", "tempfail"},
    {"temperror", "tempfail"},
    {"soft-reject", "tempfail"},
    {"delay", "tempfail"},
    {"retry", "tempfail"},
    {"allow", "accept"},
    {"permit", "accept"},
    {"ok", "accept"},
    {"whitelist", "accept"},
    {"welcome", "accept"},
    {"dunno", "pass"},
    {"next", "pass"},
    {"continue", "pass"},
    {"return", "pass"},
    {"skip", "pass"},
    {"hold", "quarantine"},
    {"junk", "quarantine"},
    {"close", "disconnect"},
    {"hangup", "disconnect"},
    {"kick", "disconnect"},
    {"warn", "would"},
    {"warn_if_reject", "would"},
    {"shadow", "would"},
    {"dry-run", "would"},
    {"log", "would"},
    {"points", "score"},
    {"weight", "score"},
    {"add", "score"},
    {"modify", "rewrite"},
    {"prepend", "rewrite"},
    {"action", "rewrite"},
    {"sample", "canary"},
    {"percent", "canary"},
    {"expires", "until"},
    /* statements */
    {"plugin", "use"},
    {"load", "use"},
    {"loadmodule", "use"},
    {"module", "use"},
    {"require", "use"},
    {"import", "include"},
    {"define", "let"},
    {"var", "let"},
    {"const", "let"},
    {"option", "set"},
    {"setting", "set"},
    {"server", "listen"},
    {"bind", "listen"},
    {"socket", "listen"},
    {"listener", "listen"},
    {"upstream", "backend"},
    {"relayhost", "backend"},
    {"relay", "backend"},
    {"forward", "backend"},
    {"resolver", "dns"},
    {"nameserver", "dns"},
    {"database", "store"},
    {"storage", "store"},
    {"table", "map"},
    {"set-of", "list"},
    {"array", "list"},
    {"acl", "at"},
    {"on", "at"},
    {"stage", "at"},
    {"when", "at"},
    /* stages */
    {"connection", "connect"},
    {"client", "connect"},
    {"ehlo", "helo"},
    {"greeting", "helo"},
    {"hello", "helo"},
    {"from", "mail"},
    {"sender", "mail"},
    {"mailfrom", "mail"},
    {"envelope", "mail"},
    {"recipient", "rcpt"},
    {"recipients", "rcpt"},
    {"to", "rcpt"},
    {"rcptto", "rcpt"},
    {"body", "message"},
    {"eom", "message"},
    {"eod", "message"},
    {"end-of-message", "message"},
    {"end-of-data", "message"},
    {"content", "message"},
    {"headers", "message"},
    {"header", "message"},
    /* types */
    {"cidr", "ip"},
    {"network", "ip"},
    {"networks", "ip"},
    {"subnet", "ip"},
    {"host", "domain"},
    {"hostname", "domain"},
    {"email", "address"},
    {"mail", "address"},
    {"string", "text"},
    {"str", "text"},
    {"number", "int"},
    {"integer", "int"},
    {"time", "duration"},
    {"regex", "pattern"},
    {"regexp", "pattern"},
    {"pcre", "pattern"},
    /* facts */
    {"client_address", "client.ip"},
    {"client-ip", "client.ip"},
    {"client.address", "client.ip"},
    {"remote_addr", "client.ip"},
    {"remote.ip", "client.ip"},
    {"ip", "client.ip"},
    {"client", "client.ip"},
    {"client_name", "client.name"},
    {"client.hostname", "client.name"},
    {"client.host", "client.name"},
    {"reverse_client_name", "client.name"},
    {"client.rdns", "client.name"},
    {"client.ptr", "client.name"},
    {"rdns", "client.name"},
    {"ptr", "client.name"},
    {"helo", "helo.name"},
    {"ehlo", "helo.name"},
    {"helo_name", "helo.name"},
    {"sender", "mail.from"},
    {"envelope.from", "mail.from"},
    {"mailfrom", "mail.from"},
    {"sender.domain", "mail.domain"},
    {"sender_domain", "mail.domain"},
    {"mail.from.domain", "mail.domain"},
    {"recipient", "rcpt.to"},
    {"rcpt", "rcpt.to"},
    {"to", "rcpt.to"},
    {"envelope.to", "rcpt.to"},
    {"recipient.domain", "rcpt.domain"},
    {"rcpt.to.domain", "rcpt.domain"},
    {"user", "auth.user"},
    {"username", "auth.user"},
    {"sasl_username", "auth.user"},
    {"authenticated", "auth.user"},
    {"size", "message.size"},
    {"from", "header.from.address"},
    {"header.from", "header.from.address"},
    {"message-id", "message.id"},
    {"sender_host_address", "client.ip"},
    {"sender_host_name", "client.name"},
    {"sender_helo_name", "helo.name"},
    {"sender_address", "mail.from"},
    {"sender_address_domain", "mail.domain"},
    {"sender_address_local_part", "mail.local"},
    {"local_part", "rcpt.local"},
    {"domain", "rcpt.domain"},
    {"authenticated_id", "auth.user"},
    {"message_size", "message.size"},
    {"queue-id", "mta.queue-id"},
    /* actions */
    {"prepend-header", "add-header"},
    {"insert-header", "add-header"},
    {"set-header", "change-header"},
    {"replace-header", "change-header"},
    {"delete-header", "remove-header"},
    {"set-from", "set-sender"},
    {"change-sender", "set-sender"},
    {"bcc", "add-recipient"},
    {"redirect", "add-recipient"},
    {"delete-recipient", "remove-recipient"},
    /* settings and options */
    {"myhostname", "hostname"},
    {"servername", "hostname"},
    {"name", "hostname"},
    {"message_size_limit", "max-message-size"},
    {"max-size", "max-message-size"},
    {"sizelimit", "max-message-size"},
    {"smtpd_recipient_limit", "max-recipients"},
    {"authservid", "authserv-id"},
    {"default_process_limit", "workers"},
    {"processes", "workers"},
    {"threads", "workers"},
    {"statedir", "state-directory"},
    {"data_directory", "state-directory"},
    {"cert", "certificate"},
    {"crt", "certificate"},
    {"pem", "certificate"},
    {"smtpd_tls_cert_file", "certificate"},
    {"smtpd_tls_key_file", "key"},
    {"private-key", "key"},
    {"privkey", "key"},
    {"cafile", "ca"},
    {"server", "resolver"},
    {"nameserver", "resolver"},
    {"haproxy", "proxy-from"},
    {"trust", "xclient-from"},
    {"on", "opportunistic"},
    {"yes", "opportunistic"},
    {"no", "off"},
    /* words of options */
    {"starttls", "opportunistic"},
    {"may", "opportunistic"},
    {"encrypt", "required"},
    {"mandatory", "required"},
    {"smtps", "implicit"},
    {"verify", "verified"},
    {"secure", "verified"},
    {"sqlite3", "sqlite"},
    {"valkey", "redis"},
    {"ram", "memory"},
    {"esmtp", "smtp"},
    {"submission", "smtp"},
    {"metrics", "http"},
    {"prometheus", "http"},
    /* tests */
    {"assume", "given"},
    {"assert", "expect"},
    {"then", "expect"},
    {"none", "nothing"},
    {"not", "no"},
    {"error", "temperror"},
    {"ok", "pass"},
    {"true", "yes"},
    {"hardfail", "fail"},
};

static const char *
find(const char *const *words, const char *word)
{
    for (; *words != NULL; words++)
        if (g_ascii_strcasecmp(*words, word) == 0)
            return *words;
    return NULL;
}

/* Of what has a dot the part behind it, among those with the same before it; if
 * there are any. */
static const char *
suggest(const char *word, const char *const *words)
{
    const char *dot = strchr(word, '.');
    gsize length = dot != NULL ? (gsize)(dot - word) + 1 : 0;
    g_autoptr(GPtrArray) parts = g_ptr_array_new();

    for (const char *const *w = words; length > 0 && *w != NULL; w++)
        if (strncmp(*w, word, length) == 0)
            g_ptr_array_add(parts, (gpointer)(*w + length));
    if (parts->len == 0)
        return text_suggest(word, words);
    g_ptr_array_add(parts, NULL);
    const char *near =
        text_suggest(word + length, (const char *const *)parts->pdata);
    return near != NULL ? near - length : NULL;
}

const char *
compile_known_guess(const char *word, const char *const *words)
{
    g_autofree char *plain = g_ascii_strdown(word + (*word == '$'), -1);
    gsize length = strlen(plain);

    while (length > 1 && strchr(":,.", plain[length - 1]) != NULL)
        plain[--length] = '\0';
    const char *same = find(words, plain);

    for (gsize i = 0; same == NULL && i < G_N_ELEMENTS(others); i++)
        if (strcmp(others[i].written, plain) == 0)
            same = find(words, others[i].meant);
    return same;
}

const char *
compile_guess(const char *word, const char *const *words)
{
    const char *same = compile_known_guess(word, words);

    if (same != NULL)
        return same;
    g_autofree char *plain = g_ascii_strdown(word, -1);
    return suggest(plain, words);
}
