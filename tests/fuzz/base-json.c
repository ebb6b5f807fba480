/* base-json.c: fuzzes the reader of JSON, and what is written for it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/base/json.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* Every text in it ends, and no list is endless. */
static size_t
count(const JsonValue *value)
{
    size_t sum = 1;
    if (value->name != NULL)
        sum += strlen(value->name);
    if (value->type == JSON_TEXT)
        return sum + strlen(value->text);
    if (value->type != JSON_ARRAY && value->type != JSON_OBJECT)
        return sum;
    for (const JsonValue *one = value->first; one != NULL; one = one->next) {
        g_assert_true((one->name != NULL) == (value->type == JSON_OBJECT));
        sum += count(one);
    }
    return sum;
}

/* Whatever the octets are they come back, up to the first NUL. */
static void
write_and_read(JsonReader *reader, const uint8_t *bytes, size_t length)
{
    g_autofree char *text = g_strndup((const char *)bytes, length);
    g_autoptr(GString) out = g_string_new(NULL);
    json_append(out, text, strlen(text));
    g_assert_true(g_utf8_validate(out->str, (gssize)out->len, NULL));
    g_assert_null(strchr(out->str, '\n'));
    const JsonValue *value = json_read(reader, out->str, out->len);
    g_assert_nonnull(value);
    g_assert_cmpstr(value->text, ==, text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    g_autoptr(JsonReader) reader = json_reader_new();
    const JsonValue *value = json_read(reader, (const char *)bytes, length);
    if (value != NULL)
        g_assert_cmpuint(count(value), <=, length + 1);
    write_and_read(reader, bytes, length);
    return 0;
}
