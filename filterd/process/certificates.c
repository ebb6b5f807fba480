/* certificates.c: whether the certificates and keys of a configuration are
 * such.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "filterd/process/certificates.h"

#include "filterd/base/tls-certificate.h"
#include "filterd/process/statement.h"

typedef struct Review {
    const Bundle *bundle;
    PolicyReport *report;
} Review;

static void
refuse(const Review *review, const PolicyPlace *statement, const char *word,
       const FilterdFile *file, const GError *error)
{
    PolicyPlace place = statement_option(review->bundle, statement, word);
    statement_refuse(review->bundle, review->report, &place, NULL,
                     "`%s` is no good: %s", file->path, error->message);
}

static void
review_pair(const Review *review, const PolicyPlace *statement,
            const FilterdFile *chain, const FilterdFile *key)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TlsCertificate) certificate =
        tls_certificate_new(chain, key, &error);
    if (certificate == NULL) {
        gboolean key_is_to_blame = error->code == TLS_ERROR_KEY;
        refuse(review, statement, key_is_to_blame ? "key" : "certificate",
               key_is_to_blame ? key : chain, error);
        return;
    }
    g_autofree char *complaint = tls_certificate_complaint(certificate);
    if (complaint == NULL)
        return;
    PolicyPlace place =
        statement_option(review->bundle, statement, "certificate");
    statement_warn(review->bundle, review->report, &place,
                   "clients will not like `%s`: %s", chain->path, complaint);
}

static void
review_authority(const Review *review, const PolicyPlace *statement,
                 const char *word, const FilterdFile *file)
{
    g_autoptr(GError) error = NULL;
    if (file->path != NULL && !tls_authority_check(file, &error))
        refuse(review, statement, word, file, error);
}

static void
review_listen(const Review *review, const PolicyListen *listen)
{
    const FilterdFile *chains = listen->certificate.items;
    const FilterdFile *keys = listen->key.items;
    for (size_t i = 0; i < listen->certificate.length; i++)
        review_pair(review, &listen->place, &chains[i], &keys[i]);
    review_authority(review, &listen->place, "client-ca", &listen->client_ca);
}

gboolean
certificates_check(const PolicyConfig *config, const Bundle *bundle,
                   PolicyReport *report)
{
    const Review review = {bundle, report};
    unsigned before = report->errors;
    for (unsigned i = 0; i < config->listens->len; i++)
        review_listen(&review, g_ptr_array_index(config->listens, i));
    for (unsigned i = 0; i < config->backends->len; i++) {
        const PolicyBackend *backend = g_ptr_array_index(config->backends, i);
        review_authority(&review, &backend->place, "ca", &backend->ca);
    }
    review_authority(&review, &config->store.place, "ca", &config->store.ca);
    return report->errors == before;
}
