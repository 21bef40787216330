# qlua: see README.md. Targets: make (build/qlua), run, test, check-all, bench, fuzz, sanitize,
# lint, format, install, deps, clean.
#
#   make run [APP=apps/hello] [ARGS=]    install what is missing, build, serve
#   make test [SPEC=spec]                install what is missing, build, run every spec and battery
#   make check-all                       test, sanitize, fuzz, and the slow batteries
#   make bench [JOB=plain]               against nginx+lua and the floor (spec/bench/run.lua)
#   make fuzz [FUZZ_SECONDS=30]          each target of spec/fuzz for a bounded time
#   make fuzz-jinja [SEED=1 COUNT=20000] generated templates, beside Jinja's own output
#   make sanitize                        the suite under ASan and UBSan
#   make install [PREFIX=/usr/local]     (DESTDIR= is honoured)

# ---- the one list of Debian packages -------------------------------------------------------
# to build and run
PACKAGES := build-essential libluajit2-5.1-dev luajit2 libuv1-dev node-llhttp lua-cjson \
	zlib1g-dev libssl-dev liblmdb-dev libhiredis-dev
# to test, measure and lint; redis-tools has the redis-server that specs start (the package of that
# name would start one for the whole machine)
PACKAGES += lua-busted lua-socket lua-posix lua-filesystem curl python3 wrk nginx-light \
	libnginx-mod-http-lua clang libclang-rt-14-dev clang-format clang-tidy cppcheck lua-check \
	brotli openssl python3-flask python3-itsdangerous python3-jinja2 redis-tools lua-yaml \
	lua-inifile logrotate chromium chromium-driver

CC := gcc
BUILD := build
APP ?= apps/hello
ARGS ?=
JOB ?=
PREFIX ?= /usr/local
SPEC ?= spec
FUZZ_SECONDS ?= 30
SEED ?= 1
COUNT ?= 20000

# What this version serves of the parity suite: areas, or the beginnings of cases' names.
PARITY_AREAS := routing hosts subdomains request response static middleware hooks errors \
	blueprints sessions sessionconfig nosession signals templates config
# Cases of the lifecycle battery: all but those with websockets (b3 n).
LIFE_CASES := a,=b,b2,b4,c,d,e,f,g,h,i,j,k,l,m

comma := ,
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Werror
LUA_CFLAGS := -I/usr/include/luajit-2.1
LLHTTP := /usr/share/llhttp
LLHTTP_INCLUDE := /usr/share/include/llhttp
LLHTTP_CFLAGS := -I$(LLHTTP_INCLUDE) -DLLHTTP_STRICT_MODE=1
CPPFLAGS := -Isrc $(LUA_CFLAGS) $(LLHTTP_CFLAGS) -D_GNU_SOURCE -MMD -MP
CFLAGS := -std=gnu11 -O2 -g
LUAJIT_A := $(firstword $(wildcard /usr/lib/*/libluajit-5.1.a))
# What C modules of Lua may find in the program: Lua's functions and nothing else. qlua's own names
# would take the place of theirs (Debian's lua-yaml has a parser_init, too).
EXPORTS := $(patsubst %,-Wl$(comma)--export-dynamic-symbol='%',lua_* luaL_* luaJIT_* luaopen_*)
LIBS := -luv -lcrypto -lssl -lz -llmdb -lhiredis -lm -ldl -lpthread

SOURCES := $(sort $(wildcard src/*.c src/*/*.c))
HEADERS := $(sort $(wildcard src/*/*.h))
LUA_FILES := $(sort $(wildcard lua/qlua/*.lua lua/qlua/*/*.lua))
# what the compiler's numbers mean, as the LuaJIT that is linked has them
TRACE_NAMES := $(BUILD)/lua/qlua/profile/trace_names.lua
# what `make test` also links into a library for unit specs: the rooms below bind/
TEST_ROOMS := base crypto net http route value script session template store ws
TEST_SOURCES := $(filter $(foreach r,$(TEST_ROOMS),src/$(r)/%),$(SOURCES))

OBJECTS := $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
ROOM_OBJECTS := $(TEST_SOURCES:src/%.c=$(BUILD)/obj/%.o)
TEST_OBJECTS := $(TEST_SOURCES:src/%.c=$(BUILD)/pic/%.o)
LLHTTP_OBJECTS := $(patsubst %,$(BUILD)/obj/llhttp/%.o,api http llhttp)
LLHTTP_PIC := $(patsubst %,$(BUILD)/pic/llhttp/%.o,api http llhttp)

# Each spec/fuzz/NAME_fuzz.c is built twice: with libFuzzer, and as a runner that replays files.
FUZZ_NAMES := $(patsubst spec/fuzz/%_fuzz.c,%,$(sort $(wildcard spec/fuzz/*_fuzz.c)))
REPLAYS := $(FUZZ_NAMES:%=$(BUILD)/replay/%)
FUZZERS := $(FUZZ_NAMES:%=$(BUILD)/fuzzer/%)

C_FILES := $(SOURCES) $(HEADERS) $(sort $(wildcard spec/*/*.c))

# Short lines while building; V=1 shows the commands.
Q := $(if $(V),,@)
SAY = @echo "  $(1) $@"

# Sub-makes run after deps, so that what it installed is found; in parallel unless told otherwise.
AGAIN = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

LINTS := lint-clang-format lint-luacheck lint-api lint-cppcheck lint-clang-tidy

.PHONY: all run test test-build check-all bench bench-build fuzz fuzz-build fuzz-jinja sanitize \
	$(LINTS) lint format install deps clean
.DELETE_ON_ERROR:

all: $(BUILD)/qlua $(BUILD)/library/qlua.lua

# ---- what people call ----------------------------------------------------------------------

run: deps
	@$(AGAIN) all
	$(BUILD)/qlua run $(APP) $(ARGS)

test: deps
	@$(AGAIN) test-build
	@BUILD=$(BUILD) FUZZ_NAMES="$(FUZZ_NAMES)" PARITY_AREAS="$(PARITY_AREAS)" \
	  luajit spec/support/run_tests.lua $(SPEC)

test-build: all $(BUILD)/libqlua-test.so $(REPLAYS)

check-all: test sanitize fuzz
	@BUILD=$(BUILD) SUITES="soak life" LIFE_CASES="$(LIFE_CASES)" \
	  luajit spec/support/run_tests.lua

bench: deps
	@$(AGAIN) bench-build $(patsubst session-micro,$(BUILD)/bench/session_micro,$(patsubst micro, \
	  $(BUILD)/bench/micro,$(filter micro session-micro,$(JOB))))
	@luajit spec/bench/run.lua $(JOB)

bench-build: $(BUILD)/qlua $(BUILD)/bench/floor

# One dpkg-query when nothing is missing; else apt-get, with sudo for an ordinary user.
deps:
	@command -v dpkg-query >/dev/null || { \
	  echo "make: no Debian here; needed are the equivalents of: $(PACKAGES)"; exit 0; }; \
	have=$$(dpkg-query -W -f '$${db:Status-Status} $${Package}\n' $(PACKAGES) 2>/dev/null | \
	  sed -n 's/^installed //p'); \
	missing=$$(printf '%s\n' $(PACKAGES) | grep -vxF "$$have" | tr '\n' ' '); \
	[ -z "$$missing" ] && exit 0; \
	echo "make: installing $$missing"; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	$$sudo apt-get -qq update; \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
	  $$missing || echo "make: could not install: $$missing; going on without" >&2

SHARE = $(DESTDIR)$(PREFIX)/share
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)/qlua/conf $(SHARE)/qlua/library \
	  $(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions \
	  $(SHARE)/fish/vendor_completions.d
	install -m 755 $(BUILD)/qlua $(DESTDIR)$(PREFIX)/bin/qlua
	$(if $(wildcard conf/*),install -m 644 conf/* $(SHARE)/qlua/conf/)
	install -m 644 $(BUILD)/library/qlua.lua $(SHARE)/qlua/library/
	$(BUILD)/qlua completion bash >$(SHARE)/bash-completion/completions/qlua
	$(BUILD)/qlua completion zsh >$(SHARE)/zsh/site-functions/_qlua
	$(BUILD)/qlua completion fish >$(SHARE)/fish/vendor_completions.d/qlua.fish

clean:
	rm -rf $(BUILD)

# ---- the program ---------------------------------------------------------------------------

$(BUILD)/qlua: $(OBJECTS) $(LLHTTP_OBJECTS) $(BUILD)/obj/lua_modules.o
	$(call SAY,ld)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(EXPORTS) -o $@ $^ $(LUAJIT_A) $(LIBS)

$(BUILD)/libqlua-test.so: $(TEST_OBJECTS) $(LLHTTP_PIC)
	$(call SAY,ld)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^ $(LIBS)

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(call SAY,cc)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -c -o $@ $<

$(BUILD)/pic/%.o: src/%.c
	@mkdir -p $(@D)
	$(call SAY,cc)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -fPIC -c -o $@ $<

# Debian's llhttp is C source in the system's share folder: compiled here, never copied.
$(BUILD)/obj/llhttp/%.o: $(LLHTTP)/%.c
	@mkdir -p $(@D)
	$(call SAY,cc)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/pic/llhttp/%.o: $(LLHTTP)/%.c
	@mkdir -p $(@D)
	$(call SAY,cc)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -c -o $@ $<

# lua/qlua as bytecode: one array a module and the table that lists them.
$(TRACE_NAMES): lua/tools/trace_names.lua Makefile
	@mkdir -p $(@D)
	@luajit lua/tools/trace_names.lua > $@

$(BUILD)/lua_modules.c: $(LUA_FILES) $(TRACE_NAMES) Makefile
	@mkdir -p $(@D)
	@{ echo '/* made by make from lua/qlua */'; echo '#include "script/modules.h"'; \
	for f in $(LUA_FILES) $(TRACE_NAMES); do \
	  n=$$(echo $$f | sed 's,^$(BUILD)/,,; s,^lua/,,; s,\.lua$$,,; s,/init$$,,; s,/,.,g'); \
	  v=$$(echo $$n | tr . _); \
	  luajit -bg -n $$v -t raw $$f $(BUILD)/module.bc || exit 1; \
	  echo "static const unsigned char bc_$$v[] = {"; \
	  od -An -v -tu1 $(BUILD)/module.bc | sed 's/ *\([0-9][0-9]*\)/\1,/g'; echo '};'; \
	done; \
	echo 'const struct script_module script_modules[] = {'; \
	for f in $(LUA_FILES) $(TRACE_NAMES); do \
	  n=$$(echo $$f | sed 's,^$(BUILD)/,,; s,^lua/,,; s,\.lua$$,,; s,/init$$,,; s,/,.,g'); \
	  v=$$(echo $$n | tr . _); \
	  echo "    {\"$$n\", \"$$f\", bc_$$v, sizeof(bc_$$v)},"; \
	done; echo '    {0, 0, 0, 0},'; echo '};'; } > $@
	@rm -f $(BUILD)/module.bc

$(BUILD)/obj/lua_modules.o: $(BUILD)/lua_modules.c
	@mkdir -p $(@D)
	$(call SAY,cc)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

-include $(OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d)

# The types of the API for editors, made of the annotations in lua/qlua.
$(BUILD)/library/qlua.lua: $(BUILD)/qlua $(wildcard lua/tools/*.lua)
	@mkdir -p $(@D)
	$(call SAY,make)
	$(Q)QLUA_LUA_DIR=lua $(BUILD)/qlua lua/tools/library.lua >$@

# ---- benchmarks ----------------------------------------------------------------------------

# the floor: libuv and llhttp alone
$(BUILD)/bench/floor: spec/bench/floor.c $(LLHTTP_OBJECTS)
	@mkdir -p $(@D)
	$(call SAY,ld)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -o $@ $^ -luv

# the plain request through the memory stream: everything but main()
$(BUILD)/bench/micro: spec/bench/micro.c $(filter-out $(BUILD)/obj/main.o,$(OBJECTS)) \
		$(LLHTTP_OBJECTS) $(BUILD)/obj/lua_modules.o
	@mkdir -p $(@D)
	$(call SAY,ld)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -Wl,-E -o $@ $^ $(LUAJIT_A) $(LIBS)

# a session loaded and saved: the rooms below bind/
$(BUILD)/bench/session_micro: spec/bench/session_micro.c $(ROOM_OBJECTS) $(LLHTTP_OBJECTS)
	@mkdir -p $(@D)
	$(call SAY,ld)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -o $@ $^ $(LUAJIT_A) $(LIBS)

# ---- fuzzing and sanitizers ----------------------------------------------------------------

$(BUILD)/replay/%: spec/fuzz/%_fuzz.c spec/fuzz/replay.c $(ROOM_OBJECTS) $(LLHTTP_OBJECTS)
	@mkdir -p $(@D)
	$(call SAY,ld)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -Ispec/fuzz $(LDFLAGS) -Wl,-E -o $@ $^ $(LUAJIT_A) $(LIBS)

$(BUILD)/fuzzer/%: spec/fuzz/%_fuzz.c $(ROOM_OBJECTS) $(LLHTTP_OBJECTS)
	@mkdir -p $(@D)
	$(call SAY,ld)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -Ispec/fuzz -fsanitize=fuzzer -o $@ $^ $(LUAJIT_A) $(LIBS)

fuzz-build: $(FUZZERS)

FUZZ_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
fuzz: deps
	@$(AGAIN) BUILD=build/fuzz CC=clang WARNINGS=-Wall \
	  CFLAGS="-std=gnu11 -O1 -g -fno-omit-frame-pointer $(FUZZ_FLAGS)" fuzz-build
	@BUILD=build/fuzz FUZZ_NAMES="$(FUZZ_NAMES)" FUZZ_SECONDS=$(FUZZ_SECONDS) SUITES=fuzz \
	  luajit spec/support/run_tests.lua

fuzz-jinja: deps
	@$(AGAIN) $(BUILD)/qlua
	@BUILD=$(BUILD) luajit spec/fuzz/jinja_differential.lua --seed $(SEED) --count $(COUNT)

# Leaks count too, in the servers: a worker frees all it has before it exits.
SAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined
sanitize: deps
	@$(AGAIN) BUILD=build/san WARNINGS=-Wall LDFLAGS="$(SAN_FLAGS)" \
	  CFLAGS="-std=gnu11 -O1 -g -fno-omit-frame-pointer $(SAN_FLAGS)" test-build
	@BUILD=build/san FUZZ_NAMES="$(FUZZ_NAMES)" SUITES="busted replay http" \
	  SANITIZER=$$($(CC) -print-file-name=libasan.so) \
	  luajit spec/support/run_tests.lua $(SPEC)

# ---- style ---------------------------------------------------------------------------------

lint: deps
	@$(AGAIN) -k $(LINTS)

lint-clang-format:
	@clang-format --dry-run -Werror $(C_FILES)

lint-luacheck:
	@luacheck -q lua apps spec

# every public name is annotated, and says what it is
lint-api: $(BUILD)/qlua
	@QLUA_LUA_DIR=lua $(BUILD)/qlua lua/tools/lint_api.lua

lint-cppcheck:
	@cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr --suppressions-list=.cppcheck \
	  --enable=warning,performance,portability -Isrc -I$(LLHTTP_INCLUDE) $(SOURCES)

lint-clang-tidy:
	@printf '%s\n' $(SOURCES) | xargs -P $$(nproc) -n 4 sh -c \
	  'clang-tidy --quiet "$$@" -- $(CPPFLAGS) $(CFLAGS) 2>/dev/null' clang-tidy

format:
	@clang-format -i $(C_FILES)
