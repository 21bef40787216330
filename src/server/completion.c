/* server/completion.c - completion of the command line. See completion.h. */
#include "server/completion.h"

#include <stdio.h>
#include <string.h>

#include "server/options_internal.h"

/* What an option's value or a command's words may be. */
enum filling { FILL_NOTHING, FILL_FILE, FILL_TEXT, FILL_CHOICE };

static enum filling filling_of(const char *words)
{
    if (words == NULL || words[0] == '\0')
        return FILL_NOTHING;
    if (strstr(words, "FILE") != NULL || strstr(words, "PATH") != NULL)
        return FILL_FILE;
    for (const char *c = words; *c != '\0'; c++)
        if ((*c < 'a' || *c > 'z') && *c != '|')
            return FILL_TEXT;
    return FILL_CHOICE; /* "bash|zsh|fish" */
}

/* Print the words of "a|b|c", `between` them. */
static void print_choices(const char *words, char between)
{
    for (const char *c = words; *c != '\0'; c++)
        putchar(*c == '|' ? between : *c);
}

/* Within '...' of a shell; `also` is escaped too, by a backslash. */
static void print_quoted(const char *text, const char *also)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'') {
            fputs("'\\''", stdout);
            continue;
        }
        if (strchr(also, *c) != NULL)
            putchar('\\');
        putchar(*c);
    }
}

/* ---- bash ---- */

static void bash_options(enum command command)
{
    const struct option *option;
    for (size_t i = 0; (option = options_option_at(i)) != NULL; i++) {
        const char *alias = options_alias_of(option, command);
        if (!option_is_of(option, command))
            continue;
        printf(" %s", option->name);
        if (alias != NULL)
            printf(" %s", alias);
    }
}

/* `command:option` as a pattern of a case, or with its short name two. */
static void bash_pattern(const struct option *option, const struct command_word *word)
{
    const char *alias = options_alias_of(option, word->command);
    printf("%s:%s", word->word, option->name);
    if (alias != NULL)
        printf("|%s:%s", word->word, alias);
}

static void bash_choices(void)
{
    const struct option *option;
    const struct command_word *word;
    for (size_t c = 0; (word = options_command_at(c)) != NULL; c++)
        for (size_t i = 0; (option = options_option_at(i)) != NULL; i++) {
            if (!option_is_of(option, word->command) || filling_of(option->value) != FILL_CHOICE)
                continue;
            printf("    ");
            bash_pattern(option, word);
            printf(") COMPREPLY=($(compgen -W '");
            print_choices(option->value, ' ');
            printf("' -- \"$cur\")); return ;;\n");
        }
}

/* All options whose value is of this kind. */
static void bash_values(enum filling filling, const char *action)
{
    const struct option *option;
    const struct command_word *word;
    bool any = false;
    for (size_t c = 0; (word = options_command_at(c)) != NULL; c++)
        for (size_t i = 0; (option = options_option_at(i)) != NULL; i++) {
            if (!option_is_of(option, word->command) || filling_of(option->value) != filling)
                continue;
            fputs(any ? "|" : "    ", stdout);
            bash_pattern(option, word);
            any = true;
        }
    if (any)
        printf(") %s; return ;;\n", action);
}

static void bash(void)
{
    const struct command_word *word;
    printf("# completion of qlua for bash, made by: qlua completion bash\n"
           "_qlua() {\n"
           "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
           "  local command=${COMP_WORDS[1]} options='' words=''\n"
           "  COMPREPLY=()\n"
           "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "    COMPREPLY=($(compgen -W '");
    for (size_t i = 0; (word = options_command_at(i)) != NULL; i++)
        printf("%s ", word->word);
    printf("--help --version' -- \"$cur\")\n"
           "      $(compgen -f -X '!*.lua' -- \"$cur\"))\n"
           "    return\n"
           "  fi\n"
           "  case $command:$prev in\n");
    bash_values(FILL_FILE, "COMPREPLY=($(compgen -f -- \"$cur\"))");
    bash_values(FILL_TEXT, ":");
    bash_choices();
    printf("  esac\n"
           "  case $command in\n");
    for (size_t i = 0; (word = options_command_at(i)) != NULL; i++) {
        printf("    %s) options='", word->word);
        bash_options(word->command);
        printf("'");
        if (filling_of(word->arguments) == FILL_CHOICE) {
            printf(" words='");
            print_choices(word->arguments, ' ');
            printf("'");
        }
        printf(" ;;\n");
    }
    printf("  esac\n"
           "  case $cur in\n"
           "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")) ;;\n"
           "    *) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
           "      [ -n \"$words\" ] || COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
           "  esac\n"
           "}\n"
           "complete -o filenames -F _qlua qlua\n");
}

/* ---- zsh ---- */

static void zsh_value(const char *words)
{
    enum filling filling = filling_of(words);
    printf(":%s:", filling == FILL_FILE ? "file" : "value");
    if (filling == FILL_FILE) {
        printf("_files");
    } else if (filling == FILL_CHOICE) {
        printf("(");
        print_choices(words, ' ');
        printf(")");
    }
}

static void zsh_option(const struct option *option, const char *name)
{
    printf(" \\\n        '%s[", name);
    print_quoted(option->help, "[]:\\");
    printf("]");
    if (option->value != NULL)
        zsh_value(option->value);
    printf("'");
}

static void zsh_command(const struct command_word *word)
{
    const struct option *option;
    printf("      %s)\n        _arguments", word->word);
    for (size_t i = 0; (option = options_option_at(i)) != NULL; i++) {
        if (!option_is_of(option, word->command))
            continue;
        const char *alias = options_alias_of(option, word->command);
        zsh_option(option, option->name);
        if (alias != NULL)
            zsh_option(option, alias);
    }
    if (filling_of(word->arguments) != FILL_NOTHING) {
        printf(" \\\n        '*");
        zsh_value(word->arguments);
        printf("'");
    }
    printf(" ;;\n");
}

static void zsh(void)
{
    const struct command_word *word;
    printf("#compdef qlua\n"
           "# completion of qlua for zsh, made by: qlua completion zsh\n"
           "_qlua() {\n"
           "  local -a commands\n"
           "  commands=(\n");
    for (size_t i = 0; (word = options_command_at(i)) != NULL; i++) {
        printf("    '%s:", word->word);
        print_quoted(word->help, ":\\");
        printf("'\n");
    }
    printf("  )\n"
           "  if (( CURRENT == 2 )); then\n"
           "    _describe command commands\n"
           "    _files -g '*.lua'\n"
           "    _arguments '--help[all commands]' '--version[versions]'\n"
           "  else\n"
           "    case $words[2] in\n");
    for (size_t i = 0; (word = options_command_at(i)) != NULL; i++)
        zsh_command(word);
    printf("    esac\n"
           "  fi\n"
           "}\n"
           "if [ \"$funcstack[1]\" = _qlua ]; then _qlua \"$@\"; else compdef _qlua qlua; fi\n");
}

/* ---- fish ---- */

static void fish_option(const struct option *option, const struct command_word *word)
{
    const char *alias = options_alias_of(option, word->command);
    printf("complete -c qlua -n '__fish_seen_subcommand_from %s' -l %s", word->word,
           option->name + 2);
    if (alias != NULL)
        printf(" -s %s", alias + 1);
    switch (filling_of(option->value)) {
    case FILL_NOTHING: break;
    case FILL_FILE: printf(" -r -F"); break;
    case FILL_TEXT: printf(" -x"); break;
    case FILL_CHOICE:
        printf(" -x -a '");
        print_choices(option->value, ' ');
        printf("'");
        break;
    }
    printf(" -d '");
    print_quoted(option->help, "\\");
    printf("'\n");
}

static void fish(void)
{
    const struct command_word *word;
    const struct option *option;
    printf("# completion of qlua for fish, made by: qlua completion fish\n"
           "complete -c qlua -n __fish_use_subcommand -l help -s h -d 'all commands'\n"
           "complete -c qlua -n __fish_use_subcommand -l version -d versions\n");
    for (size_t c = 0; (word = options_command_at(c)) != NULL; c++) {
        printf("complete -c qlua -n __fish_use_subcommand -a %s -d '", word->word);
        print_quoted(word->help, "\\");
        printf("'\n");
        if (filling_of(word->arguments) == FILL_CHOICE) {
            printf("complete -c qlua -f -n '__fish_seen_subcommand_from %s' -a '", word->word);
            print_choices(word->arguments, ' ');
            printf("'\n");
        }
        for (size_t i = 0; (option = options_option_at(i)) != NULL; i++)
            if (option_is_of(option, word->command))
                fish_option(option, word);
    }
}

bool completion_print(const char *shell)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
        if (strcmp(shell, shells[i].name) == 0) {
            shells[i].print();
            return true;
        }
    return false;
}
