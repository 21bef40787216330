/* route/quote.c - percent-encoding of the parts of a URL. See quote.h. */
#include "route/quote.h"

#include "base/buf.h"
#include "base/escape.h"

void route_quote_path(struct buf *out, struct slice text)
{
    escape_url(out, text, SLICE("!$&'()*+,/:;=@"));
}

void route_quote_query(struct buf *out, struct slice text)
{
    while (text.len > 0) {
        size_t space = slice_find(text, ' ');
        escape_url(out, slice_of(text.data, space), SLICE("!$'()*,/:;?@"));
        if (space < text.len)
            buf_char(out, '+');
        text = slice_from(text, space + 1);
    }
}

void route_quote_anchor(struct buf *out, struct slice text)
{
    escape_url(out, text, SLICE("%!#$&'()*+,/:;=?@"));
}
