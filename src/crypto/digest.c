/* crypto/digest.c - checksums of bodies. See digest.h. */
#include "crypto/digest.h"

#include <errno.h>
#include <openssl/evp.h>

int digest_md5_hex(struct slice text, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (EVP_Digest(text.data, text.len, digest, &len, EVP_md5(), NULL) != 1 ||
        len * 2 != DIGEST_MD5_HEX)
        return -EPERM;
    for (unsigned i = 0; i < len; i++) {
        hex[i * 2] = digits[digest[i] >> 4];
        hex[i * 2 + 1] = digits[digest[i] & 15];
    }
    return 0;
}
