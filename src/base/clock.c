/* base/clock.c - what time it is, and how HTTP writes it. See clock.h. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#include "base/err.h"

static const char day_names[] = "SunMonTueWedThuFriSat";
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static uint64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t clock_ms(void)
{
    return read_clock(CLOCK_MONOTONIC) / 1000000u;
}

uint64_t clock_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_seconds(void)
{
    return (int64_t)(read_clock(CLOCK_REALTIME) / 1000000000u);
}

int64_t clock_date_ms(void)
{
    return (int64_t)(read_clock(CLOCK_REALTIME) / 1000000u);
}

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar; month 1..12. */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t yoe = year - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void clock_http_date(int64_t seconds, char *dst)
{
    static const int64_t first = -62167219200; /* 0000-01-01 00:00:00 */
    static const int64_t last = 253402300799;  /* 9999-12-31 23:59:59 */
    if (seconds < first)
        seconds = first;
    if (seconds > last)
        seconds = last;
    struct tm t;
    time_t when = (time_t)seconds;
    gmtime_r(&when, &t);
    char text[64];
    snprintf(text, sizeof(text), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
             day_names + 3 * t.tm_wday, t.tm_mday, month_names + 3 * t.tm_mon, t.tm_year + 1900,
             t.tm_hour, t.tm_min, t.tm_sec);
    memcpy(dst, text, CLOCK_DATE_LEN);
}

/* Cut a word of letters off *s; empty when there is none. */
static struct slice take_word(struct slice *s)
{
    size_t n = 0;
    while (n < s->len && ((s->data[n] | 0x20) >= 'a' && (s->data[n] | 0x20) <= 'z'))
        n++;
    struct slice word = {s->data, n};
    *s = slice_from(*s, n);
    return word;
}

/* Cut a number of `min` to `max` digits off *s; -1 when there is none. */
static int take_number(struct slice *s, size_t min, size_t max)
{
    int value = 0;
    size_t n = 0;
    while (n < s->len && n < max && s->data[n] >= '0' && s->data[n] <= '9')
        value = value * 10 + (s->data[n++] - '0');
    if (n < min)
        return -1;
    *s = slice_from(*s, n);
    return value;
}

static bool take_char(struct slice *s, char c)
{
    if (s->len == 0 || s->data[0] != c)
        return false;
    *s = slice_from(*s, 1);
    return true;
}

/* 1..12, or 0. */
static int month_of(struct slice word)
{
    for (int i = 0; i < 12 && word.len == 3; i++)
        if (memcmp(word.data, month_names + 3 * i, 3) == 0)
            return i + 1;
    return 0;
}

struct date_parts {
    int year, month, day, hour, minute, second;
};

static bool take_time(struct slice *s, struct date_parts *d)
{
    d->hour = take_number(s, 2, 2);
    if (d->hour < 0 || !take_char(s, ':'))
        return false;
    d->minute = take_number(s, 2, 2);
    if (d->minute < 0 || !take_char(s, ':'))
        return false;
    d->second = take_number(s, 2, 2);
    return d->second >= 0;
}

/* IMF-fixdate "06 Nov 1994 08:49:37 GMT" and RFC 850 "06-Nov-94 08:49:37 GMT", after the comma. */
static bool take_fixed(struct slice s, int64_t now, struct date_parts *d)
{
    d->day = take_number(&s, 2, 2);
    bool dashes = take_char(&s, '-');
    if (d->day < 0 || (!dashes && !take_char(&s, ' ')))
        return false;
    d->month = month_of(take_word(&s));
    if (!take_char(&s, dashes ? '-' : ' '))
        return false;
    d->year = dashes ? take_number(&s, 2, 2) : take_number(&s, 4, 4);
    if (dashes && d->year >= 0) {
        time_t when = (time_t)now;
        struct tm t;
        gmtime_r(&when, &t);
        int this_year = t.tm_year + 1900;
        d->year += this_year - this_year % 100;
        if (d->year > this_year + 50)
            d->year -= 100; /* RFC 9110 5.6.7: more than 50 years ahead means the past */
    }
    return take_char(&s, ' ') && take_time(&s, d) && slice_eq(s, SLICE(" GMT"));
}

/* asctime's "Nov  6 08:49:37 1994", after the day name. */
static bool take_asctime(struct slice s, struct date_parts *d)
{
    d->month = month_of(take_word(&s));
    if (!take_char(&s, ' '))
        return false;
    d->day = take_char(&s, ' ') ? take_number(&s, 1, 1) : take_number(&s, 2, 2);
    if (!take_char(&s, ' ') || !take_time(&s, d) || !take_char(&s, ' '))
        return false;
    d->year = take_number(&s, 4, 4);
    return s.len == 0;
}

int clock_parse_http_date(struct slice text, int64_t now, int64_t *seconds)
{
    struct date_parts d = {0};
    struct slice s = slice_trim(text);
    struct slice day = take_word(&s);
    bool ok = false;
    if (day.len >= 3 && take_char(&s, ',') && take_char(&s, ' '))
        ok = take_fixed(s, now, &d);
    else if (day.len == 3 && take_char(&s, ' '))
        ok = take_asctime(s, &d);
    if (!ok || d.year < 0 || d.month < 1 || d.day < 1 || d.day > 31 || d.hour > 23 ||
        d.minute > 59 || d.second > 60)
        return QLUA_ESYNTAX;
    *seconds = days_of(d.year, d.month, d.day) * 86400 + d.hour * 3600 + d.minute * 60 + d.second;
    return 0;
}
