/* http/status.c - status codes: their phrases, lines, descriptions and default pages.
 * See status.h. */
#include "http/status.h"

#include "base/escape.h"

struct status {
    struct slice phrase;
    struct slice line;
    struct slice description;
};

#define LINE(code, phrase)        SLICE("HTTP/1.1 " #code " " phrase "\r\n")
#define PLAIN(code, phrase)       [code - 100] = {SLICE(phrase), LINE(code, phrase), SLICE("")}
#define ERROR(code, phrase, text) [code - 100] = {SLICE(phrase), LINE(code, phrase), SLICE(text)}

/* By code - 100, so that the writer finds a line without a search. */
static const struct status statuses[500] = {
    PLAIN(100, "Continue"),
    PLAIN(101, "Switching Protocols"),
    PLAIN(102, "Processing"),
    PLAIN(103, "Early Hints"),
    PLAIN(200, "OK"),
    PLAIN(201, "Created"),
    PLAIN(202, "Accepted"),
    PLAIN(203, "Non Authoritative Information"),
    PLAIN(204, "No Content"),
    PLAIN(205, "Reset Content"),
    PLAIN(206, "Partial Content"),
    PLAIN(207, "Multi Status"),
    PLAIN(208, "Already Reported"),
    PLAIN(226, "IM Used"),
    PLAIN(300, "Multiple Choices"),
    PLAIN(301, "Moved Permanently"),
    PLAIN(302, "Found"),
    PLAIN(303, "See Other"),
    PLAIN(304, "Not Modified"),
    PLAIN(305, "Use Proxy"),
    PLAIN(306, "Switch Proxy"),
    PLAIN(307, "Temporary Redirect"),
    PLAIN(308, "Permanent Redirect"),
    ERROR(400, "Bad Request",
          "The browser (or proxy) sent a request that this server could not understand."),
    ERROR(401, "Unauthorized",
          "The server could not verify that you are authorized to access the URL "
          "requested. You either supplied the wrong credentials (e.g. a bad password), or "
          "your browser doesn't understand how to supply the credentials required."),
    PLAIN(402, "Payment Required"),
    ERROR(403, "Forbidden",
          "You don't have the permission to access the requested resource. It is either "
          "read-protected or not readable by the server."),
    ERROR(404, "Not Found",
          "The requested URL was not found on the server. If you entered the URL manually "
          "please check your spelling and try again."),
    ERROR(405, "Method Not Allowed", "The method is not allowed for the requested URL."),
    ERROR(406, "Not Acceptable",
          "The resource identified by the request is only capable of generating response "
          "entities which have content characteristics not acceptable according to the "
          "accept headers sent in the request."),
    PLAIN(407, "Proxy Authentication Required"),
    ERROR(408, "Request Timeout",
          "The server closed the network connection because the browser didn't finish the "
          "request within the specified time."),
    ERROR(409, "Conflict",
          "A conflict happened while processing the request. The resource might have been "
          "modified while the request was being processed."),
    ERROR(410, "Gone",
          "The requested URL is no longer available on this server and there is no "
          "forwarding address. If you followed a link from a foreign page, please contact "
          "the author of this page."),
    ERROR(411, "Length Required",
          "A request with this method requires a valid <code>Content-Length</code> "
          "header."),
    ERROR(412, "Precondition Failed",
          "The precondition on the request for the URL failed positive evaluation."),
    ERROR(413, "Request Entity Too Large",
          "The data value transmitted exceeds the capacity limit."),
    ERROR(414, "Request URI Too Long",
          "The length of the requested URL exceeds the capacity limit for this server. "
          "The request cannot be processed."),
    ERROR(415, "Unsupported Media Type",
          "The server does not support the media type transmitted in the request."),
    ERROR(416, "Requested Range Not Satisfiable", "The server cannot provide the requested range."),
    ERROR(417, "Expectation Failed",
          "The server could not meet the requirements of the Expect header"),
    ERROR(418, "I'm a teapot", "This server is a teapot, not a coffee machine"),
    ERROR(421, "Misdirected Request", "The server is not able to produce a response."),
    ERROR(422, "Unprocessable Entity",
          "The request was well-formed but was unable to be followed due to semantic "
          "errors."),
    ERROR(423, "Locked", "The resource that is being accessed is locked."),
    ERROR(424, "Failed Dependency",
          "The method could not be performed on the resource because the requested action "
          "depended on another action and that action failed."),
    PLAIN(425, "Too Early"),
    PLAIN(426, "Upgrade Required"),
    ERROR(428, "Precondition Required",
          "This request is required to be conditional; try using \"If-Match\" or "
          "\"If-Unmodified-Since\"."),
    ERROR(429, "Too Many Requests",
          "This user has exceeded an allotted request count. Try again later."),
    ERROR(431, "Request Header Fields Too Large",
          "One or more header fields exceeds the maximum size."),
    PLAIN(449, "Retry With"),
    ERROR(451, "Unavailable For Legal Reasons", "Unavailable for legal reasons."),
    ERROR(500, "Internal Server Error",
          "The server encountered an internal error and was unable to complete your "
          "request. Either the server is overloaded or there is an error in the "
          "application."),
    ERROR(501, "Not Implemented",
          "The server does not support the action requested by the browser."),
    ERROR(502, "Bad Gateway",
          "The proxy server received an invalid response from an upstream server."),
    ERROR(503, "Service Unavailable",
          "The server is temporarily unable to service your request due to maintenance "
          "downtime or capacity problems. Please try again later."),
    ERROR(504, "Gateway Timeout", "The connection to an upstream server timed out."),
    ERROR(505, "HTTP Version Not Supported",
          "The server does not support the HTTP protocol version used in the request."),
    PLAIN(506, "Variant Also Negotiates"),
    PLAIN(507, "Insufficient Storage"),
    PLAIN(508, "Loop Detected"),
    PLAIN(510, "Not Extended"),
    PLAIN(511, "Network Authentication Failed"),
};

static const struct status *find(int code)
{
    static const struct status unknown = {SLICE("UNKNOWN"), SLICE(""), SLICE("")};
    if (code < 100 || code > 599 || statuses[code - 100].phrase.len == 0)
        return &unknown;
    return &statuses[code - 100];
}

struct slice status_phrase(int code)
{
    return find(code)->phrase;
}

struct slice status_line(int code)
{
    return find(code)->line;
}

struct slice status_description(int code)
{
    return find(code)->description;
}

bool status_forbids_body(int code)
{
    return (code >= 100 && code < 200) || code == 204 || code == 304;
}

void status_page(struct buf *out, int code, struct slice description)
{
    const struct status *status = find(code);
    /* Quart names a code it does not know "Unknown Error" here, though "UNKNOWN" elsewhere. */
    struct slice name = status->line.len > 0 ? status->phrase : SLICE("Unknown Error");
    struct slice rest = description.len > 0 ? description : status->description;
    buf_printf(out, "<!doctype html>\n<html lang=en>\n<title>%d ", code);
    escape_html(out, name);
    buf_cstr(out, "</title>\n<h1>");
    escape_html(out, name);
    buf_cstr(out, "</h1>\n<p>");
    for (;;) {
        size_t line = slice_find(rest, '\n');
        escape_html(out, slice_of(rest.data, line));
        if (line == rest.len)
            break;
        buf_cstr(out, "<br>");
        rest = slice_from(rest, line + 1);
    }
    buf_cstr(out, "</p>\n");
}
