/* crypto/signer.c - signatures for cookies and tokens. See signer.h. */
#include "crypto/signer.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/mem.h"
#include "crypto/base64.h"

/* Characters of a time: eight bytes. */
#define TIME_MAX     BASE64_ENCODED_MAX(8)
#define MAC_TEXT_MAX BASE64_ENCODED_MAX(DIGEST_MAX)
/* A longer mac or time is not decoded: ours have 86 and 11 characters at most, but Python passes
 * over what is not base64. */
#define DECODED_TEXT_MAX 1024

struct signer {
    struct slice separator;
    size_t nkeys;
    struct hmac *keys[]; /* as in the options: the last signs */
};

/* The key of the mac into dst (DIGEST_MAX bytes), or the secret itself. */
static struct slice derive(const struct signer_options *options, struct slice secret,
                           unsigned char *dst)
{
    struct slice salt = options->salt;
    size_t len = 0;
    switch (options->derivation) {
    case SIGNER_HMAC: {
        struct hmac *hmac = hmac_new(options->digest, secret);
        len = hmac_of(hmac, &salt, 1, dst);
        hmac_free(hmac);
        break;
    }
    case SIGNER_CONCAT:
        len = digest_of(options->digest, (struct slice[]){salt, secret}, 2, dst);
        break;
    case SIGNER_DJANGO_CONCAT:
        len = digest_of(options->digest, (struct slice[]){salt, SLICE("signer"), secret}, 3, dst);
        break;
    case SIGNER_NONE: return secret;
    }
    return slice_of((const char *)dst, len);
}

struct signer *signer_new(const struct signer_options *options)
{
    assert(options->nkeys > 0 && options->keys != NULL);
    struct slice separator = options->separator.len > 0 ? options->separator : SLICE(".");
    size_t size = sizeof(struct signer) + options->nkeys * sizeof(struct hmac *);
    struct signer *signer = mem_alloc(size + separator.len);
    char *copy = (char *)signer + size;
    memcpy(copy, separator.data, separator.len);
    signer->separator = slice_of(copy, separator.len);
    signer->nkeys = options->nkeys;
    unsigned char key[DIGEST_MAX];
    for (size_t i = 0; i < options->nkeys; i++)
        signer->keys[i] = hmac_new(options->digest, derive(options, options->keys[i], key));
    OPENSSL_cleanse(key, sizeof(key));
    return signer;
}

void signer_free(struct signer *signer)
{
    if (signer == NULL)
        return;
    for (size_t i = 0; i < signer->nkeys; i++)
        hmac_free(signer->keys[i]);
    free(signer);
}

/* Room for text and what signing adds; text is copied in. */
static char *start_token(struct arena *arena, const struct signer *signer, struct slice text)
{
    char *token =
        arena_alloc(arena, text.len + 2 * signer->separator.len + TIME_MAX + MAC_TEXT_MAX);
    if (text.len > 0)
        memcpy(token, text.data, text.len);
    return token;
}

static size_t append_separator(const struct signer *signer, char *token, size_t len)
{
    memcpy(token + len, signer->separator.data, signer->separator.len);
    return len + signer->separator.len;
}

/* Sign the first len bytes of token; returns the whole. */
static struct slice finish_token(const struct signer *signer, char *token, size_t len)
{
    unsigned char mac[DIGEST_MAX];
    struct slice text = {token, len};
    struct slice bytes = {(const char *)mac, 0};
    bytes.len = hmac_of(signer->keys[signer->nkeys - 1], &text, 1, mac);
    len = append_separator(signer, token, len);
    len += base64_encode(BASE64_URL, bytes, token + len);
    return slice_of(token, len);
}

struct slice signer_seal(const struct signer *signer, struct arena *arena, struct slice text)
{
    return finish_token(signer, start_token(arena, signer, text), text.len);
}

/* Big-endian without leading zero bytes, so that 0 is the empty text. */
static size_t encode_time(int64_t now, char *dst)
{
    char bytes[8];
    size_t len = 0;
    for (int shift = 56; shift >= 0; shift -= 8) {
        unsigned char byte = (unsigned char)((uint64_t)now >> shift & 0xff);
        if (len > 0 || byte != 0)
            bytes[len++] = (char)byte;
    }
    return base64_encode(BASE64_URL, slice_of(bytes, len), dst);
}

struct slice signer_sign(const struct signer *signer, struct arena *arena, struct slice payload,
                         int64_t now)
{
    char *token = start_token(arena, signer, payload);
    size_t len = append_separator(signer, token, payload.len);
    len += encode_time(now < 0 ? 0 : now, token + len);
    return finish_token(signer, token, len);
}

/* Cut text at the last separator: *head and *tail. Returns whether there is one. */
static bool cut(const struct signer *signer, struct slice text, struct slice *head,
                struct slice *tail)
{
    struct slice separator = signer->separator;
    for (size_t at = text.len; at-- > 0;) {
        const char *last = memrchr(text.data, separator.data[0], at + 1);
        if (last == NULL)
            return false;
        at = (size_t)(last - text.data);
        struct slice rest = slice_from(text, at);
        if (slice_starts_with(rest, separator)) {
            *head = slice_of(text.data, at);
            *tail = slice_from(rest, separator.len);
            return true;
        }
    }
    return false;
}

/* Decode the text of a mac or of a time into dst, which has BASE64_DECODED_MAX(DECODED_TEXT_MAX).
 */
static bool decode(struct slice text, char *dst, struct slice *bytes)
{
    *bytes = slice_of(dst, 0);
    return text.len <= DECODED_TEXT_MAX &&
           base64_decode_loose(BASE64_URL, text, dst, &bytes->len) == 0;
}

/* Decoded bytes are compared: the last character of a mac has bits that say nothing. */
static bool verifies(const struct signer *signer, struct slice text, struct slice mac)
{
    char decoded[BASE64_DECODED_MAX(DECODED_TEXT_MAX)];
    struct slice given;
    if (!decode(mac, decoded, &given))
        return false;
    for (size_t i = signer->nkeys; i-- > 0;) {
        unsigned char digest[DIGEST_MAX];
        struct slice expected = {(const char *)digest, 0};
        expected.len = hmac_of(signer->keys[i], &text, 1, digest);
        if (digest_eq(expected, given))
            return true;
    }
    return false;
}

int signer_open(const struct signer *signer, struct slice token, struct slice *text,
                struct slice *mac)
{
    struct slice tail = {NULL, 0};
    *text = tail;
    bool is_cut = cut(signer, token, text, &tail);
    if (mac != NULL)
        *mac = tail;
    return is_cut && verifies(signer, *text, tail) ? 0 : QLUA_EBADSIG;
}

int signer_part(const struct signer *signer, struct slice text, struct slice *payload,
                int64_t *time)
{
    struct slice tail, bytes;
    char decoded[BASE64_DECODED_MAX(DECODED_TEXT_MAX)];
    if (!cut(signer, text, payload, &tail))
        return -ENOENT;
    if (!decode(tail, decoded, &bytes))
        return QLUA_ESYNTAX;
    uint64_t number = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        if (number > (uint64_t)INT64_MAX >> 8) {
            number = INT64_MAX;
            break;
        }
        number = number << 8 | (unsigned char)bytes.data[i];
    }
    *time = (int64_t)number;
    return 0;
}

int signer_verify(const struct signer *signer, struct slice token, int64_t now, int64_t max_age,
                  struct slice *payload)
{
    struct slice text, part;
    int64_t time;
    if (signer_open(signer, token, &text, NULL) != 0 ||
        signer_part(signer, text, &part, &time) != 0)
        return QLUA_EBADSIG;
    /* no subtraction of what the token says: time is any number */
    if (max_age >= 0 && (time > now || now - time > max_age))
        return QLUA_EEXPIRED;
    *payload = part;
    return 0;
}
