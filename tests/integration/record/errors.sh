#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# What cannot be recorded is refused with its own status, a message and a hint, and leaves nothing.
# doctor says the same.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"

nobody=65534

# as_nobody WORDS...: like run, as a user who is not root.
as_nobody() {
	status=0
	(cd / && setpriv --reuid=$nobody --regid=$nobody --clear-groups \
		"$vadtrace" "$@") >"$out" 2>"$err" </dev/null || status=$?
}

# doctor_refuses PATTERN PROGRAM
doctor_refuses() {
	run doctor "$2"
	is "$status" 1 "doctor: $2: status"
	ok "doctor: $2: says why" grep -q -e "^fail .*$1" "$out"
	ok "doctor: $2: says what to do" grep -q -e '-> ' "$out"
}

run record -- ./missing
refused 127 "'./missing' was not found" "missing"
run record -- missing-program-of-no-name
refused 127 "was not found" "not in PATH"
run record -- ''
refused 127 "was not found" "empty name"
doctor_refuses 'was not found' ./missing
cp /bin/true here
run record -- here
refused 127 "'here' was not found" "in the current folder, without ./"
ok "in the current folder: how to name it" said 'put ./ before its name'
mkdir bin
PATH=$scratch/bin run record -- wine64
is "$status" 127 "Wine is not in the PATH"
if [ -x /usr/lib/wine/wine64 ]; then
	ok "Wine is not in the PATH: where it is" said 'name it /usr/lib/wine/wine64'
else
	skip "Wine is not in the PATH: where it is" "it is not there"
fi

echo 'echo' >plain
run record -- ./plain
refused 126 "cannot be executed: Permission denied" "not executable"
chmod +x plain
run record -- ./plain
refused 126 "neither an ELF program nor a script" "neither ELF nor script"
run record -- /tmp
refused 126 "Is a directory" "a folder"
ok "a folder: how to go on" said 'name a program'
printf '#!/no/such/interpreter\n' >orphan
chmod +x orphan
run record -- ./orphan
refused 126 "needs '/no/such/interpreter'" "a script without its interpreter"
head -c 100 /bin/true >short
chmod +x short
run record -- ./short
is "$status" 126 "a program cut short: status"
no_leftovers "a program cut short"

echo 'int main(void) { return 0; }' >main.c
"${CC:-cc}" -static -no-pie -o static main.c
run record -- ./static
refused 117 "statically linked" "static"
doctor_refuses 'statically linked' ./static
"${CC:-cc}" -static-pie -o staticpie main.c
run record -- ./staticpie
refused 117 "static-pie" "static-pie"
"${CC:-cc}" -o bindnow -Wl,-z,now,-z,relro main.c
run record -q -o bindnow.trace -- ./bindnow
is "$status" 0 "-z now is no hindrance"
"${CC:-cc}" -o musl -Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1 main.c
run record -- ./musl
refused 120 "linked with musl" "musl"
"${CC:-cc}" -o other -Wl,--dynamic-linker=/system/bin/linker64 main.c
run record -- ./other
refused 120 "does not use glibc's loader" "another libc"
"${CC:-cc}" -o absent -Wl,--dynamic-linker=/no/ld-linux-x86-64.so.2 main.c
run record -- ./absent
is "$status" 126 "a program whose loader is missing: status"
# An ELF header says what it is for: class at 4, machine at 18.
cp bindnow narrow
printf '\001' | dd of=narrow bs=1 seek=4 conv=notrunc 2>/dev/null
printf '\003' | dd of=narrow bs=1 seek=18 conv=notrunc 2>/dev/null
run record -- ./narrow
refused 119 "32-bit program" "32 bits"
doctor_refuses '32-bit' ./narrow
cp bindnow foreign
printf '\267' | dd of=foreign bs=1 seek=18 conv=notrunc 2>/dev/null
run record -- ./foreign
refused 119 "another processor" "another processor"
printf '#!%s/static\n' "$scratch" >script
chmod +x script
run record -- ./script
refused 117 "the interpreter of './script'" "a script with a static interpreter"

# A sanitizer's runtime that is a library insists on being the first.
for sanitizer in address thread; do
	"${CC:-cc}" -fsanitize=$sanitizer -o $sanitizer main.c 2>/dev/null
	if ! ldd ./$sanitizer 2>/dev/null | grep -q 'lib[at]san\.so'; then
		skip "-fsanitize=$sanitizer" "the compiler has no such library"
		continue
	fi
	run record -- ./$sanitizer
	refused 121 "is built with a sanitizer" "-fsanitize=$sanitizer"
	doctor_refuses "is built with a sanitizer" ./$sanitizer
done

chmod 755 "$scratch"
cp bindnow setuid && chmod 4755 setuid
cp bindnow setgid && chmod 2755 setgid
as_nobody record -- "$scratch/setuid"
refused 118 "is set-uid" "set-uid"
as_nobody record -- "$scratch/setgid"
refused 118 "is set-gid" "set-gid"
run record -q -o setuid.trace -- ./setuid
is "$status" 0 "root records its own set-uid program"
chown $nobody setuid && chmod 4755 setuid
run record -- ./setuid
refused 118 "is set-uid" "root, another's set-uid program"
cp bindnow capable
if setcap cap_net_raw+ep capable 2>/dev/null; then
	as_nobody record -- "$scratch/capable"
	refused 118 "file capabilities" "file capabilities"
else
	skip "file capabilities" "cannot be set here"
fi
setpriv --no-new-privs "$vadtrace" record -q -o nnp.trace -- ./setuid
is $? 0 "set-uid does not count under no_new_privs"

run record
refused 113 "which program" "no program"
run record --no-such-option -- true
refused 113 "unrecognized option" "an unknown option"
for words in "--mode both" "--stack-depth 257" "--stack-depth -1" "--min-size x" \
	"--buffer-size 1K" "--buffer-size 1T" "--commit-limit 0" \
	"--max-block 5" "--max-block ms" "--max-block 1801s" "--max-block -1s"; do
	# shellcheck disable=SC2086 # two words
	run record $words -- true
	refused 113 "${words%% *} takes" "$words"
done
run record -o -- true
refused 113 "-o needs the name of a folder before '--'" "-o without a folder"
run record --commit-limit 64M --mode observe -- true
refused 113 "commit-limit needs --mode route" "a limit of what core does not serve"
run record --library /no/such.so -- true
refused 121 "'/no/such.so' cannot be read" "no library"
cp "$VADTRACE_BUILDDIR/preload/.libs/libvadtrace.so" "a b.so"
run record --library "a b.so" -- true
refused 121 "has a space" "a library with a space in its path"
mkdir -p installed/bin installed/lib/vadtrace
cp "$vadtrace" installed/bin
mv "a b.so" installed/lib/vadtrace/libvadtrace.so
vadtrace=installed/bin/vadtrace run record -- true
refused 121 "libvadtrace-record.so' cannot be read" "an installation without the recorder's object"
run record --buffer-size 64K --relay 'bad://url' -- true
refused 122 "LTTng cannot create a session" "a relay that cannot be"

mount -t tmpfs -o remount,size=256k shm /dev/shm
run record -- true
refused 122 "buffers need .* in /dev/shm" "no room in /dev/shm"
mount -t tmpfs -o remount,size=8m shm /dev/shm
run record -q -o small.trace -- "$allocate" 1000
is "$status" 0 "smaller buffers where /dev/shm is small"
ok "the manifest tells their size" grep -q '"buffer_bytes":[0-9]\{5,6\},' small.trace/vadtrace.json
run record --buffer-size 4M -- true
refused 122 "buffers need" "unless they were asked for"
mount -t tmpfs -o remount,size=1g shm /dev/shm

# A user whose home cannot be written records once LTTng has another folder for its sockets.
chmod 755 "$scratch"
mkdir home private && chown $nobody home
HOME=/nonexistent as_nobody record -o "$scratch/home/trace" -- /bin/true
is "$status" 115 "a home that cannot be written: status"
ok "a home that cannot be written: what to do" said 'set LTTNG_HOME to a folder'
HOME=/nonexistent LTTNG_HOME=$scratch/home as_nobody record -o "$scratch/home/trace" -- /bin/true
is "$status" 0 "LTTNG_HOME is used"
HOME=$scratch/home as_nobody record -f -o "$scratch/home/trace" -- /bin/true
is "$status" 0 "a user who is not root records"
HOME=$scratch/home as_nobody report "$scratch/home/trace"
is "$status" 0 "and reads what was recorded"
# Others' traces cannot be read.
run record -q -o private/trace -- true
for folder in private private/trace; do
	chmod 755 private && chmod 700 private/trace
	[ $folder = private ] && chmod 700 private
	HOME=$scratch/home as_nobody report "$scratch/private/trace"
	is "$status" 1 "another's trace, $folder is closed: status"
	ok "another's trace, $folder is closed: what happened" \
		said 'may not read\|Permission denied'
	ok "another's trace, $folder is closed: what to do" said 'hint: '
done
# LTTng aborts where it is refused what it needs.
walls=$VADTRACE_BUILDDIR/tests/integration/native/walls
run record -o filter -- "$walls" barriers
is "$status" 134 "a filter that refuses LTTng's calls: status"
ok "a filter that refuses LTTng's calls: said" said 'forbade itself system calls'
ok "a filter that refuses LTTng's calls: what to do" said 'hint: .* let the filter allow'
run record -o filter2 -- "$walls" mounts
not_ok "another filter: nothing is said" said 'forbade itself'

run report ./missing
is "$status" 1 "no such trace"
ok "no such trace: what to name" said 'hint: name the folder'

run help record
cp "$out" help
run record --help
is "$status" 0 "--help: status"
same_files help "$out" "help record says the same"
ok "--help goes to the output" grep -q -e --children "$out"
is "$(cat "$err")" "" "--help says nothing else"
tap_done
