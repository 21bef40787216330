/* server/dotenv.c - the file .env beside the app. See dotenv.h. */
#include "server/dotenv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"

#define DOTENV_MAX (1024 * 1024)

struct reader {
    struct slice rest;
    int line;
    struct buf name;
    struct buf value;
    dotenv_on_set *on_set;
    void *data;
    struct err *err;
};

static int fail(const struct reader *reader, const char *message)
{
    err_set(reader->err, QLUA_ESYNTAX, "%s", message);
    reader->err->line = reader->line;
    return QLUA_ESYNTAX;
}

static char peek(const struct reader *reader)
{
    return reader->rest.len == 0 ? '\n' : reader->rest.data[0];
}

static void skip(struct reader *reader)
{
    if (reader->rest.len == 0)
        return;
    reader->line += reader->rest.data[0] == '\n';
    reader->rest = slice_from(reader->rest, 1);
}

static void skip_blanks(struct reader *reader)
{
    while (is_ows(peek(reader)) || peek(reader) == '\r')
        skip(reader);
}

static bool is_name(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

static int read_name(struct reader *reader)
{
    if (slice_starts_with(reader->rest, SLICE("export ")))
        reader->rest = slice_from(reader->rest, 7);
    skip_blanks(reader);
    reader->name.len = 0;
    while (is_name(peek(reader), reader->name.len == 0)) {
        buf_char(&reader->name, peek(reader));
        skip(reader);
    }
    skip_blanks(reader);
    if (reader->name.len == 0 || peek(reader) != '=')
        return fail(reader, "a line must be NAME=VALUE or begin with #");
    skip(reader);
    skip_blanks(reader);
    buf_char(&reader->name, '\0');
    return 0;
}

static char unescape(char c)
{
    return c == 'n' ? '\n' : (c == 't' ? '\t' : c);
}

static int read_quoted(struct reader *reader, char quote)
{
    int first = reader->line;
    skip(reader);
    while (reader->rest.len > 0 && peek(reader) != quote) {
        char c = peek(reader);
        skip(reader);
        if (c == '\\' && quote == '"' && strchr("nt\\\"$", peek(reader)) != NULL) {
            c = unescape(peek(reader));
            skip(reader);
        }
        buf_char(&reader->value, c);
    }
    if (reader->rest.len == 0) {
        reader->line = first;
        return fail(reader, "the quote that begins here has no end");
    }
    skip(reader);
    skip_blanks(reader);
    if (peek(reader) == '#')
        while (peek(reader) != '\n')
            skip(reader);
    return peek(reader) == '\n' ? 0 : fail(reader, "text after the closing quote");
}

static void read_bare(struct reader *reader)
{
    char before = ' ';
    while (peek(reader) != '\n' && !(peek(reader) == '#' && is_ows(before))) {
        before = peek(reader);
        buf_char(&reader->value, before);
        skip(reader);
    }
    while (peek(reader) != '\n')
        skip(reader);
    while (reader->value.len > 0 && (is_ows(reader->value.data[reader->value.len - 1]) ||
                                     reader->value.data[reader->value.len - 1] == '\r'))
        reader->value.len--;
}

static int read_line(struct reader *reader)
{
    int rc = read_name(reader);
    if (rc != 0)
        return rc;
    reader->value.len = 0;
    if (peek(reader) == '"' || peek(reader) == '\'')
        rc = read_quoted(reader, peek(reader));
    else
        read_bare(reader);
    if (rc != 0)
        return rc;
    if (reader->value.len > 0 && memchr(reader->value.data, '\0', reader->value.len) != NULL)
        return fail(reader, "a value cannot hold a NUL byte");
    buf_char(&reader->value, '\0');
    if (getenv(reader->name.data) != NULL)
        return 0;
    setenv(reader->name.data, reader->value.data, 0);
    reader->on_set(reader->data, reader->name.data);
    return 0;
}

int dotenv_apply(struct slice text, dotenv_on_set *on_set, void *data, struct err *err)
{
    struct reader reader = {.rest = text, .line = 1, .on_set = on_set, .data = data, .err = err};
    int rc = 0;
    if (slice_starts_with(text, SLICE("\xef\xbb\xbf")))
        return fail(&reader, "the text begins with a byte order mark; remove it");
    while (rc == 0 && reader.rest.len > 0) {
        skip_blanks(&reader);
        if (peek(&reader) == '#')
            while (peek(&reader) != '\n')
                skip(&reader);
        if (peek(&reader) == '\n')
            skip(&reader);
        else
            rc = read_line(&reader);
    }
    buf_clear(&reader.name);
    buf_clear(&reader.value);
    return rc;
}

bool dotenv_is_skipped(void)
{
    const char *skip = getenv("QLUA_SKIP_DOTENV");
    return skip != NULL && skip[0] != '\0' && strcmp(skip, "0") != 0;
}

int dotenv_load(const char *folder, dotenv_on_set *on_set, void *data, struct err *err)
{
    char path[4096];
    int len = snprintf(path, sizeof(path), "%s/.env", folder);
    if (len < 0 || (size_t)len >= sizeof(path))
        return 0; /* no such file can be opened */
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    snprintf(err->name, sizeof(err->name), "%.*s", (int)sizeof(err->name) - 1, path);
    if (fd < 0)
        return err_set(err, -errno, "cannot be read: %s", err_text(-errno));
    struct buf text = {0};
    ssize_t n;
    while ((n = read(fd, buf_reserve(&text, 4096), 4096)) > 0 && text.len <= DOTENV_MAX)
        text.len += (size_t)n;
    int rc = n < 0 ? err_set(err, -errno, "cannot be read: %s", err_text(-errno)) : 0;
    close(fd);
    if (rc == 0 && text.len > DOTENV_MAX)
        rc = err_set(err, QLUA_ELIMIT, "larger than 1 MiB");
    if (rc == 0)
        rc = dotenv_apply(buf_view(&text), on_set, data, err);
    buf_clear(&text);
    return rc;
}
