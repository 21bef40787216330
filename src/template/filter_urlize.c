/* template/filter_urlize.c - urlize: addresses in text become links.
 *
 * Place in the flow: listed in filter.c. Follows jinja2/utils.py: the text is escaped and cut into
 * words; brackets around a word and punctuation behind it are set aside; what is left is a link
 * when it looks like a web address, a mail address, or begins with one of extra_schemes. The
 * functions that match read as the pieces of Jinja's two regular expressions.
 */
#include "base/escape.h"
#include "template/chars.h"
#include "template/filter_internal.h"
#include "template/unicode.h"

/* ---- spans ----------------------------------------------------------------------------------- */

/* The length of the run of word characters (\w) and of those in `also`; *count: code points. */
static size_t word_span(struct slice text, const char *also, size_t *count)
{
    size_t n = 0;
    *count = 0;
    while (n < text.len) {
        uint32_t code;
        size_t len = chars_decode(slice_from(text, n), &code);
        bool is_also = code < 0x80 && code != 0 && strchr(also, (int)code) != NULL;
        if (!is_also && !filter_is_word(code))
            break;
        n += len;
        ++*count;
    }
    return n;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    c = ascii_lower(c);
    return c >= 'a' && c <= 'z';
}

static bool is_hex(char c)
{
    c = ascii_lower(c);
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

static size_t span(struct slice text, bool (*is)(char))
{
    size_t n = 0;
    while (n < text.len && is(text.data[n]))
        n++;
    return n;
}

static bool is_one_of(char c, struct slice set)
{
    return slice_find(set, c) < set.len;
}

static bool begins(struct slice text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && slice_eq_nocase(slice_of(text.data, len), slice_cstr(prefix));
}

/* ---- a web address --------------------------------------------------------------------------- */

/* (?::\d{1,5})?(?:[/?#]\S*)?$ */
static bool is_behind_host(struct slice text)
{
    if (text.len > 0 && text.data[0] == ':') {
        text = slice_from(text, 1);
        size_t digits = span(text, is_digit);
        if (digits < 1 || digits > 5)
            return false;
        text = slice_from(text, digits);
    }
    return text.len == 0 || is_one_of(text.data[0], SLICE("/?#"));
}

/* [a-z]{2,63} or xn--[\w%]{2,59}, and nothing but what may stand behind a host */
static bool is_top_level(struct slice text)
{
    size_t count = span(text, is_letter);
    if (count >= 2 && count <= 63 && is_behind_host(slice_from(text, count)))
        return true;
    if (!begins(text, "xn--"))
        return false;
    text = slice_from(text, 4);
    size_t len = word_span(text, "%", &count);
    return count >= 2 && count <= 59 && is_behind_host(slice_from(text, len));
}

/* (([\w%-]+\.)+)? and a top level */
static bool is_host(struct slice text)
{
    while (!is_top_level(text)) {
        size_t count;
        size_t len = word_span(text, "%-", &count);
        if (len == 0 || len == text.len || text.data[len] != '.')
            return false;
        text = slice_from(text, len + 1);
    }
    return true;
}

/* ([\w%-]{2,63}\.)+ and one of the well-known top levels: an address without a scheme */
static bool is_bare_host(struct slice text)
{
    static const char *const known[] = {"com", "net", "int", "edu", "gov", "org", "info", "mil"};
    for (;;) {
        size_t count;
        size_t len = word_span(text, "%-", &count);
        if (count < 2 || count > 63 || len == text.len || text.data[len] != '.')
            return false;
        text = slice_from(text, len + 1);
        for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
            if (begins(text, known[i]) && is_behind_host(slice_from(text, strlen(known[i]))))
                return true;
    }
}

/* \d{1,3}(\.\d{1,3}){3} */
static bool is_ipv4(struct slice text)
{
    for (int part = 0; part < 4; part++) {
        if (part > 0) {
            if (text.len == 0 || text.data[0] != '.')
                return false;
            text = slice_from(text, 1);
        }
        size_t digits = span(text, is_digit);
        if (digits < 1 || digits > 3)
            return false;
        text = slice_from(text, digits);
    }
    return is_behind_host(text);
}

/* [\da-f]{0,4}:? cut off; gives whether there was a digit, and *colon whether the colon */
static bool take_group(struct slice *text, bool *colon)
{
    size_t digits = span(*text, is_hex);
    digits = digits > 4 ? 4 : digits;
    *text = slice_from(*text, digits);
    *colon = text->len > 0 && text->data[0] == ':';
    *text = slice_from(*text, *colon);
    return digits > 0;
}

/* \[([\da-f]{0,4}:){2}([\da-f]{0,4}:?){1,6}] */
static bool is_ipv6(struct slice text)
{
    if (!begins(text, "["))
        return false;
    text = slice_from(text, 1);
    for (int group = 0; group < 8 && (group < 2 || !begins(text, "]")); group++) {
        bool has_colon;
        bool has_digit = take_group(&text, &has_colon);
        if (!has_colon && (group < 2 || !has_digit))
            return false;
    }
    return begins(text, "]") && is_behind_host(slice_from(text, 1));
}

static bool is_web_address(struct slice text)
{
    struct slice host = {NULL, 0};
    if (begins(text, "http://"))
        host = slice_from(text, 7);
    else if (begins(text, "https://"))
        host = slice_from(text, 8);
    if (host.data != NULL && (is_host(host) || is_ipv4(host) || is_ipv6(host)))
        return true;
    return (begins(text, "www.") && is_host(slice_from(text, 4))) || is_bare_host(text);
}

/* ^\S+@\w[\w.-]*\.\w+$ */
static bool is_mail_address(struct slice text)
{
    const char *at = text.len == 0 ? NULL : memrchr(text.data, '@', text.len);
    if (at == NULL || at == text.data)
        return false;
    struct slice domain = slice_from(text, (size_t)(at - text.data) + 1);
    size_t count;
    if (domain.len == 0 || is_one_of(domain.data[0], SLICE(".-")) ||
        word_span(domain, ".-", &count) != domain.len)
        return false;
    const char *dot = memrchr(domain.data, '.', domain.len);
    if (dot == NULL)
        return false;
    struct slice top = slice_from(domain, (size_t)(dot - domain.data) + 1);
    return top.len > 0 && word_span(top, "", &count) == top.len;
}

/* ---- words ----------------------------------------------------------------------------------- */

/* A word of the escaped text: text[0..head) ( < , the middle, and from tail on ) > . , */
struct word {
    struct slice text;
    size_t head, tail;
};

/* The place behind the next `what`; 0: there is none. */
static size_t behind(struct slice text, struct slice what)
{
    for (size_t at = 0; at < text.len; at++) {
        at += slice_find(slice_from(text, at), what.data[0]);
        if (slice_starts_with(slice_from(text, at), what))
            return at + what.len;
    }
    return 0;
}

static size_t count_of(struct slice text, struct slice what)
{
    size_t count = 0;
    for (size_t next; (next = behind(text, what)) != 0; count++)
        text = slice_from(text, next);
    return count;
}

static struct slice middle_of(const struct word *w)
{
    return slice_of(w->text.data + w->head, w->tail - w->head);
}

static struct word split_word(struct slice text)
{
    struct word w = {text, 0, text.len};
    for (;;) {
        struct slice rest = slice_from(text, w.head);
        if (rest.len > 0 && (rest.data[0] == '(' || rest.data[0] == '<'))
            w.head++;
        else if (slice_starts_with(rest, SLICE("&lt;")))
            w.head += 4;
        else
            break;
    }
    while (w.tail > w.head) {
        struct slice middle = middle_of(&w);
        if (is_one_of(middle.data[middle.len - 1], SLICE(")>.,")))
            w.tail--;
        else if (slice_ends_with(middle, SLICE("&gt;")))
            w.tail -= 4;
        else
            break;
    }
    return w;
}

/* An opening bracket in the middle takes its closing one back from the tail, with what stands
 * before that. */
static void balance(struct word *w, struct slice open, struct slice close)
{
    size_t opened = count_of(middle_of(w), open);
    if (opened <= count_of(middle_of(w), close))
        return;
    size_t closed = count_of(slice_from(w->text, w->tail), close);
    for (size_t i = 0; i < opened && i < closed; i++)
        w->tail += behind(slice_from(w->text, w->tail), close);
}

/* What a link is written with. */
struct link_style {
    struct slice attributes; /* ' rel="..." target="..."' */
    bool is_limited;         /* addresses are shown shortened */
    double limit;            /* to so many code points */
    int schemes, nschemes;   /* stack index of the list extra_schemes, and its length */
};

/* The address as it is shown. A negative limit cuts so many off the end, as a slice does. */
static void add_trimmed(struct vm *vm, struct slice address, const struct link_style *style)
{
    double count = (double)chars_count(address);
    if (!style->is_limited || count <= style->limit) {
        buf_slice(&vm->text, address);
        return;
    }
    double keep = style->limit < 0 ? count + style->limit : style->limit;
    size_t len = keep > 0 ? chars_offset(address, (size_t)keep) : 0;
    buf_append(&vm->text, address.data, len);
    buf_cstr(&vm->text, "...");
}

static void add_link(struct vm *vm, const char *scheme, struct slice address,
                     struct slice attributes)
{
    buf_cstr(&vm->text, "<a href=\"");
    buf_cstr(&vm->text, scheme);
    buf_slice(&vm->text, address);
    buf_char(&vm->text, '"');
    buf_slice(&vm->text, attributes);
    buf_char(&vm->text, '>');
}

/* Does it begin with one of extra_schemes, and go on behind it? */
static bool has_extra_scheme(struct vm *vm, struct slice middle, const struct link_style *style)
{
    bool has = false;
    for (int i = 1; i <= style->nschemes && !has; i++) {
        struct slice scheme;
        lua_rawgeti(vm->L, style->schemes, i);
        has = value_slice(vm, lua_gettop(vm->L), &scheme) && middle.len > scheme.len &&
              slice_starts_with(middle, scheme);
        lua_pop(vm->L, 1);
    }
    return has;
}

static void add_middle(struct vm *vm, struct slice middle, const struct link_style *style)
{
    struct slice none = {NULL, 0};
    struct slice mail = slice_from(middle, 7);
    bool has_at = slice_find(middle, '@') < middle.len;
    if (is_web_address(middle)) {
        bool has_scheme = slice_starts_with(middle, SLICE("https://")) ||
                          slice_starts_with(middle, SLICE("http://"));
        add_link(vm, has_scheme ? "" : "https://", middle, style->attributes);
        add_trimmed(vm, middle, style);
    } else if (slice_starts_with(middle, SLICE("mailto:")) && is_mail_address(mail)) {
        add_link(vm, "", middle, none);
        buf_slice(&vm->text, mail);
    } else if (has_at && !slice_starts_with(middle, SLICE("www.")) &&
               slice_find(middle, ':') == middle.len && is_mail_address(middle)) {
        add_link(vm, "mailto:", middle, none);
        buf_slice(&vm->text, middle);
    } else if (has_extra_scheme(vm, middle, style)) {
        add_link(vm, "", middle, style->attributes);
        buf_slice(&vm->text, middle);
    } else {
        buf_slice(&vm->text, middle);
        return;
    }
    buf_cstr(&vm->text, "</a>");
}

static void add_word(struct vm *vm, struct slice text, const struct link_style *style)
{
    struct word w = split_word(text);
    balance(&w, SLICE("("), SLICE(")"));
    balance(&w, SLICE("<"), SLICE(">"));
    balance(&w, SLICE("&lt;"), SLICE("&gt;"));
    buf_append(&vm->text, text.data, w.head);
    add_middle(vm, middle_of(&w), style);
    buf_slice(&vm->text, slice_from(text, w.tail));
}

/* The run of white space, or of none, that the text begins with. */
static struct slice take_run(struct slice *rest, bool of_space)
{
    size_t n = 0;
    while (n < rest->len) {
        uint32_t code;
        size_t len = chars_decode(slice_from(*rest, n), &code);
        if (unicode_is_space(code) != of_space)
            break;
        n += len;
    }
    struct slice run = slice_of(rest->data, n);
    *rest = slice_from(*rest, n);
    return run;
}

/* ---- arguments ------------------------------------------------------------------------------- */

/* Add the words of the text at index to list and seen, each once. */
static void add_words(struct vm *vm, int index, int list, int seen)
{
    lua_State *L = vm->L;
    struct slice rest;
    if (!value_slice(vm, index, &rest))
        return;
    while (rest.len > 0) {
        take_run(&rest, true);
        struct slice word = take_run(&rest, false);
        if (word.len == 0)
            break;
        lua_pushlstring(L, word.data, word.len);
        lua_pushvalue(L, -1);
        lua_rawget(L, seen);
        bool is_new = lua_isnil(L, -1);
        lua_pop(L, 1);
        if (is_new) {
            lua_pushvalue(L, -1);
            lua_rawseti(L, list, (int)lua_objlen(L, list) + 1);
            lua_pushboolean(L, true);
            lua_rawset(L, seen);
        } else {
            lua_pop(L, 1);
        }
    }
}

/* Append ' rel="..."': the words of the argument, nofollow, and of the policy, sorted. */
static void add_rel(struct vm *vm, int rel, bool nofollow)
{
    lua_State *L = vm->L;
    int list = lua_gettop(L) + 1, seen = list + 1;
    lua_newtable(L);
    lua_newtable(L);
    add_words(vm, rel, list, seen);
    lua_pushliteral(L, "nofollow");
    if (nofollow)
        add_words(vm, seen + 1, list, seen);
    vm_push_policy(vm, SLICE("urlize.rel"));
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushliteral(L, "noopener");
    }
    add_words(vm, seen + 2, list, seen);
    int n = (int)lua_objlen(L, list);
    struct sorter *sorter = sorter_new(vm, list, n, 0, false);
    sorter_run(vm, sorter, list, false);
    for (int i = 0; i < n; i++) {
        buf_cstr(&vm->text, i == 0 ? " rel=\"" : " ");
        lua_rawgeti(L, list, sorter_at(sorter, i) + 1);
        filter_add_escaped(vm, lua_gettop(L));
        lua_pop(L, 1);
    }
    if (n > 0)
        buf_char(&vm->text, '"');
    lua_settop(L, list - 1);
}

static void add_target(struct vm *vm, int target)
{
    if (filter_is_absent(vm, target)) {
        vm_push_policy(vm, SLICE("urlize.target"));
        lua_replace(vm->L, target);
    }
    if (!filter_flag(vm, target))
        return;
    buf_cstr(&vm->text, " target=\"");
    value_escape(vm, target);
    filter_add_escaped(vm, lua_gettop(vm->L));
    lua_pop(vm->L, 1);
    buf_char(&vm->text, '"');
}

/* ^([\w.+-]{2,}:(/){0,2})$ */
static bool is_scheme(struct slice text)
{
    size_t count;
    size_t len = word_span(text, ".+-", &count);
    struct slice rest = slice_from(text, len);
    return count >= 2 && (slice_eq(rest, SLICE(":")) || slice_eq(rest, SLICE(":/")) ||
                          slice_eq(rest, SLICE("://")));
}

/* The list extra_schemes, or that of the policy; each must be a scheme. */
static int take_schemes(struct vm *vm, int schemes)
{
    lua_State *L = vm->L;
    if (filter_is_absent(vm, schemes)) {
        vm_push_policy(vm, SLICE("urlize.extra_schemes"));
        lua_replace(L, schemes);
    }
    if (!filter_flag(vm, schemes))
        return 0;
    int n = filter_items(vm, schemes);
    for (int i = 1; i <= n; i++) {
        struct slice scheme;
        lua_rawgeti(L, schemes, i);
        int index = lua_gettop(L);
        if (!value_slice(vm, index, &scheme))
            filter_fail_type(vm, index, "a URI scheme prefix is text, not '", "'");
        if (!is_scheme(scheme)) {
            size_t start = vm->text.len;
            text_repr(scheme, &vm->text);
            vm_push_text(vm, start);
            vm_fail(vm, TEMPLATE_FILTER_ARG, "%.200s is not a valid URI scheme prefix.",
                    lua_tostring(L, -1));
        }
        lua_pop(L, 1);
    }
    return n;
}

/* urlize(value, trim_url_limit, nofollow, target, rel, extra_schemes) */
enum vm_status filter_urlize(struct vm *vm, struct vm_frame *frame)
{
    int value = frame->base, limit = frame->base + 1;
    struct link_style style = {.schemes = frame->base + 5};
    style.nschemes = take_schemes(vm, style.schemes);
    style.is_limited = !filter_is_absent(vm, limit);
    if (style.is_limited)
        style.limit = filter_whole(vm, limit);
    /* both texts are made strings: what is appended next may move vm->text */
    size_t start = vm->text.len;
    add_rel(vm, frame->base + 4, filter_flag(vm, frame->base + 2));
    add_target(vm, frame->base + 3);
    vm_push_text(vm, start);
    value_slice(vm, lua_gettop(vm->L), &style.attributes);
    value_escape(vm, value);
    struct slice rest = filter_text(vm, lua_gettop(vm->L), "split");
    value_spend_text(vm, 16 * rest.len);
    while (rest.len > 0) {
        buf_slice(&vm->text, take_run(&rest, true));
        add_word(vm, take_run(&rest, false), &style);
        value_check_text(vm, (double)(vm->text.len - start));
    }
    filter_push_text(vm, start, vm->autoescape);
    return VM_DONE;
}
