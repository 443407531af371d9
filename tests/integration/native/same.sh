#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Each program runs bare and with the preload in both modes: same output, same status. The programs
# print results and errno themselves.

. "${VADTRACE_SRCDIR:?}/tests/integration/native/lib.sh"

for program in semantics operators replaced early \
	threads forks maps shortage coroutines descriptors overflow interrupts; do
	same $program "$here/$program"
done
# The loader binds all functions at once, or asks a module that allocates about each of them.
LD_BIND_NOW=1 same "early, bound at once" "$here/early"
LD_AUDIT=$here/.libs/audit.so same "early, audited" "$here/early"
LD_AUDIT=$here/.libs/audit.so same "overflow, audited" "$here/overflow"
# Windows' names: those of libvadcore are all the preload's, those of others are theirs.
same one_core "$here/one_core"
same names "$here/names" "$here/.libs/names_module.so"
same dl "$here/dl" "$here/.libs/dl_module.so" "$here/.libs/dl_outer.so"
for module in operators replaced; do
	same "plugin, $module" "$here/plugins" "$here/.libs/${module}_module.so"
done

# In route mode, handlers may allocate wherever they interrupt, and threads be cancelled anywhere;
# glibc's allocator forbids that.
same signals "$here/signals"
for program in signals threads; do
	run_to "$scratch/bare" "$here/$program"
	ASYNC=1 preloaded route "$here/$program"
	same_files "$scratch/route" "$scratch/bare" "$program: at any instruction, route"
done

for way in return exit exit-thread exec-thread main-thread _exit _Exit quick_exit exit_group \
	abort kill segv execve execv execvp execvpe execlp execle; do
	same "end by $way" "$here/ends" $way
done

# Misuse ends the process as glibc would, with a message that begins with our name.
for crime in double double-large inner misaligned realloc-freed; do
	preloaded route "$here/crimes" $crime
	is "$(sed 's/^vadtrace: .*/message/; s/^timeout: .*/message/' "$scratch/route" | uniq)" \
		"before
message
status 134" "$crime free, route"
done
same "free of a variable" "$here/crimes" static
same "free of the stack" "$here/crimes" stack

# What the recorder put into the environment is gone, whatever stands around it.
# environment NAME VARIABLES...: the program and its child see these; what they see without us is
# in the array `expected`.
environment() {
	local name=$1

	shift
	run_to "$scratch/bare" env -i PATH="$PATH" "${expected[@]}" "$here/environment"
	run_to "$scratch/route" env -i PATH="$PATH" "$@" "$here/environment"
	same_files "$scratch/route" "$scratch/bare" "$name"
}

expected=(A=1 B=2)
environment "environment: all of ours goes" \
	A=1 LD_PRELOAD="$preload" VADTRACE_PRELOAD="$preload" VADTRACE_MODE=observe B=2 \
	LTTNG_UST_REGISTER_TIMEOUT=-1 VADTRACE_UNSET=LTTNG_UST_REGISTER_TIMEOUT,OTHER \
	VADTRACE_SESSION=x
expected=(LTTNG_HOME=/tmp LTTNG_UST=1)
environment "environment: another variable of LTTng's stays" \
	LTTNG_HOME=/tmp LD_PRELOAD="$preload" VADTRACE_PRELOAD="$preload" \
	VADTRACE_UNSET=LTTNG_UST_REGISTER_TIMEOUT LTTNG_UST=1
libc=$(ldd /bin/sh | awk '$1 ~ /^libc\./ { print $3 }')
expected=(LD_PRELOAD="$libc" A=1)
environment "environment: preloads after us stay" \
	LD_PRELOAD="$preload:$libc" A=1 VADTRACE_PRELOAD="$preload"
environment "environment: preloads before us stay" \
	LD_PRELOAD="$libc $preload" A=1 VADTRACE_PRELOAD="$preload"
expected=(LD_PRELOAD="$preload" VADTRACE_PRELOAD="$preload" VADTRACE_CHILDREN=1
	VADTRACE_MODE=observe)
environment "environment: stays for children that are traced" "${expected[@]}"
expected=(LD_PRELOAD="$preload" VADTRACE_MODE=observe)
environment "environment: stays when the user made it" "${expected[@]}"

# Values that make no sense are as absent ones.
run_to "$scratch/bare" "$here/coroutines"
VADTRACE_STACK_DEPTH=many VADTRACE_MIN_SIZE=-1 VADTRACE_LIVE=relative \
	VADTRACE_SESSION=$(printf '%5000s' x) preloaded nonsense "$here/coroutines"
same_files "$scratch/nonsense" "$scratch/bare" "nonsense in the environment"

tap_done
