/* core.c: the facts that need no plugin.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/mail/domain.h"
#include "filterd/session/state.h"

#include <string.h>

/* PTR names that are looked up again (RFC 7208 4.6.4 allows as many). */
#define REVERSE_NAMES 10

typedef enum CoreFact {
    CORE_CLIENT_IP,
    CORE_CLIENT_PORT,
    CORE_CLIENT_NAME,
    CORE_CLIENT_FCRDNS,
    CORE_CLIENT_EARLY_TALKER,
    CORE_CLIENT_TLS,
    CORE_TLS_VERSION,
    CORE_TLS_CIPHER,
    CORE_TLS_CERTIFICATE,
    CORE_TLS_SUBJECT,
    CORE_TLS_VERIFIED,
    CORE_CLIENT_SESSIONS,
    CORE_CLIENT_ERRORS,
    CORE_CLIENT_UNKNOWN,
    CORE_MTA_NAME,
    CORE_MTA_DAEMON,
    CORE_SCORE,
    CORE_HELO_NAME,
    CORE_CLIENT_PIPELINING,
    CORE_MAIL_FROM,
    CORE_MAIL_DOMAIN,
    CORE_MAIL_LOCAL,
    CORE_MAIL_SIZE,
    CORE_MTA_QUEUE,
    CORE_AUTH_USER,
    CORE_RCPT_TO,
    CORE_RCPT_DOMAIN,
    CORE_RCPT_LOCAL,
    CORE_RCPT_COUNT,
    CORE_MESSAGE_SIZE,
    CORE_MESSAGE_ID,
    CORE_FROM_DOMAIN,
    CORE_FROM_ADDRESS,
    CORE_FROM_PROBLEM,
    CORE_FACTS,
} CoreFact;

const FilterdFact engine_core_facts[CORE_FACTS + 1] = {
    [CORE_CLIENT_IP] = {"client.ip", FILTERD_IP, FILTERD_CONNECT,
                        "The client's address, from PROXY or XCLIENT where "
                        "a trusted peer sent one."},
    [CORE_CLIENT_PORT] = {"client.port", FILTERD_INT, FILTERD_CONNECT,
                          "The client's port."},
    [CORE_CLIENT_NAME] = {"client.name", FILTERD_DOMAIN, FILTERD_CONNECT,
                          "The name that the client's address leads to; the "
                          "confirmed one if there is one."},
    [CORE_CLIENT_FCRDNS] = {"client.fcrdns", FILTERD_BOOL, FILTERD_CONNECT,
                            "Whether one of the address's names leads back to "
                            "it."},
    [CORE_CLIENT_EARLY_TALKER] = {"client.early-talker", FILTERD_BOOL,
                                  FILTERD_CONNECT,
                                  "Whether the client spoke before it was "
                                  "greeted."},
    [CORE_CLIENT_TLS] = {"client.tls", FILTERD_BOOL, FILTERD_CONNECT,
                         "Whether the connection is encrypted."},
    [CORE_TLS_VERSION] = {"client.tls.version", FILTERD_TEXT, FILTERD_CONNECT,
                          "Such as TLSv1.3; unknown without TLS."},
    [CORE_TLS_CIPHER] = {"client.tls.cipher", FILTERD_TEXT, FILTERD_CONNECT,
                         "Such as TLS_AES_256_GCM_SHA384."},
    [CORE_TLS_CERTIFICATE] = {"client.tls.certificate", FILTERD_TEXT,
                              FILTERD_CONNECT,
                              "The SHA-256 fingerprint of the client's "
                              "certificate, in lower-case hex; unknown if it "
                              "showed none."},
    [CORE_TLS_SUBJECT] = {"client.tls.subject", FILTERD_TEXT, FILTERD_CONNECT,
                          "The subject of the client's certificate, as "
                          "RFC 2253 writes it."},
    [CORE_TLS_VERIFIED] = {"client.tls.verified", FILTERD_BOOL, FILTERD_CONNECT,
                           "Whether the client's certificate leads to "
                           "client-ca."},
    [CORE_CLIENT_SESSIONS] = {"client.sessions", FILTERD_INT, FILTERD_CONNECT,
                              "Sessions that its address had when it came, "
                              "this one included."},
    [CORE_CLIENT_ERRORS] = {"client.errors", FILTERD_INT, FILTERD_CONNECT,
                            "Protocol errors of its address in the ten "
                            "minutes before it came."},
    [CORE_CLIENT_UNKNOWN] = {"client.unknown-recipients", FILTERD_INT,
                             FILTERD_CONNECT,
                             "Recipients that were refused to its address as "
                             "unknown in the ten minutes before it came."},
    [CORE_MTA_NAME] = {"mta.name", FILTERD_TEXT, FILTERD_CONNECT,
                       "The name of the mail server that asks for advice "
                       "(milter, policy); unknown where none does."},
    [CORE_MTA_DAEMON] = {"mta.daemon", FILTERD_TEXT, FILTERD_CONNECT,
                         "What it calls the service that the client came to "
                         "(a milter's {daemon_name}, a policy request's "
                         "policy_context)."},
    [CORE_SCORE] = {"score", FILTERD_INT, FILTERD_CONNECT,
                    "The sum of the score rules that fired so far."},
    [CORE_HELO_NAME] = {"helo.name", FILTERD_TEXT, FILTERD_HELO,
                        "The argument of EHLO, HELO or LHLO."},
    [CORE_CLIENT_PIPELINING] = {"client.pipelining-abuse", FILTERD_BOOL,
                                FILTERD_HELO,
                                "Whether the client went on without waiting "
                                "for the reply to EHLO, or for 354."},
    [CORE_MAIL_FROM] = {"mail.from", FILTERD_ADDRESS, FILTERD_MAIL,
                        "The reverse-path; \"\" is the null one."},
    [CORE_MAIL_DOMAIN] = {"mail.domain", FILTERD_DOMAIN, FILTERD_MAIL,
                          "The domain of the reverse-path, in A-labels; "
                          "unknown for the null one."},
    [CORE_MAIL_LOCAL] = {"mail.local", FILTERD_TEXT, FILTERD_MAIL,
                         "The local part of the reverse-path, unquoted."},
    [CORE_MAIL_SIZE] = {"mail.size", FILTERD_INT, FILTERD_MAIL,
                        "The SIZE that was declared, or 0."},
    [CORE_MTA_QUEUE] = {"mta.queue-id", FILTERD_TEXT, FILTERD_MAIL,
                        "The queue identifier of the mail server that asks "
                        "for advice, where it has one already."},
    [CORE_AUTH_USER] = {"auth.user", FILTERD_TEXT, FILTERD_MAIL,
                        "Who authenticated; unknown if nobody did."},
    [CORE_RCPT_TO] = {"rcpt.to", FILTERD_ADDRESS, FILTERD_RCPT,
                      "The recipient's forward-path."},
    [CORE_RCPT_DOMAIN] = {"rcpt.domain", FILTERD_DOMAIN, FILTERD_RCPT,
                          "The recipient's domain, in A-labels; unknown for "
                          "a bare postmaster."},
    [CORE_RCPT_LOCAL] = {"rcpt.local", FILTERD_TEXT, FILTERD_RCPT,
                         "The recipient's local part, unquoted."},
    [CORE_RCPT_COUNT] = {"rcpt.count", FILTERD_INT, FILTERD_RCPT,
                         "Recipients taken in this transaction so far."},
    [CORE_MESSAGE_SIZE] = {"message.size", FILTERD_INT, FILTERD_MESSAGE,
                           "Octets of the message as received."},
    [CORE_MESSAGE_ID] = {"message.id", FILTERD_TEXT, FILTERD_MESSAGE,
                         "Its Message-ID field."},
    [CORE_FROM_DOMAIN] = {"header.from.domain", FILTERD_DOMAIN, FILTERD_MESSAGE,
                          "The domain of From, where it has exactly one "
                          "address."},
    [CORE_FROM_ADDRESS] = {"header.from.address", FILTERD_ADDRESS,
                           FILTERD_MESSAGE,
                           "The address of From, where it has exactly one."},
    [CORE_FROM_PROBLEM] = {"header.from.problem", FILTERD_WORD, FILTERD_MESSAGE,
                           "What is wrong with From; none is as it should "
                           "be.",
                           mail_from_problem_words},
};

/* ---- the reverse lookup ------------------------------------------------- */

static gboolean
leads_back(Session *session, const char *name, gboolean *failed)
{
    FilterdDnsType type =
        ip_is_v4(&session->ip) ? FILTERD_DNS_A : FILTERD_DNS_AAAA;
    const FilterdDnsAnswer *answer =
        dns_query(visit_budget(session->visit), name, type);
    *failed |= filterd_dns_failed(answer);
    for (size_t i = 0; i < answer->length; i++)
        if (ip_equal(&answer->records[i].ip, &session->ip))
            return TRUE;
    return FALSE;
}

/* The name that is confirmed, else the first; both may be missing. */
static void
confirm(Session *session, const FilterdDnsAnswer *answer)
{
    gboolean failed = FALSE;
    SessionReverse *reverse = &session->reverse;
    size_t length = MIN(answer->length, REVERSE_NAMES);
    for (size_t i = 0; i < length; i++) {
        const char *name = answer->records[i].name;
        if (!mail_domain_valid(name))
            continue;
        if (leads_back(session, name, &failed)) {
            g_free(reverse->name);
            reverse->name = g_strdup(name);
            reverse->confirmed = filterd_bool(true);
            return;
        }
        if (reverse->name == NULL)
            reverse->name = g_strdup(name);
    }
    if (!failed)
        reverse->confirmed = filterd_bool(false);
}

static void
look_up(Session *session)
{
    g_autofree char *question = ip_ptr_name(&session->ip);
    const FilterdDnsAnswer *answer =
        dns_query(visit_budget(session->visit), question, FILTERD_DNS_PTR);
    if (!filterd_dns_failed(answer))
        confirm(session, answer);
}

static const SessionReverse *
reverse(Session *session)
{
    SessionReverse *known = &session->reverse;
    while (known->busy)
        if (fiber_queue_wait(&known->waiters, CLOCK_NEVER) == FIBER_CANCELLED)
            return known;
    if (known->done)
        return known;
    known->busy = TRUE;
    look_up(session);
    known->busy = FALSE;
    known->done = known->asked = !fiber_cancelled();
    fiber_queue_wake_all(&known->waiters);
    return known;
}

static gboolean
rests_on_reverse(unsigned index)
{
    return index == CORE_CLIENT_NAME || index == CORE_CLIENT_FCRDNS;
}

const FilterdValue *
session_core_peek(Session *session, unsigned index)
{
    if (rests_on_reverse(index) && !session->reverse.done)
        return NULL;
    return session_core_fact(session, index);
}

const char *
session_core_reason(const Session *session, unsigned index)
{
    gboolean later = engine_core_facts[index].since == FILTERD_MESSAGE;
    if (rests_on_reverse(index))
        return session->reverse.confirmed.type == FILTERD_UNKNOWN ? "dns"
                                                                  : NULL;
    return later && session->message == NULL ? "not-shown" : NULL;
}

/* ---- a function a fact -------------------------------------------------- */

static FilterdValue
client_ip(Session *session)
{
    return filterd_ip(session->ip);
}

static FilterdValue
client_port(Session *session)
{
    return filterd_int(session->port);
}

static FilterdValue
client_name(Session *session)
{
    return filterd_string(FILTERD_DOMAIN, reverse(session)->name);
}

static FilterdValue
client_fcrdns(Session *session)
{
    return reverse(session)->confirmed;
}

/* What only who has the client's connection can see. */
static FilterdValue
seen(const Session *session, FilterdValue value)
{
    return session->advises ? filterd_unknown() : value;
}

/* Whoever is counted has a session; an MTA may tell of nobody. */
static FilterdValue
counted(const Session *session, int64_t count)
{
    gboolean told = !session->advises || session->client_sessions > 0;
    return told ? filterd_int(count) : filterd_unknown();
}

static FilterdValue
client_early_talker(Session *session)
{
    return seen(session, filterd_bool(session->early_talker));
}

static FilterdValue
client_pipelining(Session *session)
{
    return seen(session, filterd_bool(session->pipelined));
}

static FilterdValue
client_sessions(Session *session)
{
    return counted(session, session->client_sessions);
}

static FilterdValue
client_errors(Session *session)
{
    return counted(session, session->client_errors);
}

static FilterdValue
client_tls(Session *session)
{
    return filterd_bool(session->secured);
}

static FilterdValue
tls_version(Session *session)
{
    return filterd_text(session->tls.version);
}

static FilterdValue
tls_cipher(Session *session)
{
    return filterd_text(session->tls.cipher);
}

static FilterdValue
tls_certificate(Session *session)
{
    return filterd_text(session->tls.fingerprint);
}

static FilterdValue
tls_subject(Session *session)
{
    return filterd_text(session->tls.subject);
}

static FilterdValue
tls_verified(Session *session)
{
    return filterd_bool(session->tls.verified);
}

static FilterdValue
client_unknown(Session *session)
{
    return filterd_int(session->client_unknown);
}

static FilterdValue
mta_name(Session *session)
{
    return filterd_text(session->mta_name);
}

static FilterdValue
mta_daemon(Session *session)
{
    return filterd_text(session->mta_daemon);
}

static FilterdValue
mta_queue(Session *session)
{
    return filterd_text(session->queue_id);
}

static FilterdValue
score(Session *session)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < SESSION_SCOPES; i++)
        sum += session->holds[i].score;
    return filterd_int(sum);
}

static FilterdValue
helo_name(Session *session)
{
    return filterd_text(session->helo);
}

static FilterdValue
not_empty(FilterdType type, const char *text)
{
    return filterd_string(type, text != NULL && *text != '\0' ? text : NULL);
}

static FilterdValue
mail_from(Session *session)
{
    return filterd_string(FILTERD_ADDRESS, session->reverse_path.text);
}

static FilterdValue
mail_domain(Session *session)
{
    return not_empty(FILTERD_DOMAIN, session->reverse_path.domain);
}

static FilterdValue
mail_local(Session *session)
{
    return not_empty(FILTERD_TEXT, session->reverse_path.local);
}

static FilterdValue
mail_size(Session *session)
{
    return filterd_int((int64_t)session->declared_size);
}

static FilterdValue
auth_user(Session *session)
{
    return filterd_text(session->auth_user);
}

static FilterdValue
rcpt_to(Session *session)
{
    return filterd_string(FILTERD_ADDRESS, session->recipient.text);
}

static FilterdValue
rcpt_domain(Session *session)
{
    return not_empty(FILTERD_DOMAIN, session->recipient.domain);
}

static FilterdValue
rcpt_local(Session *session)
{
    return not_empty(FILTERD_TEXT, session->recipient.local);
}

static FilterdValue
rcpt_count(Session *session)
{
    return filterd_int(session->recipients->len);
}

static FilterdValue
message_size(Session *session)
{
    if (session->message == NULL && session->told_size > 0)
        return filterd_int((int64_t)session->told_size);
    if (session->message == NULL || session->partial)
        return filterd_unknown();
    return filterd_int((int64_t)mail_message_size(session->message));
}

static FilterdValue
message_id(Session *session)
{
    return filterd_text(session->message_id);
}

static FilterdValue
from_domain(Session *session)
{
    return filterd_string(FILTERD_DOMAIN, session->from.domain);
}

static FilterdValue
from_address(Session *session)
{
    return filterd_string(FILTERD_ADDRESS, session->from.address);
}

static FilterdValue
from_problem(Session *session)
{
    if (session->message == NULL)
        return filterd_unknown();
    return filterd_word(mail_from_problem_words[session->from.problem]);
}

static FilterdValue (*const computers[CORE_FACTS])(Session *session) = {
    [CORE_CLIENT_IP] = client_ip,
    [CORE_CLIENT_PORT] = client_port,
    [CORE_CLIENT_NAME] = client_name,
    [CORE_CLIENT_FCRDNS] = client_fcrdns,
    [CORE_CLIENT_EARLY_TALKER] = client_early_talker,
    [CORE_CLIENT_TLS] = client_tls,
    [CORE_TLS_VERSION] = tls_version,
    [CORE_TLS_CIPHER] = tls_cipher,
    [CORE_TLS_CERTIFICATE] = tls_certificate,
    [CORE_TLS_SUBJECT] = tls_subject,
    [CORE_TLS_VERIFIED] = tls_verified,
    [CORE_CLIENT_SESSIONS] = client_sessions,
    [CORE_CLIENT_ERRORS] = client_errors,
    [CORE_CLIENT_UNKNOWN] = client_unknown,
    [CORE_MTA_NAME] = mta_name,
    [CORE_MTA_DAEMON] = mta_daemon,
    [CORE_MTA_QUEUE] = mta_queue,
    [CORE_SCORE] = score,
    [CORE_HELO_NAME] = helo_name,
    [CORE_CLIENT_PIPELINING] = client_pipelining,
    [CORE_MAIL_FROM] = mail_from,
    [CORE_MAIL_DOMAIN] = mail_domain,
    [CORE_MAIL_LOCAL] = mail_local,
    [CORE_MAIL_SIZE] = mail_size,
    [CORE_AUTH_USER] = auth_user,
    [CORE_RCPT_TO] = rcpt_to,
    [CORE_RCPT_DOMAIN] = rcpt_domain,
    [CORE_RCPT_LOCAL] = rcpt_local,
    [CORE_RCPT_COUNT] = rcpt_count,
    [CORE_MESSAGE_SIZE] = message_size,
    [CORE_MESSAGE_ID] = message_id,
    [CORE_FROM_DOMAIN] = from_domain,
    [CORE_FROM_ADDRESS] = from_address,
    [CORE_FROM_PROBLEM] = from_problem,
};

G_STATIC_ASSERT(CORE_FACTS <= SESSION_CORE_ROWS * SESSION_CORE_ROW);

const FilterdValue *
session_core_fact(Session *session, unsigned index)
{
    FilterdValue **row = &session->core[index / SESSION_CORE_ROW];
    if (*row == NULL)
        *row = g_new0(FilterdValue, SESSION_CORE_ROW);
    FilterdValue *value = &(*row)[index % SESSION_CORE_ROW];
    *value = computers[index](session);
    return value;
}
