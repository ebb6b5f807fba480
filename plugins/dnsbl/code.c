/* code.c: which codes of a list count.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/dnsbl/code.h"

#include <string.h>

#define CODE_LENGTH 32 /* octets of the longest, and some */

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

bool
code_is_error(uint32_t address)
{
    return address >> 24 != 127 || address == 0x7f000001
           || address >> 8 == 0x7fffff;
}

bool
code_address(const FilterdIp *ip, uint32_t *address)
{
    const uint8_t *bytes = ip->bytes;

    if (memcmp(bytes, mapped, sizeof mapped) != 0)
        return false;
    *address = (uint32_t)bytes[12] << 24 | (uint32_t)bytes[13] << 16
               | (uint32_t)bytes[14] << 8 | bytes[15];
    return true;
}

bool
code_has(const Code *code, uint32_t address)
{
    return address >= code->low && address <= code->high
           && (code->bits == 0 || (address & code->bits) != 0);
}

/* ---- parsing ------------------------------------------------------------ */

/* Decimal, without zeros in front; `at` moves behind it. */
static bool
number_parse(const char **at, unsigned most, uint32_t *number)
{
    const char *start = *at;
    uint32_t value = 0;

    for (; g_ascii_isdigit(**at) && *at - start < 4; (*at)++)
        value = value * 10 + (uint32_t)(**at - '0');
    *number = value;
    return *at > start && value <= most && (*start != '0' || *at == start + 1);
}

static bool
address_parse(const char **at, uint32_t *address)
{
    uint32_t octet;

    *address = 0;
    for (int i = 0; i < 4; i++) {
        if (i > 0 && *(*at)++ != '.')
            return false;
        if (!number_parse(at, 255, &octet))
            return false;
        *address = *address << 8 | octet;
    }
    return true;
}

static bool
network_parse(const char **at, Code *code)
{
    uint32_t length;

    if (!number_parse(at, 32, &length) || length == 0)
        return false;

    uint32_t rest = length == 32 ? 0 : UINT32_MAX >> length;

    code->high = code->low | rest;
    return (code->low & rest) == 0;
}

static bool
range_parse(const char **at, Code *code)
{
    uint32_t last;

    if (strchr(*at, '.') != NULL)
        return address_parse(at, &code->high);
    if (!number_parse(at, 255, &last))
        return false;
    code->high = (code->low & ~UINT32_C(255)) | last;
    return true;
}

static bool
bits_parse(const char **at, Code *code)
{
    code->high = code->low | 255;
    return (code->low & 255) == 0 && number_parse(at, 255, &code->bits)
           && code->bits != 0;
}

static const struct {
    char mark;
    bool (*parse)(const char **at, Code *code);
} forms[] = {
    {'/', network_parse},
    {'-', range_parse},
    {'&', bits_parse},
};

static bool
form_parse(const char **at, Code *code)
{
    char mark = *(*at)++;

    for (gsize i = 0; i < G_N_ELEMENTS(forms); i++)
        if (forms[i].mark == mark)
            return forms[i].parse(at, code);
    return false;
}

/* Whether there is a code in it that is no error: errors lie at the edges. */
static bool
may_count(const Code *code)
{
    return code->low <= code->high && code->low >> 24 == 127
           && code->high >> 24 == 127
           && (code->low != code->high || !code_is_error(code->low))
           && code->low >> 8 != 0x7fffff;
}

bool
code_parse(const char *text, Code *code)
{
    const char *at = text;

    *code = (Code){0};
    if (strlen(text) >= CODE_LENGTH || !address_parse(&at, &code->low))
        return false;
    code->high = code->low;
    if (*at != '\0' && !form_parse(&at, code))
        return false;
    return *at == '\0' && may_count(code);
}
