#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Other allocators beside ours: preloaded after us, before us, and linked. In each mode, C and C++
# programs, threads and forks do as with that allocator alone.

. "${VADTRACE_SRCDIR:?}/tests/integration/native/lib.sh"

libraries=(libjemalloc.so.2 libtcmalloc_minimal.so.4 libmimalloc.so.2)

# path_of LIBRARY: where the loader finds it; empty when it is not installed.
path_of() {
	ldconfig -p | awk -v name="$1" '$1 == name && /x86-64/ { print $NF; exit }'
}

# as_alone ORDERS ALLOCATOR NAME COMMAND...: with us in each order and mode as without us.
as_alone() {
	local orders=$1 allocator=$2 name=$3 order mode

	shift 3
	run_to "$scratch/bare" env LD_PRELOAD="$allocator" "$@"
	for order in $orders; do
		preloads="$preload $allocator"
		[ "$order" = after ] || preloads="$allocator $preload"
		for mode in route observe; do
			preloaded $mode "$@"
			same_files "$scratch/$mode" "$scratch/bare" \
				"$name, ${allocator##*/} $order us, $mode"
		done
	done
	preloads=
}

# linked ALLOCATOR WORDS...: a C++ program that is linked with it.
linked() {
	local allocator=$1

	shift
	if ! command -v "${CXX:-g++}" >/dev/null; then
		skip "operators, linked with ${allocator##*/}" "no C++ compiler"
		return
	fi
	"${CXX:-g++}" -std=gnu++17 -pthread -fsized-deallocation -o "$scratch/linked" \
		"$VADTRACE_SRCDIR/tests/integration/native/operators.cc" \
		-Wl,--no-as-needed "$allocator"
	same "operators, linked with ${allocator##*/}" "$scratch/linked" "$@"
}

test_allocator() {
	local allocator=$1 words=()

	# mimalloc aborts when operator new finds no memory.
	[[ $allocator != *mimalloc* ]] || words=(enough)
	as_alone "after before" "$allocator" operators "$here/operators" "${words[@]}"
	as_alone "after before" "$allocator" forks "$here/forks" 20
	as_alone after "$allocator" threads "$here/threads"
	as_alone after "$allocator" "C++ in a plugin" \
		"$here/plugins" "$here/.libs/operators_module.so"
	linked "$allocator" "${words[@]}"
}

# A library that only wraps malloc.
wrapper=$here/.libs/wrapper.so
for program in semantics early operators; do
	as_alone "after before" "$wrapper" $program "$here/$program"
done

for library in "${libraries[@]}"; do
	path=$(path_of "$library")
	if [ -n "$path" ]; then
		test_allocator "$path"
	else
		skip "$library" "it is not installed"
	fi
done
tap_done
