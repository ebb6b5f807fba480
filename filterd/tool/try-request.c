/* try-request.c: what filterctl try is asked: its arguments, and the message on
 * standard input.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/tool/try.h"

#include "filterd/base/ip.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define INPUT_LIMIT (256 * 1024 * 1024)

static gboolean
wrong(const char *what, const char *value)
{
    fprintf(stderr, "filterctl try: %s: %s\n", what, value);
    return FALSE;
}

static void
address_free(void *data)
{
    mail_address_clear(data);
    g_free(data);
}

/* A reverse-path that SMTP would have refused is tried all the same: checks
 * meet those too. */
static gboolean
read_addresses(TryRequest *request)
{
    g_autoptr(GError) error = NULL;
    const char *from = request->from != NULL ? request->from : "<>";
    if (!mail_address_parse_bare(from, MAIL_REVERSE_PATH,
                                 &request->reverse_path, &error)
        && !mail_address_split(from, &request->reverse_path))
        return wrong("--from", error->message);
    g_clear_error(&error);
    if (request->to == NULL)
        return wrong("--to", "is missing");
    for (unsigned i = 0; request->to[i] != NULL; i++) {
        MailAddress *address = g_new0(MailAddress, 1);
        g_ptr_array_add(request->recipients, address);
        if (!mail_address_parse_bare(request->to[i], MAIL_FORWARD_PATH, address,
                                     &error))
            return wrong("--to", error->message);
    }
    return TRUE;
}

/* A file with bare LFs only is a file of this system: each is a line's end. One
 * with CRLFs is taken as it is. */
static void
stuff(TryRequest *request, const char *bytes, gsize length)
{
    gboolean crlf = memmem(bytes, length, "\r\n", 2) != NULL;
    for (gsize i = 0; i < length; i++) {
        gboolean start = i == 0
                         || (bytes[i - 1] == '\n'
                             && (!crlf || i < 2 || bytes[i - 2] == '\r'));
        if (start && bytes[i] == '.')
            g_string_append_c(request->message, '.');
        if (bytes[i] == '\n' && !crlf)
            g_string_append_c(request->message, '\r');
        g_string_append_c(request->message, bytes[i]);
    }
    if (!g_str_has_suffix(request->message->str, "\r\n")
        || memchr(request->message->str, 0, request->message->len) != NULL)
        g_string_append(request->message, "\r\n");
    g_string_append(request->message, ".\r\n");
}

static gboolean
read_message(TryRequest *request)
{
    char buffer[65536];
    ssize_t length;
    g_autoptr(GString) input = g_string_new(NULL);
    while ((length = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
        g_string_append_len(input, buffer, length);
        if (input->len > INPUT_LIMIT)
            return wrong("standard input", "is too large");
    }
    if (length < 0 || input->len == 0)
        return wrong("standard input", "has no message");
    stuff(request, input->str, input->len);
    return TRUE;
}

static gboolean
parse_options(TryRequest *request, int *argc, char ***argv)
{
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &request->json,
         "One JSON object instead of text", NULL},
        {"facts", 0, 0, G_OPTION_ARG_NONE, &request->facts,
         "Every fact, not only those that rules asked for", NULL},
        {"color", 0, 0, G_OPTION_ARG_STRING, &request->color,
         "auto, always or never", "WHEN"},
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &request->config,
         "The configuration", "FILE"},
        {"zone", 0, 0, G_OPTION_ARG_FILENAME, &request->zone,
         "A master file with all the DNS there is", "FILE"},
        {"resolver", 0, 0, G_OPTION_ARG_STRING, &request->resolver,
         "The resolver to ask", "ADDRESS@PORT"},
        {"client", 0, 0, G_OPTION_ARG_STRING, &request->client,
         "The client's address", "IP"},
        {"client-name", 0, 0, G_OPTION_ARG_FILENAME, &request->client_name,
         "Its confirmed name, instead of looking it up", "NAME"},
        {"helo", 0, 0, G_OPTION_ARG_FILENAME, &request->helo,
         "The argument of EHLO", "NAME"},
        {"from", 0, 0, G_OPTION_ARG_FILENAME, &request->from,
         "The reverse-path; <> is the null one", "ADDRESS"},
        {"to", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &request->to,
         "A recipient; may be repeated", "ADDRESS"},
        {"message-out", 0, 0, G_OPTION_ARG_FILENAME, &request->message_out,
         "Where to write the message as the backend would get it", "FILE"},
        {NULL},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context =
        g_option_context_new("[FILE] < MESSAGE");
    g_option_context_add_main_entries(context, entries, NULL);
    return g_option_context_parse(context, argc, argv, &error)
           || wrong("arguments", error->message);
}

/* Facts are free of control characters, wherever they come from. */
static gboolean
is_name(const char *text)
{
    while (*text != '\0' && !g_ascii_iscntrl(*text))
        text++;
    return *text == '\0';
}

static gboolean
read_names(TryRequest *request)
{
    if (request->client == NULL || !ip_parse(request->client, &request->ip))
        return wrong("--client", "is missing or no address");
    if (request->client_name != NULL && !is_name(request->client_name))
        return wrong("--client-name", "has control characters");
    if (request->helo == NULL)
        request->helo = g_strdup("unknown");
    return is_name(request->helo) || wrong("--helo", "has control characters");
}

gboolean
try_request_read(TryRequest *request, int argc, char **argv)
{
    *request = (TryRequest){
        .recipients = g_ptr_array_new_with_free_func(address_free),
        .message = g_string_new(NULL),
    };
    if (!parse_options(request, &argc, &argv))
        return FALSE;
    if (request->config == NULL && argc == 2)
        request->config = g_strdup(argv[1]);
    else if (argc > 1)
        return wrong("arguments", "one configuration, the message from input");
    if (request->config == NULL)
        return wrong("--config", "is missing");
    if (!view_colour(request->color, &request->colour))
        return wrong("--color", "is auto, always or never");
    return read_names(request) && read_addresses(request)
           && read_message(request);
}

void
try_request_clear(TryRequest *request)
{
    char *const texts[] = {
        request->color,    request->config, request->zone,
        request->resolver, request->client, request->client_name,
        request->helo,     request->from,   request->message_out};
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_strfreev(request->to);
    mail_address_clear(&request->reverse_path);
    g_ptr_array_unref(request->recipients);
    g_string_free(request->message, TRUE);
}
