/* server/load_error.c - an error of the app's Lua code, told to the person who starts it. See
 * load_error.h. */
#include "server/load_error.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/slice.h"
#include "server/log_files.h"

/* A missing module alone lists a dozen folders; the app's own come first. */
#define MESSAGE_LINES 5
#define FRAME_LINES   4

#define OWN_FILES "lua/qlua/"

/* Where the frames begin: behind the last header line, for a message may quote a traceback. */
static const char *find_frames(const char *text)
{
    static const char header[] = "\nstack traceback:\n";
    const char *found = NULL;
    for (const char *at = text; (at = strstr(at, header)) != NULL; at++)
        found = at;
    return found;
}

/* A frame of C or of qlua's own Lua tells nothing to who wrote the app. */
static bool is_user_frame(struct slice frame)
{
    frame = slice_trim(frame);
    return frame.len > 0 && !slice_starts_with(frame, SLICE("[C]")) &&
           !slice_starts_with(frame, SLICE(OWN_FILES)) && !slice_starts_with(frame, SLICE("..."));
}

/* A position in qlua's own files before the message ("lua/qlua/x.lua:12: ") is left out. */
static struct slice without_own_place(struct slice message)
{
    if (!slice_starts_with(message, SLICE(OWN_FILES)))
        return message;
    struct slice rest = message;
    slice_split(&rest, ':');
    struct slice line = slice_split(&rest, ':');
    return line.len > 0 && line.data[0] >= '0' && line.data[0] <= '9' ? slice_trim(rest) : message;
}

static void append_message(struct buf *out, struct slice message)
{
    for (int i = 0; message.len > 0; i++) {
        if (i == MESSAGE_LINES) {
            buf_cstr(out, "\t...\n");
            return;
        }
        buf_slice(out, slice_split(&message, '\n'));
        buf_char(out, '\n');
    }
}

/* "FILE:LINE:" of a frame or at the start of a message; empty when there is none. */
static struct slice place_of(struct slice text)
{
    struct slice rest = text;
    slice_split(&rest, ':');
    struct slice line = slice_split(&rest, ':');
    bool number = line.len > 0 && line.data[0] >= '0' && line.data[0] <= '9';
    return number ? slice_of(text.data, (size_t)(line.data + line.len - text.data)) : SLICE("");
}

/* The user's frames; none when the only one is where the message says it is. */
static void append_frames(struct buf *out, struct slice frames, struct slice place)
{
    struct slice kept[FRAME_LINES + 1];
    int count = 0;
    while (frames.len > 0 && count <= FRAME_LINES) {
        struct slice frame = slice_split(&frames, '\n');
        if (is_user_frame(frame))
            kept[count++] = frame;
    }
    if (count == 0 || (count == 1 && slice_eq(place_of(slice_trim(kept[0])), place)))
        return;
    buf_cstr(out, "stack traceback:\n");
    for (int i = 0; i < count && i < FRAME_LINES; i++) {
        buf_slice(out, kept[i]);
        buf_char(out, '\n');
    }
    if (count > FRAME_LINES)
        buf_cstr(out, "\t...\n");
}

void load_error_text(struct buf *out, const char *text)
{
    const char *frames = find_frames(text);
    size_t len = frames == NULL ? strlen(text) : (size_t)(frames - text);
    struct slice message = without_own_place(slice_of(text, len));
    append_message(out, message);
    if (frames != NULL)
        append_frames(out, slice_cstr(frames + sizeof("\nstack traceback:\n") - 1),
                      place_of(message));
}

void load_error_print(const char *what, const char *text)
{
    struct buf out = {0};
    buf_cstr(&out, "qlua: ");
    if (what[0] != '\0')
        buf_printf(&out, "%s: ", what);
    load_error_text(&out, text);
    /* one write: several processes share the terminal */
    ssize_t n = write(STDERR_FILENO, out.data, out.len);
    (void)n;
    buf_clear(&out);
}

void load_error_tell(const struct log_files *files, const char *error)
{
    bool elsewhere = files->paths[LOG_FILE_LOG] != NULL;
    if (elsewhere || files->log.json) {
        struct buf text = {0};
        buf_cstr(&text, "the app did not load: ");
        load_error_text(&text, error);
        while (text.len > 0 && text.data[text.len - 1] == '\n')
            text.len--;
        log_text(&files->log, LOG_CRITICAL, buf_view(&text));
        buf_clear(&text);
    }
    if (elsewhere || !files->log.json)
        load_error_print("the app did not load", error);
}
