#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# doctor's table, JSON and exit status. What it says of programs that cannot be recorded is in
# errors.sh.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh"

run doctor
is "$status" 0 "a machine that can record"
ok "says so" grep -q '^Ready to record' "$out"
not_ok "no row fails" grep -q '^fail' "$out"
ok "the library was loaded" grep -q '^ok .*libvadtrace.so .*loads$' "$out"
ok "the recorder's object was loaded" grep -q '^ok .*libvadtrace-record.so .*loads$' "$out"
ok "no daemon is no failure" grep -q '^ok .*none runs' "$out"
ok "what stamps the events" grep -qE '^(ok|warn) .*clock  *.* ns a reading' "$out"
ok "how writes are watched" grep -q '^ok .*write watch  *by ' "$out"
ok "how small regions are released" grep -q '^ok .*small regions  *parked ' "$out"
no_leftovers "doctor"
start_daemon
run doctor
ok "a daemon that answers" grep -q "^ok .*answers (process $(daemon_pid))" "$out"
stop_daemon

run doctor --json true
is "$status" 0 "--json: status"
# shellcheck disable=SC2016 # Perl's
ok "--json is JSON" perl -MJSON::PP -e 'local $/; my $d = decode_json(<STDIN>);
	exit !($d->{can_record} && (grep { $_->{check} eq "program" } @{$d->{checks}}))' <"$out"

LTTNG_SESSIOND_PATH=/no/sessiond run doctor
is "$status" 1 "no lttng-sessiond: status"
ok "no lttng-sessiond: says what to do" grep -q -e '-> .*lttng-tools' "$out"
echo text >notalib.so
VADTRACE_LIBRARY=$scratch/notalib.so run doctor
is "$status" 1 "a library that cannot be loaded: status"
ok "a library that cannot be loaded: says so" grep -q '^fail.*cannot be loaded' "$out"
mkdir alone
cp "$VADTRACE_BUILDDIR/preload/.libs/libvadtrace.so" alone
VADTRACE_LIBRARY=$scratch/alone/libvadtrace.so run doctor
is "$status" 1 "no recorder's object: status"
ok "no recorder's object: says so" \
	grep -q '^fail.*alone/libvadtrace-record.so cannot be read' "$out"
echo text >alone/libvadtrace-record.so
VADTRACE_LIBRARY=$scratch/alone/libvadtrace.so run doctor
is "$status" 1 "a recorder's object that cannot be loaded: status"
ok "a recorder's object that cannot be loaded: says so" \
	grep -q '^fail.*libvadtrace-record.so cannot be loaded' "$out"
VADTRACE_LIBRARY=/no/lib.so run doctor
is "$status" 1 "no library: status"
mount -t tmpfs -o remount,size=256k shm /dev/shm
run doctor
ok "little shared memory" grep -q '^fail  /dev/shm' "$out"
mount -t tmpfs -o remount,size=1g shm /dev/shm

cat >own.c <<-'END'
	#include <stddef.h>
	void *malloc(size_t size) { static char block[4096]; return size > 4096 ? NULL : block; }
	int main(void) { return !malloc(1); }
END
"${CC:-cc}" -rdynamic -fno-builtin -o own own.c
run doctor ./own
is "$status" 0 "a malloc of its own: can be recorded"
ok "a malloc of its own: is told" grep -q '^warn.*defines malloc' "$out"
run doctor --bogus
is "$status" 2 "wrong words"
run doctor --help
is "$status" 0 "--help"
tap_done
