/* base/err.c - error codes and their texts. See err.h. */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

const char *err_text(int code)
{
    switch (code) {
    case QLUA_EBADSIG: return "bad signature";
    case QLUA_EEXPIRED: return "signature expired";
    case QLUA_ESYNTAX: return "syntax error";
    case QLUA_ELIMIT: return "limit exceeded";
    case QLUA_ECLOSED: return "connection closed by the peer";
    case QLUA_ETIMEOUT: return "timed out";
    case QLUA_ECANCELLED: return "cancelled";
    default: return code == 0 ? "no error" : strerror(-code);
    }
}

int err_set(struct err *err, int code, const char *format, ...)
{
    if (err == NULL)
        return code;
    va_list args;
    va_start(args, format);
    err->code = code;
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    return code;
}
