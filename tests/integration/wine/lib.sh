# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034

# Runs Windows programs on Wine, bare and in each of our ways, in a prefix of the build tree's own:
# the user's prefix, home and screen are not touched.
#
#   . "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
#   start_wine
#   run_way bare "$programs/stress.exe"      stdout, stderr, status in $scratch/bare
#
# One wineserver serves all scripts of a build tree, whichever comes first starts it. It leaves a
# minute after its last program, so nobody has to end it and an interrupted script leaves nothing.
# It cannot be shared across PID namespaces: scripts here make none.

. "${VADTRACE_SRCDIR:?}/tests/lib/tap.sh"

here=$VADTRACE_SRCDIR/tests/integration/wine
programs=$VADTRACE_BUILDDIR/tests/integration/wine
conformance=$VADTRACE_BUILDDIR/tests/conformance
preload=$VADTRACE_BUILDDIR/preload/.libs/libvadtrace.so
vadtrace=$VADTRACE_BUILDDIR/tools/vadtrace
wine_folder=$VADTRACE_BUILDDIR/tests/integration/wine/wine
server_seconds=60
limit_seconds=600
modes="route observe verify"

# share_daemon: the recordings of this script share one session daemon, in a /run of the script's
# own, which ends with it. Where that cannot be, each starts its own. To be called first.
share_daemon() {
	if [ -n "${WINE_TEST_RUN:-}" ]; then
		mount -t tmpfs run /run && mount -t tmpfs shm /dev/shm || return 0
		setpriv --pdeathsig TERM lttng-sessiond --no-kernel >/dev/null 2>&1 </dev/null &
		await_daemon
	elif unshare --mount true 2>/dev/null; then
		rm -rf "$scratch"
		WINE_TEST_RUN=1 exec unshare --mount bash "$0"
	fi
}

# Gives up after a minute, with a daemon that nobody has to use.
await_daemon() {
	local i

	for ((i = 0; i < 1200; i++)); do
		! lttng list >/dev/null 2>&1 || return 0
		sleep 0.05
	done
}

# The programs of Debian, which puts them into no PATH, or another Wine's.
find_wine() {
	local folder

	for folder in /usr/lib/wine "$(dirname "$(command -v wine64)")"; do
		wine=$folder/wine64
		for wineserver in "$folder/wineserver64" "$folder/wineserver"; do
			[ ! -x "$wine" ] || [ ! -x "$wineserver" ] || return 0
		done
	done
	return 1
}

set_wine_environment() {
	local variable

	for variable in $(compgen -v | grep '^\(WINE\|XDG_\|VADTRACE_MODE$\|LTTNG_\)'); do
		unset "$variable"
	done
	unset DISPLAY WAYLAND_DISPLAY LD_PRELOAD
	export LC_ALL=C.UTF-8
	export HOME=$wine_folder/home WINEPREFIX=$wine_folder/prefix WINEDEBUG=-all
	# No questions about Mono and Gecko, no entries in menus, no debugger for what crashes.
	export WINEDLLOVERRIDES='mscoree=;mshtml=;winemenubuilder.exe=;winedbg.exe='
}

# The prefix is whole when its folder has the last name.
make_prefix() {
	local prefix=$WINEPREFIX

	[ ! -d "$prefix" ] || return 0
	rm -rf "$prefix.new"
	WINEPREFIX=$prefix.new timeout -k 5 600 "$wine" wineboot -i &&
		WINEPREFIX=$prefix.new timeout -k 5 600 "$wineserver" -w &&
		mv "$prefix.new" "$prefix"
}

# start_wine: makes the prefix and the server unless they are there; skips all without Wine.
start_wine() {
	find_wine || skip_all "Wine is not installed"
	[ -e "$programs/known.exe" ] || skip_all "there is no compiler for Windows programs"
	mkdir -p "$wine_folder/home"
	set_wine_environment
	# The server must not keep the lock, nor the harness's pipe.
	{
		flock 9 && make_prefix 9>&- && "$wineserver" -p$server_seconds 9>&- || :
	} 9>"$wine_folder/lock" >"$scratch/start" 2>&1 </dev/null
	[ -d "$WINEPREFIX" ] && return
	tap_note <"$scratch/start"
	tap_result 1 "a prefix is made"
	tap_done
}

# Preloaded without a recording: no session daemon is in reach.
alone=(unshare --mount sh -c 'mount -t tmpfs run /run && exec "$@"' sh)
"${alone[@]}" true 2>/dev/null || alone=()

# set_prefix WAY: in `prefix`, what to put before a command to run it that way. Words of the
# recorder's can be in the array record_words.
record_words=()
set_prefix() {
	local way=$1

	case $way in
	bare*) prefix=() ;;
	preload-*)
		# Named as the recorder names it, so that children run without us.
		prefix=("${alone[@]}" env LD_PRELOAD="$preload" VADTRACE_PRELOAD="$preload"
			VADTRACE_MODE="${way#*-}")
		;;
	record-*)
		prefix=("$vadtrace" record -q -o "$scratch/$way/trace" --mode "${way#*-}"
			"${record_words[@]}" --)
		;;
	esac
}

# What differs between any two runs of a program; scripts may define their own.
normalise() {
	cat
}

# What a program finds in its folder; scripts may define their own.
prepare() {
	:
}

# run_way WAY PROGRAM [ARGUMENT...]: leaves stdout, stderr, status and the folder work in
# $scratch/WAY. The program's end of lines stays Windows'.
#
# Wine's server kills a process that has not gone a second after its last thread, which happens to
# any program on a busy machine; and Wine itself, without us, ends now and then before a program
# begins, with status 1 and without a word. Then it is run again, and that is said. What happens
# three times is not excused.
run_way() {
	local try

	for ((try = 0; try < 3; try++)); do
		run_once "$@"
		was_killed_for_slowness "$(cat "$scratch/$1/status")" "$*" ||
			has_not_begun "$scratch/$1" "$*" || return 0
	done
}

# has_not_begun FOLDER WHAT
has_not_begun() {
	[ "$(cat "$1/status")" = 1 ] && [ ! -s "$1/stdout.raw" ] && [ ! -s "$1/stderr.raw" ] &&
		echo "# ended before it began, so run again: $2"
}

# was_killed_for_slowness STATUS WHAT
was_killed_for_slowness() {
	[ "$1" = 137 ] && [ -z "${is_to_be_killed:-}" ] &&
		echo "# killed by Wine's server, so run again: $2"
}

run_once() {
	local way=$1 status=0

	shift
	rm -rf "${scratch:?}/$way"
	mkdir -p "$scratch/$way/work"
	(cd "$scratch/$way/work" && prepare)
	set_prefix "$way"
	# The harness's own variables are not for the program's eyes.
	(cd "$scratch/$way/work" && unset "${!VADTRACE_@}" &&
		exec timeout --foreground -k 10 "$limit_seconds" "${prefix[@]}" "$wine" "$@") \
		<"${input:-/dev/null}" >"$scratch/$way/stdout.raw" 2>"$scratch/$way/stderr.raw" ||
		status=$?
	echo "$status" >"$scratch/$way/status"
	normalise <"$scratch/$way/stdout.raw" >"$scratch/$way/stdout"
	# Wine closes its server's socket before it exits, and a thread that still runs may say so.
	# With us it has nothing to say.
	case $way in
	bare*) sed '/^wine client error:[0-9a-f]*: sendmsg: /d' "$scratch/$way/stderr.raw" ;;
	*) cat "$scratch/$way/stderr.raw" ;;
	esac | normalise >"$scratch/$way/stderr"
}

# compare_way WAY NAME: whether it did what it did bare, files included.
compare_way() {
	ok "$2, $1" diff -r -x '*.raw' -x trace -x report -x note "$scratch/bare" "$scratch/$1"
}

# Those that differ most; what is recorded is also preloaded.
ways="preload-route preload-observe record-route record-verify"

# same NAME PROGRAM [ARGUMENT...]: as without us, in each of $ways; a trace of it can be read.
same() {
	local name=$1 way

	shift
	run_way bare "$@"
	ok "$name, bare: it says something" test -s "$scratch/bare/stdout" -o -s \
		"$scratch/bare/stderr"
	for way in $ways; do
		run_way "$way" "$@"
		compare_way "$way" "$name"
		case $way in
		record-*) check_trace "$way" "$name" ;;
		esac
	done
}

# check_trace WAY NAME: it can be read, and nothing was lost.
check_trace() {
	ok "$2, $1: the trace can be read" read_trace "$1"
	is "$(trace_figure "$1" totals.double_live) $(trace_figure "$1" trace.lower_bounds)" \
		"0 False" "$2, $1: no address is live twice, nothing was lost"
}

# With what the C library gave to Wine's Unix half.
read_trace() {
	"$vadtrace" report --unix --json "$scratch/$1/trace" >"$scratch/$1/report"
}

# trace_figure WAY KEY.KEY
trace_figure() {
	/usr/bin/python3 - "$scratch/$1/report" "$2" 2>&1 <<-'TEXT' | tail -n 1
		import json, sys
		value = json.load(open(sys.argv[1]))
		for key in sys.argv[2].split("."):
		    value = value[key]
		print(value)
	TEXT
}
