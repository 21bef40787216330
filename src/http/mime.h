/* http/mime.h - media types: by file name, and which of them say a charset.
 *
 * Place in the flow: static files and send_file take the type from here, Response asks whether
 * to add "; charset=utf-8". The types are those Python's mimetypes gives on Debian, so that an
 * app moved here answers as before. Every slice is static storage.
 */
#ifndef QLUA_HTTP_MIME_H
#define QLUA_HTTP_MIME_H

#include <stdbool.h>

#include "base/slice.h"

/* The type of a file by its extension, in any letter case; empty when it is not known. filename
 * may have folders. A compressed file is what it is ("a.css.gz" is application/gzip): who sends
 * it with a Content-Encoding asks for the name without the last extension. */
struct slice mime_type_of(struct slice filename);

/* Does Quart add a charset to this media type (without parameters)? text types, "+xml" types
 * and a few of application/. */
bool mime_wants_charset(struct slice mimetype);

#endif
