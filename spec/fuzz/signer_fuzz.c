/* spec/fuzz/signer_fuzz.c - tokens of any bytes, opened, parted and verified; what verifies can
 * only be what was signed, and what is signed verifies. */
#include <assert.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "crypto/base64.h"
#include "crypto/signer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1700000000

/* Parts lie within the token, whatever it is. */
static void check_parts(const struct signer *signer, struct slice token)
{
    struct slice text, mac, payload;
    int64_t time = -1;
    int rc = signer_open(signer, token, &text, &mac);
    assert(rc == 0 || rc == QLUA_EBADSIG);
    if (text.data == NULL)
        return;
    assert(text.data == token.data && text.len + mac.len < token.len);
    if (signer_part(signer, text, &payload, &time) == 0)
        assert(time >= 0 && payload.len < text.len);
}

static void check_round_trip(const struct signer *signer, struct slice payload, struct arena *arena)
{
    struct slice back, text;
    struct slice token = signer_sign(signer, arena, payload, NOW);
    int rc = signer_verify(signer, token, NOW + 60, 60, &back);
    assert(rc == 0 && slice_eq(back, payload));
    rc = signer_verify(signer, token, NOW - 1, 60, &back);
    assert(rc == QLUA_EEXPIRED);
    rc = signer_open(signer, signer_seal(signer, arena, payload), &text, NULL);
    assert(rc == 0 && slice_eq(text, payload));
}

/* Encoding what was decoded and decoding that gives the same bytes. */
static void check_base64(struct slice input, enum base64_form form, struct arena *arena)
{
    char *bytes = arena_alloc(arena, BASE64_DECODED_MAX(input.len));
    char *text = arena_alloc(arena, BASE64_ENCODED_MAX(BASE64_DECODED_MAX(input.len)));
    char *again = arena_alloc(arena, BASE64_DECODED_MAX(input.len) + 3);
    size_t len, len_again;
    if (base64_decode_loose(form, input, bytes, &len) != 0)
        return;
    struct slice encoded = {text, base64_encode(form, slice_of(bytes, len), text)};
    int rc = base64_decode_loose(form, encoded, again, &len_again);
    assert(rc == 0 && slice_eq(slice_of(bytes, len), slice_of(again, len_again)));
    if (form == BASE64_PLAIN)
        assert(base64_decode(encoded, again, &len_again) == 0 && len_again == len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size);
    struct slice keys[] = {SLICE("old-secret"), SLICE("dev-secret")};
    struct signer_options options = {
        .keys = keys,
        .nkeys = 2,
        .salt = SLICE("cookie-session"),
        .separator = size > 0 && data[0] == ':' ? SLICE("::") : SLICE("."),
        .digest = (enum digest_kind)(size % 4),
        .derivation = (enum signer_derivation)(size / 4 % 4),
    };
    struct signer *signer = signer_new(&options);
    struct arena arena;
    arena_init(&arena);
    check_parts(signer, input);
    check_round_trip(signer, input, &arena);
    check_base64(input, BASE64_PLAIN, &arena);
    check_base64(input, BASE64_URL, &arena);
    arena_clear(&arena);
    signer_free(signer);
    return 0;
}
