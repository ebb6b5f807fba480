/* entity.c: character references of HTML (HTML Living Standard 13.5), by number
 * and those names that a link can hide behind.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/uribl/entity.h"

#include <string.h>

#define CODE_LIMIT 0x110000

static const struct {
    const char *name;
    char c;
} names[] = {
    {"amp", '&'},    {"AMP", '&'},    {"lt", '<'},     {"gt", '>'},
    {"quot", '"'},   {"apos", '\''},  {"colon", ':'},  {"sol", '/'},
    {"bsol", '\\'},  {"period", '.'}, {"commat", '@'}, {"quest", '?'},
    {"num", '#'},    {"equals", '='}, {"percnt", '%'}, {"lowbar", '_'},
    {"hyphen", '-'}, {"dash", '-'},   {"Tab", '\t'},   {"NewLine", '\n'},
    {"nbsp", ' '},
};

static gunichar
number_parse(const char *text, size_t length)
{
    unsigned base = length > 0 && (*text | 0x20) == 'x' ? 16 : 10;
    gunichar code = 0;

    for (size_t i = base == 16 ? 1 : 0; i < length; i++) {
        int digit = g_ascii_xdigit_value(text[i]);

        if (digit < 0 || digit >= (int)base)
            return 0;
        code = MIN(code * base + (gunichar)digit, CODE_LIMIT);
    }
    return g_unichar_validate(code) ? code : 0;
}

size_t
entity_decode(const char *text, size_t length, char out[6])
{
    if (length > 1 && *text == '#') {
        gunichar code = number_parse(text + 1, length - 1);

        return code != 0 ? (size_t)g_unichar_to_utf8(code, out) : 0;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (strlen(names[i].name) == length
            && memcmp(names[i].name, text, length) == 0) {
            out[0] = names[i].c;
            return 1;
        }
    return 0;
}
