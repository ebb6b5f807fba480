/* settings.c: `set`, `listen`, `backend`, `dns` and `store`.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "policy/settings.h"

#include "policy/options.h"
#include "policy/setting-tables.h"

#include <string.h>

static const char *const wire_words[] = {"smtp",   "lmtp", "milter",
                                         "policy", "http", NULL};
static const char *const store_words[] = {"memory", "sqlite", "redis", NULL};
#define BACKEND_WIRES 2

void
settings_start(Compile *compile)
{
    compile->set = g_new(Options, 1);
    options_init(compile->set, "`set`", setting_set,
                 &compile->config->settings);
}

void
settings_stop(Compile *compile)
{
    options_clear(compile->set);
    g_free(compile->set);
}

/* set = "set" WORD value . */
gboolean
settings_parse_set(Compile *compile, G_GNUC_UNUSED const PolicyPlace *place)
{
    return options_parse_one(compile, compile->set, FALSE);
}

/* The index of the bare word at hand among the first `count`; -1 with a
 * complaint. */
static int
parse_choice(Compile *compile, const char *kind, const char *const *words,
             int count)
{
    PolicyPlace place = compile->token.place;
    g_autofree const char **choice = g_new0(const char *, (gsize)count + 1);

    memcpy(choice, words, (gsize)count * sizeof(*words));
    if (compile->token.kind != TOKEN_BARE) {
        g_autofree char *wanted = compile_join(choice);
        compile_expected(compile, wanted);
        return -1;
    }
    const char *word = compile_word(compile, kind);
    for (int i = 0; word != NULL && i < count; i++)
        if (strcmp(choice[i], word) == 0)
            return i;
    g_autofree char *what = g_strdup_printf("no %s", kind);
    if (word != NULL)
        compile_no_such(compile, &place, what, word, choice);
    return -1;
}

static gboolean
is_host(const char *text)
{
    return g_ascii_isalpha(*text) && strchr(text, ':') == strrchr(text, ':');
}

/* A port alone, or one of every address; NULL. Caller frees. */
static char *
near_endpoint(const char *text, const char *any)
{
    const char *port = text + strspn(text, "*:");

    if (!g_ascii_isdigit(*port) || port[strspn(port, "0123456789")] != '\0')
        return NULL;
    return g_strdup_printf("%s:%s", any, port);
}

/* At `any` address, where there is but a port. */
static gboolean
parse_endpoint(Compile *compile, Endpoint *endpoint, const char *any)
{
    g_autoptr(GError) error = NULL;
    PolicyPlace place = compile->token.place;
    const char *text = compile_value(compile, "an address with its port");

    if (text == NULL)
        return FALSE;
    if (endpoint_parse(text, ':', endpoint, &error))
        return TRUE;
    g_autofree char *near = near_endpoint(text, any);
    const Complaint complaint = {
        .near = near,
        .hint = is_host(text)
                    ? "a host is not looked up by its name here: give its "
                      "address"
                    : "such as 0.0.0.0:25, [::1]:25 or "
                      "\"unix:/run/filterd/x\""};
    compile_complain(compile, &place, &complaint,
                     "this is no address to use: %s", error->message);
    return FALSE;
}

static gboolean
parse_options(Compile *compile, Options *options, const PolicyPlace *place)
{
    gboolean ok = TRUE;

    options->place = *place;
    if (compile->token.kind == TOKEN_OPEN)
        ok = options_parse_block(compile, options);
    options_finish(compile, options);
    return ok;
}

/* TLS needs something to show. */
static void
check_listen(Compile *compile, const Options *options,
             const PolicyListen *listen)
{
    const PolicyPlace *tls = options_place(options, "tls");
    const PolicyPlace *key = options_place(options, "key");

    if (key != NULL && listen->key.length != listen->certificate.length)
        compile_error(compile, key, "the same number of both, in one order",
                      "there are %zu keys and %zu certificates",
                      listen->key.length, listen->certificate.length);
    if (listen->tls == POLICY_TLS_OFF || tls == NULL)
        return;
    if (options_place(options, "certificate") == NULL)
        compile_error(compile, tls, "certificate \"/etc/filterd/mx.pem\"",
                      "TLS needs a `certificate`");
    if (key == NULL)
        compile_error(compile, tls, "key \"/etc/filterd/mx.key\"",
                      "TLS needs a `key`");
}

/* chmod(1)'s, without the bits that a socket has no use for. */
static gboolean
parse_mode(const char *text, unsigned *permissions)
{
    gsize length = strlen(text);

    if (length < 3 || length > 4 || strspn(text, "01234567") != length)
        return FALSE;
    *permissions = (unsigned)g_ascii_strtoull(text, NULL, 8);
    return *permissions != 0 && *permissions <= 0777;
}

/* Who may reach it. */
static void
check_socket(Compile *compile, const Options *options, PolicyListen *listen)
{
    static const char *const words[] = {"mode", "owner", "group"};

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (listen->endpoint.path == NULL
            && options_place(options, words[i]) != NULL)
            compile_error(compile, options_place(options, words[i]),
                          "leave it out, or listen on \"unix:PATH\"",
                          "only a unix socket has `%s`", words[i]);
    if (listen->mode != NULL && !parse_mode(listen->mode, &listen->permissions))
        compile_error(compile, options_place(options, "mode"),
                      "three octal digits, such as 0660", "`%s` is no mode",
                      listen->mode);
}

#define MAIL (1U << POLICY_SMTP | 1U << POLICY_LMTP)
#define MILTER (1U << POLICY_MILTER)
#define SERVICE (1U << POLICY_SERVICE)
#define HTTP (1U << POLICY_HTTP)

/* Options that mean something to some ways in only. */
static const struct Scope {
    const char *word;
    unsigned wires;
    const char *whose;
} listen_scopes[] = {
    {"tls", MAIL | HTTP, "`smtp` and `lmtp`"},
    {"certificate", MAIL | HTTP, "`smtp` and `lmtp`"},
    {"key", MAIL | HTTP, "`smtp` and `lmtp`"},
    {"client-certificates", MAIL, "`smtp` and `lmtp`"},
    {"client-ca", MAIL, "`smtp` and `lmtp`"},
    {"proxy-from", MAIL, "`smtp` and `lmtp`"},
    {"xclient-from", MAIL, "`smtp` and `lmtp`"},
    {"xforward-from", MAIL, "`smtp` and `lmtp`"},
    {"auth", MAIL, "`smtp` and `lmtp`"},
    {"without", MAIL, "`smtp` and `lmtp`"},
    {"pass-through", MAIL, "`smtp` and `lmtp`"},
    {"greeting-delay", MAIL, "`smtp` and `lmtp`"},
    {"data-timeout", MAIL, "`smtp` and `lmtp`"},
    {"command-timeout", MAIL | MILTER, "`smtp`, `lmtp` and `milter`"},
    {"max-sessions", MAIL | MILTER | SERVICE, "mail"},
};

/* FALSE: some do not. */
static gboolean
check_scopes(Compile *compile, const Options *options,
             const PolicyListen *listen)
{
    unsigned before = compile->report->errors;

    for (gsize i = 0; i < G_N_ELEMENTS(listen_scopes); i++) {
        const struct Scope *scope = &listen_scopes[i];
        const PolicyPlace *place = options_place(options, scope->word);

        if (place != NULL && (scope->wires & 1U << listen->wire) == 0)
            compile_error(compile, place, NULL, "`%s` is for %s, not for `%s`",
                          scope->word, scope->whose, wire_words[listen->wire]);
    }
    return compile->report->errors == before;
}

/* listen = "listen" ("smtp"|"lmtp"|"milter"|"policy"|"http") ADDRESS
 *          [ block ] . */
gboolean
settings_parse_listen(Compile *compile, const PolicyPlace *place)
{
    PolicyListen *listen = arena_alloc(&compile->rules->arena, sizeof(*listen));
    Options options;
    int wire = parse_choice(compile, "protocol", wire_words,
                            (int)G_N_ELEMENTS(wire_words) - 1);

    if (wire < 0 || !parse_endpoint(compile, &listen->endpoint, "0.0.0.0"))
        return FALSE;
    listen->wire = (PolicyWire)wire;
    listen->place = *place;
    g_ptr_array_add(compile->config->listens, listen);
    options_init(&options, "`listen`", setting_listen, listen);
    gboolean ok = parse_options(compile, &options, place);
    if (check_scopes(compile, &options, listen))
        check_listen(compile, &options, listen);
    check_socket(compile, &options, listen);
    options_clear(&options);
    return ok;
}

/* A PROXY header or XCLIENT tells of the client; this is its address itself. */
static void
check_source(Compile *compile, const Options *options, PolicyBackend *backend)
{
    const PolicyPlace *place = options_place(options, "source");
    const Endpoint *endpoint = &backend->endpoint;

    if (place == NULL || backend->source == NULL)
        return;
    backend->source_client = strcmp(backend->source, "client") == 0;
    backend->source_given =
        !backend->source_client && strcmp(backend->source, "own") != 0;
    if (backend->source_given
        && (!ip_parse(backend->source, &backend->source_own)
            || strchr(backend->source, '/') != NULL))
        compile_error(compile, place,
                      "own, client or an address of this "
                      "machine, such as 192.0.2.1",
                      "`%s` is no source", backend->source);
    else if ((backend->source_client || backend->source_given)
             && endpoint->path != NULL)
        compile_error(compile, place, "leave `source` out",
                      "a connection to a socket has no source");
    else if (backend->source_given
             && ip_is_v4(&backend->source_own) != ip_is_v4(&endpoint->ip))
        compile_error(compile, place, NULL,
                      "one of `source` and the backend is IPv4, one IPv6");
}

/* backend = "backend" ("smtp"|"lmtp") ADDRESS [ block ] . */
gboolean
settings_parse_backend(Compile *compile, const PolicyPlace *place)
{
    PolicyBackend *backend =
        arena_alloc(&compile->rules->arena, sizeof(*backend));
    Options options;
    int wire = parse_choice(compile, "protocol", wire_words, BACKEND_WIRES);

    if (wire < 0 || !parse_endpoint(compile, &backend->endpoint, "127.0.0.1"))
        return FALSE;
    backend->wire = (PolicyWire)wire;
    backend->place = *place;
    g_ptr_array_add(compile->config->backends, backend);
    options_init(&options, "`backend`", setting_backend, backend);
    gboolean ok = parse_options(compile, &options, place);
    if (backend->tls == POLICY_TLS_VERIFIED && backend->name == NULL
        && backend->endpoint.path != NULL)
        compile_error(compile, options_place(&options, "tls"),
                      "name mail.example.com",
                      "a socket has no host to verify: it needs a `name`");
    check_source(compile, &options, backend);
    options_clear(&options);
    return ok;
}

/* Complains of a statement that may stand once. */
static gboolean
note_once(Compile *compile, PolicyPlace *seen, const PolicyPlace *place,
          const char *word)
{
    if (seen->line == 0) {
        *seen = *place;
        return TRUE;
    }
    g_autofree char *line = compile_line(seen, place);
    g_autofree char *hint = g_strdup_printf("it is given in %s already", line);
    compile_error(compile, place, hint, "`%s` is given twice", word);
    return FALSE;
}

static gboolean
valid_resolver(const char *text)
{
    Endpoint endpoint = {0};

    if (strcmp(text, "system") == 0 || strcmp(text, "recursive") == 0)
        return TRUE;
    gboolean ok =
        endpoint_parse(text, '@', &endpoint, NULL) && endpoint.path == NULL;
    endpoint_clear(&endpoint);
    return ok;
}

static void
check_resolvers(Compile *compile, const Options *options)
{
    const FilterdArray *resolvers = &compile->config->dns.resolver;
    const char *const *texts = resolvers->items;
    const PolicyPlace *place = options_place(options, "resolver");

    for (gsize i = 0; place != NULL && i < resolvers->length; i++)
        if (!valid_resolver(texts[i]))
            compile_error(compile, place,
                          "system, recursive or ADDRESS@PORT, such as "
                          "192.0.2.53@53",
                          "`%s` is no resolver", texts[i]);
}

/* dns = "dns" block . */
gboolean
settings_parse_dns(Compile *compile, const PolicyPlace *place)
{
    Options options;

    if (!note_once(compile, &compile->dns_place, place, "dns"))
        return FALSE;
    if (compile->token.kind != TOKEN_OPEN) {
        compile_expected(compile, "`{`");
        return FALSE;
    }
    options_init(&options, "`dns`", setting_dns, &compile->config->dns);
    gboolean ok = parse_options(compile, &options, place);
    if (ok)
        check_resolvers(compile, &options);
    options_clear(&options);
    return ok;
}

/* ---- store -------------------------------------------------------------- */

static void
check_node(Compile *compile, const PolicyPlace *place, const char *text)
{
    g_autoptr(GError) error = NULL;
    Endpoint endpoint = {0};

    if (!endpoint_parse(text, ':', &endpoint, &error))
        compile_error(compile, place,
                      "such as 127.0.0.1:6379, [::1]:6379 or "
                      "\"unix:/run/redis/redis.sock\"",
                      "this is no address to use: %s", error->message);
    else if (endpoint.path == NULL && endpoint.port == 0)
        compile_error(compile, place, "6379 is usual",
                      "\"%s\": nobody listens on port 0", text);
    endpoint_clear(&endpoint);
}

static void
check_nodes(Compile *compile, const Options *options, const PolicyStore *store,
            const PolicyPlace *where)
{
    const char *const *nodes = store->node.items;

    check_node(compile, where, store->where);
    for (gsize i = 0; i < store->node.length; i++)
        check_node(compile, options_place(options, "node"), nodes[i]);
}

/* Its line break is the editor's. */
static void
check_password(Compile *compile, const Options *options, PolicyStore *store)
{
    const PolicyPlace *place = options_place(options, "password");
    const PolicyPlace *user = options_place(options, "user");
    FilterdFile *file = &store->password;

    if (user != NULL && place == NULL)
        compile_error(compile, user, "password \"/etc/filterd/redis.password\"",
                      "a `user` needs a `password`");
    if (place == NULL || file->bytes == NULL)
        return;
    gsize length = strcspn(file->bytes, "\r\n");
    gsize rest = strspn(file->bytes + length, "\r\n");
    if (length == 0 || length + rest != file->length
        || length > POLICY_PASSWORD_LIMIT)
        compile_error(compile, place, "one line with the password in it",
                      "there is no password in this file");
    else
        file->bytes = compile_keep(compile, file->bytes, (gssize)length);
    file->length = length;
}

static void
check_redis_tls(Compile *compile, const Options *options,
                const PolicyStore *store)
{
    static const char *const words[] = {"ca", "name"};
    gboolean verified = store->tls == POLICY_REDIS_VERIFIED;

    for (gsize i = 0; !verified && i < G_N_ELEMENTS(words); i++)
        if (options_place(options, words[i]) != NULL)
            compile_error(compile, options_place(options, words[i]),
                          "tls verified",
                          "without `tls verified` nothing is "
                          "verified by `%s`",
                          words[i]);
    if (verified && store->name == NULL
        && g_str_has_prefix(store->where, "unix:"))
        compile_error(compile, options_place(options, "tls"),
                      "name redis.example.com",
                      "a socket has no host to verify: it needs a `name`");
}

static void
check_prefix(Compile *compile, const Options *options, const PolicyStore *store)
{
    const PolicyPlace *place = options_place(options, "prefix");

    if (place == NULL || store->prefix == NULL)
        return;
    gboolean fits = strlen(store->prefix) <= POLICY_PREFIX_LIMIT;
    for (const char *c = store->prefix; *c != '\0'; c++)
        fits = fits && g_ascii_isgraph(*c);
    if (!fits)
        compile_error(compile, place, "such as filterd:",
                      "a prefix has at most %d octets, without spaces",
                      POLICY_PREFIX_LIMIT);
}

static gboolean
parse_redis(Compile *compile, PolicyStore *store)
{
    Options options;
    PolicyPlace where = compile->token.place;

    store->where = compile_value(compile, "an address with its port");
    if (store->where == NULL)
        return FALSE;
    options_init(&options, "`store redis`", setting_redis, store);
    gboolean ok = parse_options(compile, &options, &store->place);
    if (ok) {
        check_nodes(compile, &options, store, &where);
        check_password(compile, &options, store);
        check_redis_tls(compile, &options, store);
        check_prefix(compile, &options, store);
    }
    options_clear(&options);
    return ok;
}

static gboolean
parse_local(Compile *compile, PolicyStore *store)
{
    Options options;

    if (store->kind == POLICY_STORE_SQLITE) {
        const char *value = compile_value(compile, "a path");
        if (value == NULL)
            return FALSE;
        g_autofree char *path = compile_resolve(store->place.file, value);
        store->where = compile_keep(compile, path, -1);
    }
    options_init(&options, "`store`", setting_store, store);
    gboolean ok = parse_options(compile, &options, &store->place);
    options_clear(&options);
    return ok;
}

/* store = "store" ( ("sqlite"|"redis") value | "memory" ) [ block ] . */
gboolean
settings_parse_store(Compile *compile, const PolicyPlace *place)
{
    PolicyStore *store = &compile->config->store;

    if (!note_once(compile, &compile->store_place, place, "store"))
        return FALSE;
    int kind = parse_choice(compile, "store", store_words,
                            (int)G_N_ELEMENTS(store_words) - 1);
    if (kind < 0)
        return FALSE;
    store->kind = (PolicyStoreKind)kind;
    store->place = *place;
    return store->kind == POLICY_STORE_REDIS ? parse_redis(compile, store)
                                             : parse_local(compile, store);
}

static void
default_store(Compile *compile)
{
    PolicyConfig *config = compile->config;
    const char *directory = config->settings.state_directory;

    if (compile->store_place.line > 0)
        return;
    Options options;
    options_init(&options, "`store`", setting_store, &config->store);
    options_finish(compile, &options);
    options_clear(&options);
    if (directory == NULL)
        return;
    g_autofree char *path = g_build_filename(directory, "filterd.db", NULL);
    config->store.kind = POLICY_STORE_SQLITE;
    config->store.where = compile_keep(compile, path, -1);
}

/* A file of such a name is "./no". */
static gboolean
seems_boolean(const char *text)
{
    static const char *const words[] = {"no", "yes", "none", "false", "true",
                                        "0",  "1",   "on",   "off"};

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(text, words[i]) == 0)
            return TRUE;
    return FALSE;
}

static void
check_decision_log(Compile *compile, const char *where)
{
    const char *const right = "`on`, `off` or a file, such as \"kept.log\"";

    if (where == NULL || strcmp(where, "on") == 0 || strcmp(where, "off") == 0)
        return;
    if (*where == '\0')
        compile_error(compile, options_place(compile->set, "decision-log"),
                      right, "the decision log has no name");
    else if (seems_boolean(where))
        compile_error(
            compile, options_place(compile->set, "decision-log"), right,
            "`%s` is neither `on` nor `off`, and hardly a file", where);
}

void
settings_finish(Compile *compile)
{
    PolicySettings *settings = &compile->config->settings;
    Options options;

    options_finish(compile, compile->set);
    if (settings->authserv_id == NULL)
        settings->authserv_id = settings->hostname;
    if (compile->dns_place.line == 0) {
        options_init(&options, "`dns`", setting_dns, &compile->config->dns);
        options_finish(compile, &options);
        options_clear(&options);
    }
    check_decision_log(compile, settings->decision_log);
    default_store(compile);
}
