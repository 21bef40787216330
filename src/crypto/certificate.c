/* crypto/certificate.c - is this a certificate, and does that key belong to it? See
 * certificate.h. */
#include "crypto/certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdbool.h>
#include <time.h>

#include "base/err.h"

/* Nobody is there to type a passphrase; that it was asked for is remembered. */
static int on_passphrase(char *dst, int size, int writing, void *data)
{
    (void)dst;
    (void)size;
    (void)writing;
    *(bool *)data = true;
    return -1;
}

static bool is_text_end(void)
{
    return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm parts;
    return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

/* The first DNS name it is good for, else its common name. */
static void describe(struct certificate *certificate, X509 *own)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(own, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int type;
        const ASN1_STRING *text = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
        if (type != GEN_DNS)
            continue;
        snprintf(certificate->name, sizeof(certificate->name), "%.*s", ASN1_STRING_length(text),
                 (const char *)ASN1_STRING_get0_data(text));
        break;
    }
    GENERAL_NAMES_free(names);
    if (certificate->name[0] == '\0' &&
        X509_NAME_get_text_by_NID(X509_get_subject_name(own), NID_commonName, certificate->name,
                                  sizeof(certificate->name)) <= 0)
        snprintf(certificate->name, sizeof(certificate->name), "no name");
}

static int refuse_text(unsigned count, struct err *err)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    if (count == 0 && is_text_end())
        return err_set(err, QLUA_ESYNTAX,
                       "there is no certificate in it; it must hold one in PEM, beginning with "
                       "-----BEGIN CERTIFICATE-----");
    return err_set(err, QLUA_ESYNTAX, "certificate %u in it is damaged: %s", count + 1,
                   why == NULL ? "it cannot be read" : why);
}

int certificate_read(struct certificate *certificate, struct slice pem, struct err *err)
{
    *certificate = (struct certificate){0};
    ERR_clear_error();
    bool asked = false;
    BIO *bio = BIO_new_mem_buf(pem.len == 0 ? "" : pem.data, (int)pem.len);
    X509 *own = PEM_read_bio_X509_AUX(bio, NULL, on_passphrase, &asked);
    X509 *next;
    if (own != NULL) {
        certificate->count = 1;
        while ((next = PEM_read_bio_X509(bio, NULL, on_passphrase, &asked)) != NULL) {
            certificate->count++;
            X509_free(next);
        }
    }
    bool ok = own != NULL && is_text_end();
    int rc = ok ? 0 : refuse_text(certificate->count, err);
    BIO_free(bio);
    ERR_clear_error();
    if (!ok) {
        X509_free(own);
        return rc;
    }
    certificate->own = own;
    certificate->not_before = seconds_of(X509_get0_notBefore(own));
    certificate->not_after = seconds_of(X509_get0_notAfter(own));
    describe(certificate, own);
    return 0;
}

void certificate_clear(struct certificate *certificate)
{
    X509_free(certificate->own);
    *certificate = (struct certificate){0};
}

static int refuse_key(struct slice pem, bool asked, struct err *err)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    if (asked)
        return err_set(err, QLUA_ESYNTAX,
                       "the private key is encrypted, and nobody is there to be asked for the "
                       "passphrase; decrypt it with: openssl pkey -in FILE -out NEWFILE");
    static const char mark[] = "PRIVATE KEY-----";
    if (pem.len == 0 || memmem(pem.data, pem.len, mark, sizeof(mark) - 1) == NULL)
        return err_set(err, -ENOKEY,
                       "there is no private key in it; it must hold one in PEM, beginning with "
                       "-----BEGIN PRIVATE KEY-----");
    return err_set(err, QLUA_ESYNTAX, "the private key in it is damaged: %s",
                   why == NULL ? "it cannot be read" : why);
}

int certificate_check_key(const struct certificate *certificate, struct slice pem, struct err *err)
{
    bool asked = false;
    int rc = 0;
    ERR_clear_error();
    BIO *bio = BIO_new_mem_buf(pem.len == 0 ? "" : pem.data, (int)pem.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, &asked);
    if (key == NULL)
        rc = refuse_key(pem, asked, err);
    else if (X509_check_private_key(certificate->own, key) != 1)
        rc = err_set(err, QLUA_ESYNTAX, "the private key is not that of the certificate");
    EVP_PKEY_free(key);
    BIO_free(bio);
    ERR_clear_error();
    return rc;
}
