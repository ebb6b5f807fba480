/* match.c: whether a mechanism matches the client (RFC 7208 section 5).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "plugins/spf/match.h"
#include "plugins/spf/macro.h"

#include <string.h>

#define MAPPED_BITS 96
#define ADDRESS_BITS 128

static bool
contains(const FilterdIp *network, unsigned prefix, const FilterdIp *ip)
{
    unsigned octets = prefix / 8, bits = prefix % 8;
    if (memcmp(network->bytes, ip->bytes, octets) != 0)
        return false;
    uint8_t differ = (network->bytes[octets % 16] ^ ip->bytes[octets % 16]);
    return bits == 0 || differ >> (8 - bits) == 0;
}

bool
spf_match_address(const SpfCheck *check, const SpfTerm *term)
{
    if (term->mechanism == SPF_MECHANISM_ALL)
        return true;
    bool ip4 = term->mechanism == SPF_MECHANISM_IP4;
    if (!ip4 && term->mechanism != SPF_MECHANISM_IP6)
        return false;
    return ip4 == spf_check_is_ip4(check)
           && contains(&term->network, term->network.prefix, &check->client);
}

static FilterdDnsType
address_type(const SpfCheck *check)
{
    return spf_check_is_ip4(check) ? FILTERD_DNS_A : FILTERD_DNS_AAAA;
}

static void
fail_dns(SpfCheck *check, const char *name)
{
    spf_check_force(check, SPF_OUTCOME_TEMPERROR, "no answer for %s", name);
}

/* A term whose questions came to nothing (section 4.6.4). */
static void
count_void(SpfCheck *check, const char *name)
{
    if (++check->voids > check->config->void_limit)
        spf_check_force(check, SPF_OUTCOME_PERMERROR,
                        "more than %d lookups without an answer, the last "
                        "for %s",
                        (int)check->config->void_limit, name);
}

static bool
is_void(const FilterdDnsAnswer *answer)
{
    return answer->status == FILTERD_DNS_NODATA
           || answer->status == FILTERD_DNS_NXDOMAIN;
}

static bool
answer_matches(const SpfCheck *check, const SpfTerm *term,
               const FilterdDnsAnswer *answer)
{
    unsigned prefix =
        spf_check_is_ip4(check) ? MAPPED_BITS + term->prefix4 : term->prefix6;
    for (gsize i = 0; i < answer->length; i++)
        if (contains(&answer->records[i].ip, prefix, &check->client))
            return true;
    return false;
}

/* Section 5.3. */
static bool
match_a(SpfCheck *check, const SpfTerm *term, const char *name)
{
    const FilterdDnsAnswer *answer =
        spf_check_dns(check, name, address_type(check));
    if (filterd_dns_failed(answer))
        fail_dns(check, name);
    else if (is_void(answer))
        count_void(check, name);
    return answer_matches(check, term, answer);
}

/* A host that matches is worth more than one that cannot be asked, and too many
 * hosts are too many: the order of the answer makes no difference. */
static bool
match_hosts(SpfCheck *check, const SpfTerm *term, const FilterdDnsAnswer *hosts)
{
    const char *failed = NULL;
    bool some = false;
    for (gsize i = 0; i < hosts->length && !check->cancelled; i++) {
        const char *host = hosts->records[i].name;
        const FilterdDnsAnswer *answer =
            spf_check_dns(check, host, address_type(check));
        if (answer_matches(check, term, answer))
            return true;
        if (filterd_dns_failed(answer))
            failed = host;
        some |= !is_void(answer);
    }
    if (failed != NULL)
        fail_dns(check, failed);
    else if (!some)
        count_void(check, hosts->records[0].name);
    return false;
}

/* Section 5.4. */
static bool
match_mx(SpfCheck *check, const SpfTerm *term, const char *name)
{
    const FilterdDnsAnswer *answer = spf_check_dns(check, name, FILTERD_DNS_MX);
    if (filterd_dns_failed(answer))
        fail_dns(check, name);
    else if (is_void(answer))
        count_void(check, name);
    if (answer->length > SPF_NAME_LIMIT)
        spf_check_force(check, SPF_OUTCOME_PERMERROR,
                        "%s has more than %d MX records", name, SPF_NAME_LIMIT);
    if (check->forced || answer->length == 0)
        return false;
    return match_hosts(check, term, answer);
}

/* Section 5.7: always A, whatever the client. */
static bool
match_exists(SpfCheck *check, G_GNUC_UNUSED const SpfTerm *term,
             const char *name)
{
    const FilterdDnsAnswer *answer = spf_check_dns(check, name, FILTERD_DNS_A);
    if (filterd_dns_failed(answer))
        fail_dns(check, name);
    else if (is_void(answer))
        count_void(check, name);
    return answer->length > 0;
}

static char *
reverse_name(const SpfCheck *check)
{
    const uint8_t *bytes = check->client.bytes;
    if (spf_check_is_ip4(check))
        return g_strdup_printf("%u.%u.%u.%u.in-addr.arpa", bytes[15], bytes[14],
                               bytes[13], bytes[12]);
    GString *name = g_string_new(NULL);
    for (int i = 15; i >= 0; i--)
        g_string_append_printf(name, "%x.%x.", bytes[i] & 15, bytes[i] >> 4);
    g_string_append(name, "ip6.arpa");
    return g_string_free(name, FALSE);
}

static bool
leads_back(SpfCheck *check, const char *name)
{
    const FilterdDnsAnswer *answer =
        spf_check_dns(check, name, address_type(check));
    for (gsize i = 0; i < answer->length; i++)
        if (contains(&answer->records[i].ip, ADDRESS_BITS, &check->client))
            return true;
    return false;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return g_ascii_strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

/* Asks for the client's names, once, and keeps those that lead back to it
 * (section 5.5), of the first ten: sorted, as the DNS has no order. Errors make
 * names fewer, never a result. */
static const FilterdDnsAnswer *
validate_names(SpfCheck *check)
{
    g_autofree char *reverse = reverse_name(check);
    const FilterdDnsAnswer *answer =
        spf_check_dns(check, reverse, FILTERD_DNS_PTR);
    if (check->validated != NULL)
        return answer;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (gsize i = 0; i < answer->length; i++)
        g_ptr_array_add(names, (gpointer)answer->records[i].name);
    g_ptr_array_sort(names, compare_names);
    check->validated = g_ptr_array_new();
    for (guint i = 0; i < MIN(names->len, SPF_NAME_LIMIT); i++)
        if (!check->cancelled && leads_back(check, names->pdata[i]))
            g_ptr_array_add(check->validated, names->pdata[i]);
    return answer;
}

static bool
is_below(const char *name, const char *domain)
{
    gsize length = strlen(name), tail = strlen(domain);
    return length > tail && name[length - tail - 1] == '.'
           && g_ascii_strcasecmp(name + length - tail, domain) == 0;
}

static bool
match_ptr(SpfCheck *check, G_GNUC_UNUSED const SpfTerm *term, const char *name)
{
    if (is_void(validate_names(check)))
        count_void(check, name);
    for (guint i = 0; i < check->validated->len; i++) {
        const char *validated = check->validated->pdata[i];
        if (g_ascii_strcasecmp(validated, name) == 0
            || is_below(validated, name))
            return true;
    }
    return false;
}

const char *
spf_match_client_name(SpfCheck *check, const char *domain)
{
    if (check->validated == NULL) {
        if (!check->explaining && !spf_check_count_lookup(check))
            return "unknown";
        validate_names(check);
    }
    const char *best = NULL, *below = NULL;
    for (guint i = 0; i < check->validated->len; i++) {
        const char *name = check->validated->pdata[i];
        if (g_ascii_strcasecmp(name, domain) == 0)
            return name;
        if (below == NULL && is_below(name, domain))
            below = name;
        if (best == NULL)
            best = name;
    }
    return below ? below : best ? best : "unknown";
}

bool
spf_match_dns(SpfCheck *check, const SpfTerm *term, const char *domain)
{
    static bool (*const matchers[])(SpfCheck *, const SpfTerm *,
                                    const char *) = {
        [SPF_MECHANISM_A] = match_a,
        [SPF_MECHANISM_MX] = match_mx,
        [SPF_MECHANISM_PTR] = match_ptr,
        [SPF_MECHANISM_EXISTS] = match_exists,
    };
    if (!spf_check_count_lookup(check))
        return false;
    g_autofree char *name = spf_domain_expand(check, domain, term->domain);
    if (check->forced)
        return false;
    return matchers[term->mechanism](check, term, name) && !check->forced;
}
