/* server/load_error.h - an error of the app's Lua code, told to the person who starts it.
 *
 * Place in the flow: worker.c and script_run.c hand over what the loading task died of. The text
 * is shortened to what helps: the message, and the frames of the user's own files. In the log of
 * a running server errors keep their whole traceback.
 */
#ifndef QLUA_SERVER_LOAD_ERROR_H
#define QLUA_SERVER_LOAD_ERROR_H

struct buf;
struct log_files;

/* Append message and the user's frames, each line with its line feed; `text` as below. */
void load_error_text(struct buf *out, const char *text);

/* Write "qlua: WHAT: message" and the user's frames to standard error, at most 12 lines in one
 * piece; `text` is message and traceback as luaL_traceback makes them. */
void load_error_print(const char *what, const char *text);

/* A start ends because of it: on standard error, where the start is watched; in the log, too, where
 * that is elsewhere or has lines that are objects. */
void load_error_tell(const struct log_files *files, const char *error);

#endif
