/* base/err.h - error codes, and errors a person reads.
 *
 * Place in the flow: functions return 0 or a negative code: errno's (which is what libuv gives
 * on Unix) or one of QLUA_E*, which lie below -10000. Where a person must read it, a struct err
 * is the last argument. Knows neither the log nor Lua.
 */
#ifndef QLUA_BASE_ERR_H
#define QLUA_BASE_ERR_H

#include <stdarg.h>

enum qlua_errno {
    QLUA_EBADSIG = -10001,   /* signature does not verify */
    QLUA_EEXPIRED = -10002,  /* signed token is too old */
    QLUA_ESYNTAX = -10003,   /* input does not follow its grammar */
    QLUA_ELIMIT = -10004,    /* a stated limit is exceeded */
    QLUA_ECLOSED = -10005,   /* the peer is gone */
    QLUA_ETIMEOUT = -10006,  /* a deadline passed */
    QLUA_ECANCELLED = -10007 /* cancelled by the program */
};

struct err {
    int code;          /* 0: no error */
    int line;          /* 1-based, 0 when unknown */
    int column;        /* 1-based, 0 when unknown */
    char name[256];    /* file, template or key; "" when there is none */
    char message[512]; /* one sentence: what was wrong and what to do */
};

/* A text for either kind of code; static storage for QLUA_E*, strerror's for errno. */
const char *err_text(int code);

/* Fill err (which may be NULL) and return code, so that callers write return err_set(...). */
int err_set(struct err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
