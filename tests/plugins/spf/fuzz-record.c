/* fuzz-record.c: a check of which the fuzzer writes every answer.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The input is lines: the first is the sender's local part, the second the
 * HELO name; each DNS question gets the next of the others, round and round:
 * as TXT, as a name, or by its first octet as an address or a failure. The
 * result must be a result, and all texts printable.
 *
 */
#include "plugins/spf/check.h"
#include "plugins/spf/received.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define INPUT_LIMIT 65536
/* 10 lookups of 11 questions, and the PTR of %{p} with its ten names, the
 * first record and the explanation. */
#define QUESTION_LIMIT 134
#define NAMES_LIMIT 12

/* A line as a text that ends with a NUL, and as octets that do not. */
typedef struct Line {
    char *text;
    char *bytes;
    gsize length;
} Line;

typedef struct World {
    FilterdCall call; /* first: the host gets a pointer to it */
    GArray *lines;    /* Line */
    unsigned next;
    unsigned questions;
    GPtrArray *answers; /* Answer; they live as long as the check */
} World;

typedef struct Answer {
    FilterdDnsAnswer answer;
    FilterdDnsRecord records[NAMES_LIMIT];
} Answer;

static const SpfConfig config = {.lookup_limit = 10,
                                 .void_limit = 2,
                                 .explanation = true,
                                 .receiver = "mx.example.com"};

static void
line_clear(gpointer data)
{
    Line *line = data;
    g_free(line->text);
    g_free(line->bytes);
}

static GArray *
split(const uint8_t *bytes, gsize length)
{
    GArray *lines = g_array_new(FALSE, FALSE, sizeof(Line));
    g_array_set_clear_func(lines, line_clear);
    do {
        const uint8_t *end = length ? memchr(bytes, '\n', length) : NULL;
        gsize taken = end ? (gsize)(end - bytes) : length;
        Line line = {g_strndup((const char *)bytes, taken),
                     g_memdup2(bytes, taken), taken};
        g_array_append_val(lines, line);
        bytes += taken + (end != NULL);
        length -= taken + (end != NULL);
    } while (length > 0);
    return lines;
}

static const Line *
next_line(World *world)
{
    return &g_array_index(world->lines, Line,
                          world->next++ % world->lines->len);
}

static const FilterdDnsAnswer *
fuzz_dns(FilterdCall *call, const char *name, FilterdDnsType type)
{
    World *world = (World *)call;
    const Line *line = next_line(world);
    unsigned octet = (unsigned char)line->text[0];
    g_assert_cmpuint(strlen(name), <, INPUT_LIMIT);
    g_assert_cmpuint(++world->questions, <=, QUESTION_LIMIT);
    Answer *out = g_new0(Answer, 1);
    g_ptr_array_add(world->answers, out);
    out->answer.records = out->records;
    if (octet > 0 && octet < FILTERD_DNS_CANCELLED)
        out->answer.status = (FilterdDnsStatus)octet;
    else
        out->answer.length =
            type == FILTERD_DNS_TXT ? 1 : 1 + octet % NAMES_LIMIT;
    for (gsize i = 0; i < out->answer.length; i++) {
        out->records[i] = (FilterdDnsRecord){
            .name = line->text, .bytes = line->bytes, .length = line->length};
        out->records[i].ip.bytes[15] = (uint8_t)octet;
    }
    return &out->answer;
}

static int64_t
fuzz_now(G_GNUC_UNUSED FilterdCall *call)
{
    return 1000;
}

static const FilterdHost host = {
    .size = sizeof(FilterdHost), .dns = fuzz_dns, .now = fuzz_now};

static void
assert_clean(const char *text)
{
    if (text == NULL)
        return;
    g_assert(strlen(text) <= SPF_TEXT_LIMIT);
    for (; *text != '\0'; text++)
        g_assert(g_ascii_isprint(*text));
}

static void
check_input(World *world)
{
    const char *local = next_line(world)->text;
    g_auto(SpfCheck) check = {.call = &world->call,
                              .config = &config,
                              .domain = "example.org",
                              .local = local,
                              .sender_domain = "example.org",
                              .helo = next_line(world)->text,
                              .explain = true};
    check.client.bytes[15] = 'a';
    if (strlen(local) % 2 == 1)
        memset(check.client.bytes + 10, 0xff, 2);
    spf_check_run(&check);
    g_assert(check.result <= SPF_OUTCOME_PERMERROR);
    g_assert(check.lookups <= config.lookup_limit);
    assert_clean(check.mechanism);
    assert_clean(check.explanation);
    assert_clean(check.problem);
    g_autofree char *received = spf_received_format(&check, "x");
    g_assert_null(strchr(received, '\r'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length > INPUT_LIMIT)
        return 0;
    World world = {.call = {.host = &host, .config = &config},
                   .lines = split(bytes, length),
                   .answers = g_ptr_array_new_with_free_func(g_free)};
    check_input(&world);
    g_ptr_array_unref(world.answers);
    g_array_unref(world.lines);
    return 0;
}
