/* base/utf8.c - UTF-8: decode, encode, check. See utf8.h. */
#include "base/utf8.h"

/* Bytes that follow a lead byte, and the range the second byte must lie in (RFC 3629 4). */
static size_t lead_length(unsigned char lead, unsigned char *low, unsigned char *high)
{
    *low = 0x80;
    *high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF) {
        if (lead == 0xE0)
            *low = 0xA0; /* shorter forms are overlong */
        if (lead == 0xED)
            *high = 0x9F; /* surrogates */
        return 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        if (lead == 0xF0)
            *low = 0x90;
        if (lead == 0xF4)
            *high = 0x8F; /* above U+10FFFF */
        return 4;
    }
    return 0;
}

size_t utf8_decode(struct slice text, uint32_t *code)
{
    const unsigned char *p = (const unsigned char *)text.data;
    if (p[0] < 0x80) {
        *code = p[0];
        return 1;
    }
    unsigned char low, high;
    size_t len = lead_length(p[0], &low, &high);
    *code = UINT32_MAX;
    if (len == 0)
        return 1;
    uint32_t value = p[0] & (0xFFu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if (i >= text.len || p[i] < low || p[i] > high)
            return i;
        value = (value << 6) | (p[i] & 0x3Fu);
        low = 0x80;
        high = 0xBF;
    }
    *code = value;
    return len;
}

void utf8_encode(struct buf *out, uint32_t code)
{
    char *p = buf_reserve(out, 4);
    if (code < 0x80) {
        p[0] = (char)code;
        out->len += 1;
    } else if (code < 0x800) {
        p[0] = (char)(0xC0 | (code >> 6));
        p[1] = (char)(0x80 | (code & 0x3F));
        out->len += 2;
    } else if (code < 0x10000) {
        p[0] = (char)(0xE0 | (code >> 12));
        p[1] = (char)(0x80 | ((code >> 6) & 0x3F));
        p[2] = (char)(0x80 | (code & 0x3F));
        out->len += 3;
    } else {
        p[0] = (char)(0xF0 | (code >> 18));
        p[1] = (char)(0x80 | ((code >> 12) & 0x3F));
        p[2] = (char)(0x80 | ((code >> 6) & 0x3F));
        p[3] = (char)(0x80 | (code & 0x3F));
        out->len += 4;
    }
}

bool utf8_is_valid(struct slice text)
{
    uint32_t code;
    for (size_t at = 0; at < text.len;) {
        uint64_t word;
        if (text.len - at >= sizeof(word)) {
            memcpy(&word, text.data + at, sizeof(word));
            if ((word & ~(uint64_t)0 / 255 * 0x80) == 0) { /* eight of ASCII */
                at += sizeof(word);
                continue;
            }
        }
        if ((unsigned char)text.data[at] < 0x80) {
            at++;
            continue;
        }
        at += utf8_decode(slice_from(text, at), &code);
        if (code == UINT32_MAX)
            return false;
    }
    return true;
}

void utf8_clean(struct buf *out, struct slice text)
{
    uint32_t code;
    for (size_t at = 0; at < text.len;) {
        size_t n = utf8_decode(slice_from(text, at), &code);
        if (code == UINT32_MAX)
            utf8_encode(out, UTF8_REPLACEMENT);
        else
            buf_append(out, text.data + at, n);
        at += n;
    }
}
