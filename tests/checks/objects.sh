#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# What the linker made: exported names, thread-local storage, names wanted from others.

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"

preload=$VADTRACE_BUILDDIR/preload/.libs/libvadtrace.so
recorder=$VADTRACE_BUILDDIR/preload/.libs/libvadtrace-record.so
core=$VADTRACE_BUILDDIR/core/.libs/libvadcore.so

# listed_names FOLDER: what it exports, as nm -D writes it: names of export.list without a version,
# those of export.map with the node's.
listed_names() {
	sed '/^#/d; /^$/d' "$1/export.list"
	awk '/^[A-Z_0-9]+ \{/ { version = $1 }
		/^\t[A-Za-z_0-9]+;$/ { sub(/;/, "", $1); print $1 "@@" version }' "$1/export.map"
}

# served_names FOLDER: those that the preload has in the other's place, hidden (one @).
served_names() {
	listed_names "$1" | sed -n 's/@@VADCORE_1$/@VADCORE_1/p'
}

# exported_names OBJECT
exported_names() {
	nm -D --defined-only --with-symbol-versions "$1" | awk '$2 != "A" { print $3 }' |
		LC_ALL=C sort -u
}

# exports_are OBJECT FOLDER [SERVED_FOLDER]: each exported name is listed, and each listed name
# exported.
exports_are() {
	diff <({
		listed_names "$2"
		[ $# -lt 3 ] || served_names "$3"
	} | LC_ALL=C sort -u) <(exported_names "$1")
}

# version_index OBJECT VERSION: its number. Who asks the loader without a version may be given what
# has the first one of an object, number 2.
version_index() {
	readelf -VW "$1" | awk -v name="$2" '
		/Version definition/ { is_in = 1 }
		/Version needs/ { is_in = 0 }
		is_in && $NF == name { sub(/.*Index: */, ""); print $1 }'
}

# has_static_tls OBJECT: initial-exec only, nothing that asks the loader at run time.
has_static_tls() {
	! readelf -rW "$1" | grep -E 'DTPMOD|TLSDESC'
}

# tls_bytes OBJECT
tls_bytes() {
	readelf -lW "$1" | awk '$1 == "TLS" { print $6 }'
}

# tls_is_small OBJECT BYTES: static TLS is scarce, and other libraries come after us.
tls_is_small() {
	local bytes

	bytes=$(tls_bytes "$1")
	echo "thread-local storage: $((bytes)) bytes"
	[ $((bytes)) -le "$2" ]
}

# tls_limit: with checks, each thread also counts its locks by rank.
tls_limit() {
	if grep -q '^#define VADTRACE_CHECKS 1' "$VADTRACE_BUILDDIR/config.h"; then
		echo 72
	else
		echo 64
	fi
}

# needs OBJECT: the libraries that the loader brings with it, but for the C library's own.
needs() {
	readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
		grep -Ev '^(libc\.so\.6|ld-linux-x86-64\.so\.2)$'
}

# wants_none OBJECT NAMES: it does not import these (an expression).
wants_none() {
	! nm -D --undefined-only "$1" | awk '{ sub(/@.*/, "", $2); print $2 }' | grep -Ex "$2"
}

# sample TEXT... [-OPTION...]: a shared object made of this C text.
sample() {
	printf '%s\n' "${@/#-*/}" >"$scratch/sample.c"
	# shellcheck disable=SC2046 # Options are words.
	"${CC:-cc}" -shared -fPIC -o "$scratch/sample.so" "$scratch/sample.c" \
		$(printf '%s\n' "$@" | grep '^-')
}

# finds_all OBJECT: each name that it wants is found in what it links.
finds_all() {
	! ldd -r "$1" 2>&1 | grep -F 'undefined symbol'
}

# calls_nothing OBJECT FUNCTION: and so saves no registers of the other calling convention.
calls_nothing() {
	objdump -d --no-show-raw-insn "$1" | awk -v name="<$2>:" '
		/^[0-9a-f]+ </ { is_in = $2 == name; found += is_in }
		is_in && ($2 ~ /^call/ || /%xmm([6-9]|1[0-5])/) { print; failed = 1 }
		END { exit failed || !found }'
}

# needs_no_stack OBJECT FUNCTION: nothing but its return address, and a probe of the stack at most.
needs_no_stack() {
	objdump -d --no-show-raw-insn "$1" | awk -v name="<$2>:" '
		/^[0-9a-f]+ </ { is_in = $2 == name; found += is_in }
		is_in && ($2 ~ /^(push|pop|call)/ || /\(%rsp|,%rsp/) && $2 != "test" {
			print; failed = 1 }
		END { exit failed || !found }'
}

# stays_inside OBJECT SECTION: its code reaches nothing outside relative to itself: a copy of the
# section can run anywhere.
stays_inside() {
	objdump -h "$1" | awk -v name="$2" '$2 == name { print $4, $3 }' | {
		read -r start size && objdump -d --no-show-raw-insn -j "$2" "$1" |
			awk -v start="$start" -v size="$size" '
			function value(text,    i, sum) {
				for (i = 1; i <= length(text); i++)
					sum = sum * 16 + index("0123456789abcdef",
						substr(text, i, 1)) - 1
				return sum
			}
			BEGIN { first = value(start); end = first + value(size) }
			/\(%rip\)/ { lines++; target = $0; sub(/.*# /, "", target)
				sub(/ .*/, "", target); reach = value(target) }
			$2 ~ /^(j|call)/ && $3 ~ /^[0-9a-f]+$/ { lines++; reach = value($3) }
			reach && (reach < first || reach >= end) { print; failed = 1 }
			{ reach = 0 }
			END { exit failed || !lines }'
	}
}

# order_is_of_sources LIST FOLDER...: each of its names is a source's.
order_is_of_sources() {
	local kind file name lost=0

	while read -r kind file name; do
		case $kind in
		near) grep -rqE --include='*.c' -e "\\b$file\\(" "${@:2}" ;;
		far) grep -rqE --include="$file" -e "\\b$name(\\[|,|;)" "${@:2}" ;;
		*) continue ;;
		esac || {
			echo "$kind $file $name"
			lost=1
		}
	done <"$1"
	return "$lost"
}

# near_bytes OBJECT: what the functions of order.list take. Nothing: the linker takes no order.
near_bytes() {
	readelf -SW "$1" | sed -n 's/.*\.text\.near *PROGBITS *[^ ]* *[^ ]* *\([^ ]*\).*/0x\1/p'
}

# near_fits OBJECT: in what the system maps around the first of them.
near_fits() {
	local bytes

	bytes=$(near_bytes "$1")
	echo "functions that stand together: $((bytes)) bytes"
	[ -z "$bytes" ] || { [ $((bytes)) -ge 16384 ] && [ $((bytes)) -le 65536 ]; }
}

malloc_family='(__libc_)?(malloc|calloc|realloc|free|memalign|aligned_alloc|posix_memalign)'
stdio='(v|vf|s|sn|vsn)?printf|f?puts|fopen(64)?|fwrite|perror'
unwinder='_Unwind_Backtrace|unw_.*|_Ux86_64_.*|backtrace'

ok "the preload exports what is listed" exports_are "$preload" \
	"$VADTRACE_SRCDIR/preload" "$VADTRACE_SRCDIR/core"
ok "the core exports what is listed" exports_are "$core" "$VADTRACE_SRCDIR/core"
ok "the preload's Win32 names are not those that the loader gives to who asks without a version" \
	[ "$(version_index "$preload" VADCORE_1)" -gt 2 ]
ok "the preload lacks no symbol" finds_all "$preload"
ok "the core lacks no symbol" finds_all "$core"
ok "the preload uses initial-exec TLS only" has_static_tls "$preload"
ok "the preload has at most $(tls_limit) bytes of TLS" tls_is_small "$preload" "$(tls_limit)"
not_ok "the preload needs no library but the C library" needs "$preload"
ok "the preload walks no stacks and calls nothing of LTTng's" wants_none "$preload" \
	"$unwinder|lttng_.*|Zydis.*"
is "$(exported_names "$recorder")" vadtrace_record "the recorder exports its table"
ok "the recorder lacks no symbol" finds_all "$recorder"
ok "the recorder uses initial-exec TLS only" has_static_tls "$recorder"
ok "the recorder has at most 40 bytes of TLS" tls_is_small "$recorder" 40
ok "the recorder needs LTTng" grep -q '^liblttng-ust\.so' <(needs "$recorder")
ok "the core uses initial-exec TLS only" has_static_tls "$core"
ok "the core calls no malloc" wants_none "$core" "$malloc_family"
ok "the core calls no stdio" wants_none "$core" "$stdio|fprintf|__.*printf_chk|stderr|stdout"
ok "the core walks no stacks" wants_none "$core" "$unwinder|lttng_.*"
# malloc_info and malloc_stats print by their nature.
ok "the preload opens and reads no streams" wants_none "$preload" \
	'fopen(64)?|fdopen|popen|fread|fgets|getline|fscanf|.*_fscanf|perror|printf|puts'

ok "each name of order.list is in the sources" order_is_of_sources \
	"$VADTRACE_SRCDIR/preload/order.list" "$VADTRACE_SRCDIR/preload" "$VADTRACE_SRCDIR/core"
ok "what a small program runs lies within 64 KiB" near_fits "$preload"
ok "the quick HeapAlloc calls nothing" calls_nothing "$preload" quick_allocate
ok "the quick HeapFree calls nothing" calls_nothing "$preload" quick_release
ok "the quick HeapAlloc needs no stack" needs_no_stack "$preload" quick_allocate
ok "nor does the quick HeapFree" needs_no_stack "$preload" quick_release
ok "HeapAlloc of another heap calls nothing" calls_nothing "$preload" quick_allocate_other
ok "nor does HeapFree of another heap" calls_nothing "$preload" quick_release_other

ok "what is copied beside Windows' DLLs reaches nothing outside" stays_inside "$preload" \
	vadtrace_near

mkdir "$scratch/list"
printf 'near one\nfar a.c two\n' >"$scratch/list/order.list"
printf 'int two;\nint one(void)\n' >"$scratch/list/a.c"
ok "finds an order's names" order_is_of_sources "$scratch/list/order.list" "$scratch/list"
printf 'int two;\nint ones(void)\n' >"$scratch/list/a.c"
not_ok "finds a function that is gone" order_is_of_sources "$scratch/list/order.list" \
	"$scratch/list"
printf 'int twos;\nint one(void)\n' >"$scratch/list/a.c"
not_ok "finds a variable that is gone" order_is_of_sources "$scratch/list/order.list" \
	"$scratch/list"
sample 'int one(void) { return 1; }'
is "$(near_bytes "$scratch/sample.so")" "" "finds no order in another object"
rm "$scratch/list/a.c"
echo one >"$scratch/list/export.list"
printf 'VADCORE_1 {\nglobal:\n\ttwo;\n};\n' >"$scratch/list/export.map"
sample 'int one(void) { return 1; }' 'int three(void) { return 2; }'
not_ok "finds a name too many" exports_are "$scratch/sample.so" "$scratch/list"
sample 'int one(void) { return 1; }'
not_ok "finds a name too few" exports_are "$scratch/sample.so" "$scratch/list"
sample 'int one(void) { return 1; }' 'int two(void) { return 2; }'
not_ok "finds a version that is not there" exports_are "$scratch/sample.so" "$scratch/list"
sample 'int one(void) { return 1; }' 'int two(void) { return 2; }' \
	-Wl,--version-script="$scratch/list/export.map"
ok "lets the right names be" exports_are "$scratch/sample.so" "$scratch/list"
is "$(version_index "$scratch/sample.so" VADCORE_1)" 2 "finds the first version"
sample 'int missing(void);' 'int one(void) { return missing(); }'
not_ok "finds a missing symbol" finds_all "$scratch/sample.so"
sample '__thread char slow[65];' 'char *get(int i) { return &slow[i]; }'
not_ok "finds dynamic TLS" has_static_tls "$scratch/sample.so"
not_ok "finds large TLS" tls_is_small "$scratch/sample.so" 64
sample '#include <stdio.h>' '#include <stdlib.h>' 'void f(void) { printf("%p", malloc(1)); }'
not_ok "finds a call of malloc" wants_none "$scratch/sample.so" "$malloc_family"
not_ok "finds a call of stdio" wants_none "$scratch/sample.so" "$stdio"
sample 'int other(void);' 'int calls(void) { return other() + 1; }'
not_ok "finds a call" calls_nothing "$scratch/sample.so" calls
sample 'int calls(int n) { return n + 1; }' -O2
ok "lets a function without calls be" calls_nothing "$scratch/sample.so" calls
not_ok "finds that there is no such function" calls_nothing "$scratch/sample.so" other
ok "lets a function without a frame be" needs_no_stack "$scratch/sample.so" calls
sample 'int pushes(int n) { __asm__ volatile("" : : : "rbx"); return n; }' -O2
not_ok "finds a function with a frame" needs_no_stack "$scratch/sample.so" pushes
near='__attribute__((noinline, section("near")))'
sample "$near static int other(int n) { return n / 3; }" \
	"$near int inside(int n) { return other(n) + other(n + 1); }" -O1
ok "lets a section be that stays inside" stays_inside "$scratch/sample.so" near
sample 'static int outside;' "$near int other(void) { return 1; }" \
	"$near int *reaches(void) { return &outside + other(); }" -O1
not_ok "finds what is read outside" stays_inside "$scratch/sample.so" near
sample '__attribute__((noinline)) static int outside(int n) { return n / 3; }' \
	"$near int reaches(int n) { return outside(n); }" -O1
not_ok "finds what is called outside" stays_inside "$scratch/sample.so" near
not_ok "finds that there is no such section" stays_inside "$scratch/sample.so" other
tap_done
