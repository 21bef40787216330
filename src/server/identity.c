/* server/identity.c - what the service shows of itself over TLS. See identity.h. */
#include "server/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "crypto/certificate.h"
#include "crypto/random.h"
#include "server/config.h"

/* A key makes tickets for so long and reads them for as long as they last: TLS_TICKET_KEYS of
 * them span that. */
#define TICKET_KEY_MS ((uint64_t)TLS_SESSION_SECONDS * 1000 / (TLS_TICKET_KEYS - 1))
/* More is no certificate. */
#define FILE_MOST (1024 * 1024)

/* ---- files ---- */

static void forget(struct buf *secret)
{
    if (secret->cap > 0)
        explicit_bzero(secret->data, secret->cap);
    buf_clear(secret);
}

static int read_all(int fd, struct buf *out)
{
    for (;;) {
        char *at = buf_reserve(out, 4096);
        ssize_t n = read(fd, at, 4096);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            return 0;
        out->len += n > 0 ? (size_t)n : 0;
        if (out->len > FILE_MOST)
            return -EFBIG;
    }
}

static int read_file(const char *path, const char *what, struct buf *out, struct err *err)
{
    snprintf(err->name, sizeof(err->name), "%s", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc = fd < 0 ? -errno : read_all(fd, out);
    if (fd >= 0)
        close(fd);
    if (rc == 0)
        return 0;
    return err_set(err, rc, "the %s cannot be read: %s", what, err_text(rc));
}

/* ---- checks ---- */

static struct tls_identity face_of(const struct identity *identity)
{
    return (struct tls_identity){
        .certificates = buf_view(&identity->certificates),
        .key = buf_view(&identity->key),
        .tickets = identity->tickets,
        .ntickets = identity->ntickets,
        .log = identity->log,
    };
}

/* Out of its time: clients will refuse it, but a clock may be wrong, and nobody is helped by a
 * server that does not start. */
static void warn_of_dates(const struct identity *identity, const struct certificate *certificate)
{
    char date[CLOCK_DATE_LEN];
    int64_t now = clock_seconds();
    bool over = certificate->not_after < now;
    if (!over && certificate->not_before <= now)
        return;
    clock_http_date(over ? certificate->not_after : certificate->not_before, date);
    log_write(identity->log, LOG_WARNING,
              over ? "%s: the certificate of %s expired on %.*s: clients will refuse it; renew it"
                   : "%s: the certificate of %s is not valid before %.*s: clients will refuse it",
              identity->config->cert, certificate->name, CLOCK_DATE_LEN, date);
}

static int load_certificates(struct identity *identity, struct certificate *certificate,
                             struct err *err)
{
    int rc = read_file(identity->config->cert, "certificate", &identity->certificates, err);
    if (rc == 0)
        rc = certificate_read(certificate, buf_view(&identity->certificates), err);
    identity->expires = certificate->not_after;
    return rc;
}

/* Both in one file is usual, too. */
static int load_key(struct identity *identity, const struct certificate *certificate,
                    struct err *err)
{
    const struct config *config = identity->config;
    int rc = read_file(config->key != NULL ? config->key : config->cert, "private key",
                       &identity->key, err);
    if (rc == 0)
        rc = certificate_check_key(certificate, buf_view(&identity->key), err);
    if (rc == -ENOKEY && config->key == NULL)
        err_set(err, rc, "there is no private key beside the certificate; name its file with key");
    return rc;
}

/* Read and check both: whether a worker can serve with them. */
static int load(struct identity *identity, struct certificate *certificate, struct err *err)
{
    int rc = load_certificates(identity, certificate, err);
    if (rc == 0)
        rc = load_key(identity, certificate, err);
    if (rc != 0)
        return rc;
    struct tls_identity face = face_of(identity);
    struct tls_context *context = tls_context_new(&face, err);
    snprintf(err->name, sizeof(err->name), "%s", context == NULL ? identity->config->cert : "");
    bool ok = context != NULL;
    tls_context_unref(&context);
    return ok ? 0 : err->code;
}

/* ---- tickets ---- */

static void make_ticket_key(struct identity *identity, uint64_t now)
{
    memmove(&identity->tickets[1], &identity->tickets[0],
            sizeof(identity->tickets) - sizeof(identity->tickets[0]));
    random_bytes(&identity->tickets[0], sizeof(identity->tickets[0]));
    identity->ntickets += identity->ntickets < TLS_TICKET_KEYS;
    identity->renewed = now;
    identity->version++;
}

bool identity_renew_tickets(struct identity *identity, uint64_t now)
{
    if (identity->ntickets == 0 || now - identity->renewed < TICKET_KEY_MS)
        return false;
    make_ticket_key(identity, now);
    return true;
}

/* ---- the whole ---- */

int identity_open(struct identity *identity, const struct config *config, const struct log *log,
                  uint64_t now, struct err *err)
{
    struct certificate certificate = {0};
    *identity = (struct identity){.config = config, .log = log};
    make_ticket_key(identity, now);
    int rc = load(identity, &certificate, err);
    if (rc == 0)
        warn_of_dates(identity, &certificate);
    certificate_clear(&certificate);
    if (rc != 0)
        identity_clear(identity);
    return rc;
}

void identity_clear(struct identity *identity)
{
    forget(&identity->certificates);
    forget(&identity->key);
    explicit_bzero(identity->tickets, sizeof(identity->tickets));
    *identity = (struct identity){0};
}

/* Use the files' texts of another one, which has none any more. */
static void replace_files(struct identity *identity, struct identity *other)
{
    forget(&identity->certificates);
    forget(&identity->key);
    identity->certificates = other->certificates;
    identity->key = other->key;
    identity->expires = other->expires;
    identity->version++;
}

bool identity_refresh(struct identity *identity)
{
    struct identity next = {.config = identity->config, .log = identity->log};
    struct certificate certificate = {0};
    struct err err = {0};
    int rc = load(&next, &certificate, &err);
    identity->refused = rc != 0;
    bool changed =
        rc == 0 && (!slice_eq(buf_view(&next.certificates), buf_view(&identity->certificates)) ||
                    !slice_eq(buf_view(&next.key), buf_view(&identity->key)));
    if (rc != 0)
        log_write(identity->log, LOG_ERROR, "%s: %s; the former certificate stays in use", err.name,
                  err.message);
    else
        warn_of_dates(&next, &certificate);
    if (changed) {
        char date[CLOCK_DATE_LEN];
        clock_http_date(certificate.not_after, date);
        replace_files(identity, &next);
        log_write(identity->log, LOG_INFO,
                  "%s: the certificate of %s, valid until %.*s, is in use from now on",
                  identity->config->cert, certificate.name, CLOCK_DATE_LEN, date);
    } else {
        forget(&next.certificates);
        forget(&next.key);
    }
    certificate_clear(&certificate);
    return changed;
}

struct tls_context *identity_context(const struct identity *identity)
{
    struct err err = {0};
    struct tls_identity face = face_of(identity);
    struct tls_context *context = tls_context_new(&face, &err);
    if (context == NULL)
        log_write(identity->log, LOG_ERROR, "%s: %s", identity->config->cert, err.message);
    return context;
}

/* ---- from process to process ---- */

/* What stands before the two texts. */
struct packed {
    uint64_t certificates;
    uint64_t key;
    uint64_t renewed;
    uint32_t ntickets;
    struct tls_ticket_key tickets[TLS_TICKET_KEYS];
};

static bool write_all(int fd, const void *data, size_t len)
{
    return write(fd, data, len) == (ssize_t)len; /* it is memory: all of it, or none */
}

static int pack(const struct identity *identity, struct slice certificates, struct slice key)
{
    struct packed head = {
        .certificates = certificates.len,
        .key = key.len,
        .renewed = identity->renewed,
        .ntickets = identity->ntickets,
    };
    memcpy(head.tickets, identity->tickets, sizeof(head.tickets));
    int fd = memfd_create("qlua-identity", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    bool ok = write_all(fd, &head, sizeof(head)) &&
              write_all(fd, certificates.data, certificates.len) &&
              write_all(fd, key.data, key.len) &&
              fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) == 0;
    int rc = ok ? fd : -EIO;
    explicit_bzero(&head, sizeof(head));
    if (!ok)
        close(fd);
    return rc;
}

int identity_pack(const struct identity *identity)
{
    return pack(identity, buf_view(&identity->certificates), buf_view(&identity->key));
}

int identity_pack_tickets(const struct identity *identity)
{
    return pack(identity, SLICE(""), SLICE(""));
}

int identity_take_tickets(struct identity *identity, int fd)
{
    struct packed head;
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size != (off_t)sizeof(head) ||
        pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) || head.certificates != 0 ||
        head.key != 0 || head.ntickets == 0 || head.ntickets > TLS_TICKET_KEYS)
        return -EPROTO;
    memcpy(identity->tickets, head.tickets, sizeof(head.tickets));
    identity->ntickets = head.ntickets;
    identity->renewed = head.renewed;
    identity->version++;
    explicit_bzero(&head, sizeof(head));
    return 0;
}

/* The offset is shared with the other workers: pread. */
static bool read_part(int fd, off_t at, struct buf *out, size_t len)
{
    char *dst = buf_reserve(out, len + 1);
    if (pread(fd, dst, len, at) != (ssize_t)len)
        return false;
    out->len = len;
    return true;
}

int identity_take(struct identity *identity, int fd)
{
    struct packed head;
    struct identity next = {0};
    if (pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
        head.ntickets > TLS_TICKET_KEYS || head.certificates > FILE_MOST || head.key > FILE_MOST)
        return -EPROTO;
    bool ok = read_part(fd, sizeof(head), &next.certificates, head.certificates) &&
              read_part(fd, (off_t)(sizeof(head) + head.certificates), &next.key, head.key);
    if (ok) {
        replace_files(identity, &next);
        memcpy(identity->tickets, head.tickets, sizeof(head.tickets));
        identity->ntickets = head.ntickets;
        identity->renewed = head.renewed;
    } else {
        forget(&next.certificates);
        forget(&next.key);
    }
    explicit_bzero(&head, sizeof(head));
    return ok ? 0 : -EPROTO;
}
