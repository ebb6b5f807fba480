/* dkim.c: are the message's DKIM signatures good? And what is signed on its way
 * out. (RFC 6376, 8301, 8463, 8601)
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <filterd/plugin.h>

#include <string.h>

#include "plugins/dkim/config.h"
#include "plugins/dkim/key.h"
#include "plugins/dkim/manual.h"
#include "plugins/dkim/signing.h"
#include "plugins/dkim/verification.h"

#define DEFAULT_PREFIX 8 /* octets of b= in header.b (RFC 6008) */
#define SECOND 1000

static const char *const partial_words[] = {"refuse", "allow", NULL};
static const char *const no_key_words[] = {"unsigned", "tempfail", NULL};

const char *const canonicalization_words[] = {
    [0] = "simple/simple",
    [CANON_BODY_RELAXED] = "simple/relaxed",
    [CANON_HEADER_RELAXED] = "relaxed/simple",
    [CANON_HEADER_RELAXED | CANON_BODY_RELAXED] = "relaxed/relaxed",
    NULL,
};

static const FilterdOption key_options[] = {
    {"domain", FILTERD_DOMAIN, FILTERD_POSITION | FILTERD_REQUIRED,
     offsetof(KeyOption, domain), NULL, "The domain that signs, d=."},
    {"selector", FILTERD_TEXT, FILTERD_POSITION | FILTERD_REQUIRED,
     offsetof(KeyOption, selector), NULL,
     "The selector under which the key is found, s=."},
    {"file", FILTERD_FILE, FILTERD_POSITION | FILTERD_REQUIRED,
     offsetof(KeyOption, file), NULL,
     "The private key, PEM without a passphrase: RSA of 1024 to 4096 bits "
     "(2048 or more are wanted) or Ed25519."},
    {"identity", FILTERD_TEXT, 0, offsetof(KeyOption, identity), NULL,
     "The identity, i=, such as \"@mail.example.org\": in that domain or below "
     "it. Without it there is no i=."},
    {NULL},
};

static const FilterdOption options[] = {
    {"signatures", FILTERD_INT, 0, offsetof(Config, signatures), "10",
     "How many signatures of a message are looked at, those that seem to be of "
     "the From domain first.",
     .low = 1, .high = 100},
    {"minimum-key-bits", FILTERD_INT, 0, offsetof(Config, minimum_key_bits),
     "1024",
     "The bits that an RSA key has at least; signatures of smaller ones never "
     "pass.",
     .low = 1024, .high = 4096},
    {"partial-body", FILTERD_WORD, 0, offsetof(Config, partial_body), "refuse",
     "Whether a signature may pass whose l= leaves a part of the body "
     "unsigned. One that may not has the result `policy`, is missing in "
     "`dkim.domains`, and is no evidence for DMARC.",
     .words = partial_words},
    {"clock-drift", FILTERD_DURATION, 0, offsetof(Config, clock_drift), "5m",
     "How wrong a signer's clock may be, for t= and x=."},
    {"key", FILTERD_GROUP, FILTERD_MANY, offsetof(Config, keys), NULL,
     "A key to sign with; one domain may have several, of RSA and of Ed25519. "
     "It is read before privileges are dropped; one that cannot be used is an "
     "error of the file.",
     .group = key_options, .size = sizeof(KeyOption)},
    {"sign-headers", FILTERD_TEXT, FILTERD_MANY, offsetof(Config, sign_headers),
     "From Sender Reply-To Subject Date Message-ID To Cc In-Reply-To "
     "References "
     "MIME-Version Content-Type Content-Transfer-Encoding "
     "Content-Disposition Resent-From Resent-Sender Resent-Date "
     "Resent-Message-ID Resent-To Resent-Cc List-Id List-Help "
     "List-Unsubscribe List-Unsubscribe-Post List-Subscribe List-Post "
     "List-Owner List-Archive",
     "The fields that are signed, where there are any (RFC 6376 5.4.1). From "
     "always is."},
    {"oversign", FILTERD_TEXT, FILTERD_MANY, offsetof(Config, oversign),
     "From Reply-To Subject Date Message-ID To Cc MIME-Version Content-Type "
     "Content-Transfer-Encoding",
     "The fields of which nobody may add one more (RFC 6376 8.15). Date and "
     "Message-ID only where they are there, for a server behind may supply "
     "them."},
    {"canonicalization", FILTERD_WORD, 0, offsetof(Config, canonicalization),
     "relaxed/relaxed",
     "How the header and the body may change on the way, c=.",
     .words = canonicalization_words},
    {"signature-lifetime", FILTERD_DURATION, 0,
     offsetof(Config, signature_lifetime), "0s",
     "How long a signature holds, x=; 0s: without end.", .low = 0,
     .high = INT64_C(315360000000)},
    {"no-key", FILTERD_WORD, 0, offsetof(Config, no_key), "unsigned",
     "What becomes of a message that `dkim.sign()` finds no key for: it goes "
     "unsigned, and the log says so; or it is refused for now, 451.",
     .words = no_key_words},
    {NULL},
};

enum { FACT_RESULT, FACT_RESULTS, FACT_DOMAINS, FACT_PROBLEM };

static const FilterdFact facts[] = {
    [FACT_RESULT] = {"result", FILTERD_WORD, FILTERD_MESSAGE,
                     "The best result of all signatures.",
                     .words = result_words},
    [FACT_RESULTS] = {"results", FILTERD_LIST, FILTERD_MESSAGE,
                      "Of each signature its result:domain:selector:algorithm, "
                      "in the order of the fields.",
                      .items = FILTERD_TEXT},
    [FACT_DOMAINS] = {"domains", FILTERD_LIST, FILTERD_MESSAGE,
                      "The domains whose signatures passed.",
                      .items = FILTERD_DOMAIN},
    [FACT_PROBLEM] =
        {"problem", FILTERD_TEXT, FILTERD_MESSAGE,
         "Why the first signature that did not pass did not, with its d= and "
         "s=; or of which field, though it passed, another one is there that "
         "it does not cover; or that there is no signature."},
    {NULL},
};

static const FilterdMethod methods[] = {{"dkim", FACT_RESULT}, {NULL}};

enum { NEED_AUTHOR };

static const FilterdNeed needs[] = {
    [NEED_AUTHOR] = {"header.from.domain", FILTERD_DOMAIN},
    {NULL},
};

typedef struct Instance {
    Library *library;
    Signing signing;
} Instance;

typedef struct Message {
    Header header;
    GPtrArray *signatures; /* of Signature, in order */
    int64_t asked;         /* keys that have been asked for */
    bool begun;            /* the header is over */
    Verification *verification;
    Outgoing outgoing;
} Message;

/* ---- the header --------------------------------------------------------- */

static bool
start(FilterdCall *call, GError **error)
{
    Instance *instance = call->instance;
    if (!signing_start(&instance->signing, call, error))
        return false;
    instance->library = library_new(error);
    if (instance->library == NULL)
        signing_stop(&instance->signing);
    return instance->library != NULL;
}

static void
stop(FilterdCall *call)
{
    Instance *instance = call->instance;
    g_clear_pointer(&instance->library, library_free);
    signing_stop(&instance->signing);
}

static void
ask_ahead(FilterdCall *call, const Signature *signature)
{
    const Config *config = call->config;
    Message *message = call->message;
    if (signature->result != RESULT_PENDING
        || message->asked >= config->signatures)
        return;
    message->asked++;
    g_autofree char *name = signature_key_name(signature);
    call->host->prefetch(call, name, FILTERD_DNS_TXT);
}

static bool
take_field(FilterdCall *call, const FilterdField *field, GError **error)
{
    (void)error;
    Message *message = call->message;
    Span value;
    if (!header_add(&message->header, field, &value))
        return true;
    if (message->signatures == NULL)
        message->signatures =
            g_ptr_array_new_with_free_func((GDestroyNotify)signature_free);
    Signature *signature = signature_new(value);
    signature->field =
        message->header.fields != NULL ? message->header.fields->len - 1 : 0;
    g_ptr_array_add(message->signatures, signature);
    ask_ahead(call, signature);
    return true;
}

/* ---- the end of the header ---------------------------------------------- */

static bool
is_origin(const Message *message, const Signature *signature)
{
    return signature->domain != NULL
           && header_is_origin(&message->header, signature->domain);
}

/* Those beyond the limit get no result: first the strangers, from below. */
static void
drop_surplus(Message *message, size_t limit)
{
    GPtrArray *all = message->signatures;
    size_t room = limit;
    for (int own = 1; own >= 0; own--)
        for (guint i = 0; i < all->len; i++) {
            Signature *signature = all->pdata[i];
            if (is_origin(message, signature) != (own == 1))
                continue;
            if (room > 0)
                room--;
            else
                signature->result = RESULT_NONE;
        }
}

/* From more than one Subject a reader may choose the one that is not signed. */
static void
find_loose(const Header *header, Signature *signature)
{
    for (size_t i = 0; i < HEADER_SINGLES && signature->loose == NULL; i++)
        if (header->singles[i] > 1
            && signature_covers(signature, header_singles[i])
                   < header->singles[i])
            signature->loose = header_singles[i];
}

static void
check_message(FilterdCall *call, Signature *signature)
{
    const Config *config = call->config;
    const Message *message = call->message;
    if (message->header.problem != NULL)
        signature_settle(signature, RESULT_PERMERROR, message->header.problem);
    if (signature_covers(signature, "from") < message->header.authors)
        signature_settle(signature, RESULT_POLICY,
                         "a From field is not signed");
    signature_check_time(signature, call->host->now(call) / SECOND,
                         config->clock_drift / SECOND);
    find_loose(&message->header, signature);
}

/* Those that are looked at need not be those that came first. */
static void
ask_the_rest(FilterdCall *call)
{
    const Config *config = call->config;
    const Message *message = call->message;
    if (message->asked < config->signatures)
        return;
    for (guint i = 0; i < message->signatures->len; i++) {
        const Signature *signature = message->signatures->pdata[i];
        if (signature->result != RESULT_PENDING)
            continue;
        g_autofree char *name = signature_key_name(signature);
        call->host->prefetch(call, name, FILTERD_DNS_TXT);
    }
}

static void
begin(FilterdCall *call)
{
    const Config *config = call->config;
    const Instance *instance = call->instance;
    Message *message = call->message;
    if (message->begun)
        return;
    message->begun = true;
    if (message->signatures != NULL) {
        GPtrArray *all = message->signatures;
        drop_surplus(message, (size_t)config->signatures);
        for (guint i = 0; i < all->len; i++)
            check_message(call, all->pdata[i]);
        ask_the_rest(call);
        message->verification =
            verification_new(instance->library, &message->header, all);
    }
    header_clear(&message->header);
}

static bool
take_body(FilterdCall *call, const char *bytes, size_t length, GError **error)
{
    (void)error;
    const Message *message = call->message;
    begin(call);
    if (message->verification != NULL)
        verification_body(message->verification, bytes, length);
    return true;
}

/* ---- the keys ----------------------------------------------------------- */

static void
take_answer(Signature *signature, const FilterdDnsAnswer *answer,
            int64_t minimum)
{
    if (filterd_dns_failed(answer))
        signature_settle(signature, RESULT_TEMPERROR,
                         "the key cannot be looked up");
    else if (answer->status != FILTERD_DNS_ANSWER || answer->length == 0)
        signature_settle(signature, RESULT_PERMERROR, "there is no key");
    else if (answer->length > 1)
        signature_settle(signature, RESULT_PERMERROR,
                         "there are several key records");
    else
        key_read(signature,
                 (Span){answer->records[0].bytes, answer->records[0].length},
                 minimum);
}

/* False: the session is ending. */
static bool
fetch_keys(FilterdCall *call)
{
    const Config *config = call->config;
    GPtrArray *all = ((Message *)call->message)->signatures;
    for (guint i = 0; i < all->len; i++) {
        Signature *signature = all->pdata[i];
        if (signature->result != RESULT_PENDING)
            continue;
        g_autofree char *name = signature_key_name(signature);
        const FilterdDnsAnswer *answer =
            call->host->dns(call, name, FILTERD_DNS_TXT);
        if (answer->status == FILTERD_DNS_CANCELLED)
            return false;
        take_answer(signature, answer, config->minimum_key_bits);
    }
    return true;
}

/* ---- what came of it ---------------------------------------------------- */

static const char *
or_dash(const char *text)
{
    return text != NULL ? text : "-";
}

static void
publish_results(FilterdCall *call, GPtrArray *all)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autofree FilterdValue *items = g_new0(FilterdValue, all->len);
    for (guint i = 0; i < all->len; i++) {
        const Signature *signature = all->pdata[i];
        if (signature->result == RESULT_NONE)
            continue;
        char *text =
            g_strjoin(":", result_words[signature->result],
                      or_dash(signature->domain), or_dash(signature->selector),
                      algorithm_words[signature->algorithm], NULL);
        items[texts->len] = filterd_text(text);
        g_ptr_array_add(texts, text);
    }
    call->host->publish(call, FACT_RESULTS, filterd_list(items, texts->len));
}

static void
publish_domains(FilterdCall *call, GPtrArray *all)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree FilterdValue *items = g_new0(FilterdValue, all->len);
    size_t length = 0;
    for (guint i = 0; i < all->len; i++) {
        const Signature *signature = all->pdata[i];
        if (signature->result == RESULT_PASS
            && g_hash_table_add(seen, signature->domain))
            items[length++] = filterd_string(FILTERD_DOMAIN, signature->domain);
    }
    call->host->publish(call, FACT_DOMAINS, filterd_list(items, length));
}

/* For people; NULL: none. Caller frees. */
static char *
problem_of(const Signature *signature)
{
    if (signature->problem != NULL)
        return g_strdup(signature->problem);
    if (signature->result == RESULT_PASS && signature->loose != NULL)
        return g_strdup_printf("a field %s is not signed", signature->loose);
    return NULL;
}

static void
publish_problem(FilterdCall *call, GPtrArray *all)
{
    for (guint i = 0; i < all->len; i++) {
        const Signature *signature = all->pdata[i];
        g_autofree char *problem = problem_of(signature);
        if (problem == NULL)
            continue;
        g_autofree char *text = g_strdup_printf("%s (d=%s s=%s)", problem,
                                                or_dash(signature->domain),
                                                or_dash(signature->selector));
        call->host->publish(call, FACT_PROBLEM, filterd_text(text));
        return;
    }
}

static void
publish(FilterdCall *call, GPtrArray *all)
{
    Result best = RESULT_NONE;
    for (guint i = 0; i < all->len; i++)
        best = MAX(best, ((Signature *)all->pdata[i])->result);
    call->host->publish(call, FACT_RESULT, filterd_word(result_words[best]));
    publish_results(call, all);
    publish_domains(call, all);
    if (best == RESULT_NONE)
        call->host->publish(call, FACT_PROBLEM,
                            filterd_text("there is no signature"));
    else
        publish_problem(call, all);
}

/* The shortest beginning, of 8 octets or more, that no other b= has. */
static char *
unique_prefix(GPtrArray *all, const Signature *signature)
{
    size_t length = DEFAULT_PREFIX;
    for (guint i = 0; i < all->len; i++) {
        const Signature *other = all->pdata[i];
        if (other == signature || other->bytes == NULL
            || strcmp(other->bytes, signature->bytes) == 0)
            continue;
        size_t common = 0;
        while (other->bytes[common] == signature->bytes[common])
            common++;
        length = MAX(length, common + 1);
    }
    return g_strndup(signature->bytes, length);
}

static void
report(FilterdCall *call, GPtrArray *all, const Signature *signature)
{
    FilterdProperty properties[4];
    size_t length = 0;
    g_autofree char *prefix =
        signature->bytes != NULL ? unique_prefix(all, signature) : NULL;
    const FilterdProperty candidates[] = {
        {"header", "d", signature->domain},
        {"header", "s", signature->selector},
        {"header", "a",
         signature->algorithm != ALGORITHM_UNKNOWN
             ? algorithm_words[signature->algorithm]
             : NULL},
        {"header", "b", prefix},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(candidates); i++)
        if (candidates[i].value != NULL)
            properties[length++] = candidates[i];
    g_autofree char *problem = problem_of(signature);
    const char *comment = problem;
    if (comment == NULL && signature->testing)
        comment = "the key is under test";
    call->host->authres(call, "dkim", result_words[signature->result], comment,
                        properties, length);
}

static bool
eom(FilterdCall *call, GError **error)
{
    (void)error;
    const Config *config = call->config;
    Message *message = call->message;
    begin(call);
    if (message->signatures == NULL)
        message->signatures =
            g_ptr_array_new_with_free_func((GDestroyNotify)signature_free);
    if (!fetch_keys(call))
        return true;
    if (message->verification != NULL)
        verification_end(message->verification,
                         config->partial_body == PARTIAL_ALLOW);
    g_clear_pointer(&message->verification, verification_free);

    GPtrArray *all = message->signatures;
    publish(call, all);
    for (guint i = 0; i < all->len; i++) {
        const Signature *signature = all->pdata[i];
        if (signature->result != RESULT_NONE)
            report(call, all, signature);
    }
    return true;
}

/* ---- on the way out ----------------------------------------------------- */

static SigningCall
outgoing(const FilterdCall *call)
{
    return (SigningCall){&((const Instance *)call->instance)->signing,
                         &((Message *)call->message)->outgoing, NEED_AUTHOR};
}

static bool
sign_by_author(FilterdCall *call, const FilterdValue *arguments, GError **error)
{
    (void)arguments;
    return signing_by_author(call, outgoing(call), error);
}

static bool
sign_by_name(FilterdCall *call, const FilterdValue *arguments, GError **error)
{
    return signing_by_name(call, outgoing(call), arguments, error);
}

static bool
check_action(FilterdCall *call, const FilterdAction *action,
             const FilterdValue *arguments, GError **error)
{
    const Instance *instance = call->instance;
    const SigningCall at = {&instance->signing, NULL, NEED_AUTHOR};
    return signing_check(at, action, arguments, error);
}

static bool
sign_header(FilterdCall *call, const FilterdField *field, GError **error)
{
    (void)error;
    signing_field(call, outgoing(call), field);
    return true;
}

static bool
sign_body(FilterdCall *call, const char *bytes, size_t length, GError **error)
{
    (void)error;
    signing_body(call, outgoing(call), bytes, length);
    return true;
}

static bool
sign_end(FilterdCall *call, GError **error)
{
    return signing_end(call, outgoing(call), error);
}

static const FilterdType no_arguments[] = {FILTERD_UNKNOWN};
static const FilterdType domain_and_selector[] = {FILTERD_DOMAIN, FILTERD_TEXT,
                                                  FILTERD_UNKNOWN};

static const FilterdAction actions[] = {
    {"sign", "Signs what goes out with every key of the From domain.",
     no_arguments, sign_by_author, FILTERD_SIGNS},
    {"sign", "Signs what goes out with that key: domain, selector.",
     domain_and_selector, sign_by_name, FILTERD_SIGNS},
    {NULL},
};

static void
clear_message(FilterdCall *call)
{
    Message *message = call->message;
    outgoing_clear(&message->outgoing);
    header_clear(&message->header);
    g_clear_pointer(&message->verification, verification_free);
    g_clear_pointer(&message->signatures, g_ptr_array_unref);
}

FILTERD_PLUGIN(.name = "dkim", .version = "0.1",
               .summary = "DKIM signatures (RFC 6376), by libopendkim",
               .description = description, .example = example,
               .options = options, .config_size = sizeof(Config),
               .facts = facts, .needs = needs, .methods = methods,
               .actions = actions, .instance_size = sizeof(Instance),
               .message_size = sizeof(Message), .start = start, .stop = stop,
               .header = take_field, .body = take_body, .eom = eom,
               .clear_message = clear_message, .sign_header = sign_header,
               .sign_body = sign_body, .sign_end = sign_end,
               .check_action = check_action, .edits = 1 << FILTERD_ADD_HEADER);
