/* delegation.c: Postfix asks its policy service.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "tests/wire/gateway.h"

#define RULES                                                                 \
    "at connect { reject address if client.ip = 203.0.113.9 }\n"              \
    "at helo { reject greeting if helo.name = \"bad.test\"\n"                 \
    "          reply 550 5.7.1 \"{helo.name}\" }\n"                           \
    "at mail { reject sender if mail.from = \"bad@c.test\"\n"                 \
    "          pass user if auth.user = \"joe\" }\n"                          \
    "at rcpt {\n"                                                             \
    "    accept friend if rcpt.local = \"friend\"\n"                          \
    "    reject relay if rcpt.domain != \"mx.test\"\n"                        \
    "    tempfail later if rcpt.local = \"later\"\n"                          \
    "    disconnect away if rcpt.local = \"away\"\n"                          \
    "    disconnect gone if rcpt.local = \"gone\" reply 550 \"away\"\n"       \
    "    discard lost if rcpt.local = \"lost\"\n"                             \
    "    quarantine held if rcpt.local = \"held\"\n"                          \
    "    would reject shadow if rcpt.local = \"shadow\"\n"                    \
    "    rewrite add-header(\"X-One\", \"{client.ip}\")"                      \
    " if rcpt.local = \"two\" or rcpt.local = \"too\"\n"                      \
    "    rewrite add-header(\"X-Two\", \"2\") if rcpt.local = \"two\"\n"      \
    "    rewrite remove-header(\"X-Two\") if rcpt.local = \"removed\"\n"      \
    "    reject early if client.early-talker or client.sessions < 5\n"        \
    "    reject seen if client.tls and client.tls.cipher = \"AES\"\n"         \
    "                and client.tls.subject = \"CN=joe\\\\,x\"\n"             \
    "    reject named if client.name = \"c.test\" and client.fcrdns\n"        \
    "    reject context if mta.daemon = \"submission\"\n"                     \
    "}\n"                                                                     \
    "at data { reject many if rcpt.count > 2 }\n"                             \
    "at message { reject large if message.size > 1000\n"                      \
    "             reject from if header.from.domain = \"c.test\"\n"           \
    "             rewrite add-header(\"X-Late\", \"1\") if message.size = 7 " \
    "}\n"

#define CASE(what, text, ...)                                           \
    {                                                                   \
        .name = what, .wire = "policy", .backend = "-", .rules = RULES, \
        .dialogue = text, __VA_ARGS__                                   \
    }

static const GatewayCase stages[] = {
    CASE("each-stage-that-is-asked-about-is-judged",
         "? CONNECT helo_name= sender= recipient= instance=\n< action=DUNNO\n"
         "? EHLO sender= recipient= instance=\n< action=DUNNO\n"
         "? MAIL recipient= instance=\n< action=DUNNO\n"
         "? RCPT\n< action=DUNNO\n"
         "? DATA recipient=\n< action=DUNNO\n"
         "? END-OF-MESSAGE recipient= size=5\n< action=DUNNO\n",
         .log = "accepted session="),
    CASE("stages-that-were-not-asked-about-are-judged-first",
         "? RCPT client_address=203.0.113.9\n< action=554 5.7.1 \n"
         "? RCPT helo_name=bad.test client_port=2\n< action=550 5.7.1 bad.test "
         "[\n"
         "? DATA sender=bad@c.test client_port=3\n< action=550 5.7.1 \n"
         "? END-OF-MESSAGE recipient=b@other.test client_port=4\n"
         "< action=550 5.7.1 \n"),
    CASE("later-stages-are-not", "? EHLO sender=bad@c.test\n< action=DUNNO\n"
                                 "? MAIL sender=bad@c.test\n< action=550\n"),
    CASE("what-is-no-stage-is-dunno",
         "? VRFY client_address=203.0.113.9\n< action=DUNNO\n"
         "? ETRN client_address=203.0.113.9 etrn_domain=x\n< action=DUNNO\n"),
    CASE("a-refusal-stays",
         "? RCPT recipient=later@mx.test\n< action=DEFER_IF_PERMIT 4.7.1 \n"
         "? RCPT recipient=later@mx.test\n< action=DEFER_IF_PERMIT 4.7.1 \n"
         "? RCPT\n< action=DUNNO\n"),
    CASE("a-recipient-is-judged-once",
         "? RCPT\n< action=DUNNO\n? RCPT\n< action=DUNNO\n"
         "? RCPT\n< action=DUNNO\n? DATA recipient=\n< action=DUNNO\n"),
    CASE("a-new-transaction-is-judged-anew",
         "? RCPT sender=bad@c.test\n< action=550\n"
         "? RCPT\n< action=DUNNO\n"
         "? MAIL sender=bad@c.test instance=\n< action=550\n"
         "? RCPT instance=2\n< action=DUNNO\n"),
    CASE("another-connection-asks-about-the-same-client",
         "? RCPT\n< action=DUNNO\n! new\n"
         "? DATA recipient=\n< action=DUNNO\n"
         "? END-OF-MESSAGE recipient= size=2000\n< action=550\n",
         .log = "to=b@mx.test rule=large stage=message"),
    CASE("a-client-without-port-is-its-instance",
         "? RCPT client_port=0\n< action=DUNNO\n"
         "? END-OF-MESSAGE client_port=0 recipient= size=2000\n< action=550\n"
         "? RCPT client_port=0 instance=7 recipient=b@other.test\n"
         "< action=550\n"),
};

static const GatewayCase answers[] = {
    CASE("accept-is-never-ok",
         "? RCPT recipient=friend@other.test\n< action=DUNNO\n\n",
         .log = "passed session="),
    CASE("disconnect-is-a-code-that-closes",
         "? RCPT recipient=away@mx.test\n< action=421 4.7.0 \n"
         "? RCPT recipient=gone@mx.test\n< action=521 5.7.0 away [\n"),
    CASE("discard-is-for-all",
         "? RCPT recipient=lost@mx.test\n< action=DISCARD [\n"
         "? RCPT\n< action=452 4.5.3 \n",
         .log = "discarded session="),
    CASE("nobody-is-discarded-beside-others",
         "? RCPT\n< action=DUNNO\n"
         "? RCPT recipient=lost@mx.test\n< action=452 4.5.3 \n"),
    CASE("a-message-is-held-once-at-each-stage",
         "? RCPT recipient=held@mx.test\n< action=HOLD held [\n"
         "? RCPT recipient=held@mx.test\n< action=DUNNO\n"
         "? DATA\n< action=HOLD held [\n"
         "? END-OF-MESSAGE size=5\n< action=HOLD held [\n",
         .log = "quarantined session="),
    CASE("recipients-that-differ-are-sent-away",
         "? RCPT\n< action=DUNNO\n"
         "? RCPT recipient=held@mx.test\n< action=452 4.5.3 \n"),
    CASE("a-field-is-prepended-to-each-request",
         "? RCPT recipient=two@mx.test\n"
         "< action=PREPEND X-One: 198.51.100.9\n"
         "? RCPT recipient=two@mx.test\n< action=PREPEND X-Two: 2\n"
         "? RCPT recipient=two@mx.test\n< action=DUNNO\n"),
    CASE("what-several-recipients-want-is-prepended-once",
         "? RCPT recipient=too@mx.test\n< action=PREPEND X-One: \n"
         "? RCPT recipient=two@mx.test\n< action=PREPEND X-Two: 2\n"
         "? DATA recipient=\n< action=DUNNO\n"),
    CASE("a-field-for-which-no-request-is-left-is-in-the-log",
         "? RCPT recipient=two@mx.test\n< action=PREPEND X-One: \n"
         "? END-OF-MESSAGE recipient= size=7\n< action=DUNNO\n",
         .log = "value=\"X-Two: 2\""),
    CASE("at-the-end-no-field-can-be-added",
         "? RCPT\n< action=DUNNO\n"
         "? END-OF-MESSAGE recipient= size=7\n< action=DUNNO\n",
         .log = "value=\"X-Late: 1\""),
    CASE("what-cannot-be-done-is-in-the-log",
         "? RCPT recipient=removed@mx.test\n< action=DUNNO\n",
         .log = "edit=remove-header"),
    CASE(
        "would-is-a-warning-once",
        "? RCPT recipient=shadow@mx.test\n< action=WARN would reject shadow [\n"
        "? RCPT recipient=shadow@mx.test\n< action=DUNNO\n",
        .log = "would session="),
    CASE("no-address-is-no-envelope",
         "? RCPT recipient=a\tb@mx.test\n< action=501 5.1.3 \n"
         "? RCPT sender=a\tb@mx.test instance=2\n< action=501 5.1.7 \n"),
    CASE("all-of-it-is-in-the-log", "? RCPT\n< action=DUNNO\n",
         .log = "passed session="),
};

static const GatewayCase facts[] = {
    CASE("what-only-a-socket-shows-is-unknown", "? RCPT\n< action=DUNNO\n"),
    CASE("a-name-that-postfix-verified-is-the-client's",
         "? RCPT client_name=c.test\n< action=550\n", .log = "rule=named"),
    CASE("tls-is-told",
         "? RCPT encryption_protocol=TLSv1.3 encryption_cipher=AES "
         "ccert_subject=joe+2Cx\n< action=550\n",
         .log = "rule=seen"),
    CASE("tls-may-begin-after-ehlo",
         "? EHLO sender=\n< action=DUNNO\n"
         "? RCPT encryption_protocol=TLSv1.3 encryption_cipher=AES "
         "ccert_subject=joe+2Cx\n< action=550\n"),
    CASE("so-is-who-authenticated",
         "? RCPT sasl_username=joe\n< action=DUNNO\n", .log = "auth=joe"),
    CASE("a-context-tells-services-apart",
         "? RCPT policy_context=submission\n< action=550\n",
         .log = "rule=context"),
    CASE("the-queue-id-is-in-the-log",
         "? RCPT\n< action=DUNNO\n"
         "? END-OF-MESSAGE queue_id=AB12 size=5\n< action=DUNNO\n",
         .log = "queue=AB12"),
    CASE("several-recipients-are-known-from-before",
         "? RCPT\n< action=DUNNO\n? RCPT recipient=c@mx.test\n< action=DUNNO\n"
         "? RCPT recipient=d@mx.test\n< action=DUNNO\n"
         "? DATA recipient=\n< action=550\n",
         .log = "to=b@mx.test,c@mx.test,d@mx.test rule=many"),
    CASE("or-that-is-in-the-log",
         "? END-OF-MESSAGE recipient= size=2000\n< action=DUNNO\n",
         .log = "smtpd_recipient_restrictions"),
};

static const GatewayCase connections[] = {
    CASE("requests-may-come-together",
         "~ request=smtpd_access_policy\\nprotocol_state=VRFY\\n\\n"
         "request=smtpd_access_policy\\nprotocol_state=ETRN\\n\\n\n"
         "< action=DUNNO\n< action=DUNNO\n"),
    CASE("garbage-closes-and-is-in-the-log",
         "~ junk\\n\\n\n$\n! new\n? RCPT\n< action=DUNNO\n",
         .log = "no name=value"),
    CASE("one-that-is-idle-closes-when-we-drain",
         "? RCPT\n< action=DUNNO\n! drain\n$\n"),
    CASE("one-that-says-nothing-closes",
         "? RCPT\n< action=DUNNO\n+ 1199000\n? RCPT\n< action=DUNNO\n"
         "+ 1201000\n$\n"),
    CASE("a-request-has-to-come-in-time",
         "~ request=smtpd\n+ 29000\n~ _access_policy\n+ 2000\n$\n"),
    CASE("more-than-there-may-be-are-closed",
         "? RCPT\n< action=DUNNO\n! swap\n? RCPT\n$\n",
         .listen = "max-sessions 1"),
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gateway_add("/wire/delegation/stages/", stages, G_N_ELEMENTS(stages));
    gateway_add("/wire/delegation/answers/", answers, G_N_ELEMENTS(answers));
    gateway_add("/wire/delegation/facts/", facts, G_N_ELEMENTS(facts));
    gateway_add("/wire/delegation/connections/", connections,
                G_N_ELEMENTS(connections));
    return g_test_run();
}
