# qlua: see README.md. Targets: make (build/qlua), run, test, check-all, bench, fuzz, sanitize,
# lint, format, install, deps, clean.

# ---- the one list of Debian packages -------------------------------------------------------
# to build and run
PACKAGES := build-essential pkg-config libluajit2-5.1-dev luajit2 libuv1-dev node-llhttp \
	lua-cjson zlib1g-dev libssl-dev
# to test, measure and lint
PACKAGES += lua-busted lua-socket lua-posix lua-filesystem curl python3 wrk nginx-light \
	libnginx-mod-http-lua clang libclang-rt-14-dev clang-format clang-tidy cppcheck lua-check \
	brotli

CC := gcc
BUILD := build
APP ?= apps/hello
ARGS ?=
JOB ?=
PREFIX ?= /usr/local

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Werror
LUA_CFLAGS := -I/usr/include/luajit-2.1
LLHTTP := /usr/share/llhttp
LLHTTP_CFLAGS := -I/usr/share/include/llhttp -DLLHTTP_STRICT_MODE=1
CPPFLAGS := -Isrc $(LUA_CFLAGS) $(LLHTTP_CFLAGS) -D_GNU_SOURCE -MMD -MP
CFLAGS := -std=gnu11 -O2 -g
LUAJIT_A := $(firstword $(wildcard /usr/lib/*/libluajit-5.1.a))
LIBS := -luv -lcrypto -lssl -lz -lm -ldl -lpthread

SOURCES := $(sort $(wildcard src/*.c src/*/*.c))
LUA_FILES := $(sort $(wildcard lua/qlua/*.lua lua/qlua/*/*.lua))
# what `make test` also links into a library for unit specs: the rooms below bind/
TEST_ROOMS := base crypto net http route value script session template store ws
TEST_SOURCES := $(filter $(foreach r,$(TEST_ROOMS),src/$(r)/%),$(SOURCES))

OBJECTS := $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
TEST_OBJECTS := $(TEST_SOURCES:src/%.c=$(BUILD)/pic/%.o)
LLHTTP_OBJECTS := $(patsubst %,$(BUILD)/obj/llhttp/%.o,api http llhttp)
LLHTTP_PIC := $(patsubst %,$(BUILD)/pic/llhttp/%.o,api http llhttp)

.PHONY: all run test check-all bench fuzz sanitize lint format install deps clean
.DELETE_ON_ERROR:

all: $(BUILD)/qlua

$(BUILD)/qlua: $(OBJECTS) $(LLHTTP_OBJECTS) $(BUILD)/obj/lua_modules.o
	$(CC) $(CFLAGS) $(LDFLAGS) -Wl,-E -o $@ $^ $(LUAJIT_A) $(LIBS)

$(BUILD)/libqlua-test.so: $(TEST_OBJECTS) $(LLHTTP_PIC)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^ $(LIBS)

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -c -o $@ $<

$(BUILD)/pic/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -fPIC -c -o $@ $<

# Debian's llhttp is C source in the system's share folder: compiled here, never copied.
$(BUILD)/obj/llhttp/%.o: $(LLHTTP)/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/pic/llhttp/%.o: $(LLHTTP)/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -c -o $@ $<

# lua/qlua as bytecode: one array a module and the table that lists them.
$(BUILD)/lua_modules.c: $(LUA_FILES) Makefile
	@mkdir -p $(@D)
	@{ echo '/* made by make from lua/qlua */'; echo '#include "script/modules.h"'; \
	for f in $(LUA_FILES); do \
	  n=$$(echo $$f | sed 's,^lua/,,; s,\.lua$$,,; s,/init$$,,; s,/,.,g'); \
	  v=$$(echo $$n | tr . _); \
	  luajit -bg -n $$v -t raw $$f $(BUILD)/module.bc || exit 1; \
	  echo "static const unsigned char bc_$$v[] = {"; \
	  od -An -v -tu1 $(BUILD)/module.bc | sed 's/ *\([0-9][0-9]*\)/\1,/g'; echo '};'; \
	done; \
	echo 'const struct script_module script_modules[] = {'; \
	for f in $(LUA_FILES); do \
	  n=$$(echo $$f | sed 's,^lua/,,; s,\.lua$$,,; s,/init$$,,; s,/,.,g'); \
	  v=$$(echo $$n | tr . _); \
	  echo "    {\"$$n\", \"$$f\", bc_$$v, sizeof(bc_$$v)},"; \
	done; echo '    {0, 0, 0, 0},'; echo '};'; } > $@
	@rm -f $(BUILD)/module.bc

$(BUILD)/obj/lua_modules.o: $(BUILD)/lua_modules.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

-include $(OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d)

clean:
	rm -rf $(BUILD)
