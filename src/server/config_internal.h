/* server/config_internal.h - the table of settings, for the config_*.c files only. */
#ifndef QLUA_SERVER_CONFIG_INTERNAL_H
#define QLUA_SERVER_CONFIG_INTERNAL_H

#include "server/config.h"

enum setting_type {
    SETTING_BOOL,    /* bool */
    SETTING_INT,     /* int64_t */
    SETTING_SECONDS, /* int64_t, milliseconds; given in seconds, a fraction is allowed */
    SETTING_TEXT,    /* const char *, NULL when not given */
    SETTING_CHOICE,  /* the same, one of `choices` */
    SETTING_LIST,    /* struct config_list of texts */
    SETTING_WORKERS  /* int64_t or the word "auto" */
};

enum setting_flag {
    SETTING_ZERO_OFF = 1, /* 0 is allowed below `min` and turns the thing off */
    SETTING_LIVE = 2      /* a reload takes a new value over */
};

struct setting {
    const char *name;
    enum setting_type type;
    size_t offset;       /* of the value in struct config */
    int64_t number;      /* default of BOOL, INT, SECONDS, WORKERS */
    int64_t min;         /* SECONDS: milliseconds */
    int64_t max;         /* inclusive */
    const char *text;    /* default of TEXT, CHOICE and LIST (comma-separated) */
    const char *shown;   /* the default in words, where the value does not tell it */
    const char *choices; /* CHOICE: comma-separated */
    unsigned flags;
    const char *help;
};

extern const struct setting config_settings[];
extern const size_t config_setting_count;

/* The place of a name in the table, or -1. */
int config_setting_find(struct slice name);

/* Copy a comma-separated text into a list. */
struct config_list config_list_of(struct arena *arena, const char *text);

/* Where a setting's value lies. */
static inline void *config_at(struct config *config, const struct setting *setting)
{
    return (char *)config + setting->offset;
}

#endif
