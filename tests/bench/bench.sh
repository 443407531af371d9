# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034

# What the benchmarks share: medians, a session daemon, a folder of their own.

: "${VADTRACE_SRCDIR:?the source folder}" "${VADTRACE_BUILDDIR:?the build folder}"

vadtrace=$VADTRACE_BUILDDIR/tools/vadtrace
preload=$VADTRACE_BUILDDIR/preload/.libs/libvadtrace.so
churn=$VADTRACE_BUILDDIR/tests/bench/churn
measure=$VADTRACE_BUILDDIR/tests/bench/measure
work=$(mktemp -d "${TMPDIR:-/tmp}/vadtrace-bench.XXXXXX")
daemon_pid=
unset LD_PRELOAD
# Not the user's cache of symbols.
export XDG_CACHE_HOME=$work/cache
# Python's own allocator hides most of its blocks.
export PYTHONMALLOC=malloc
trap 'finish' EXIT

finish() {
	[ -z "$daemon_pid" ] || stop_session_daemon
	rm -rf "$work"
}

# Ours, unless somebody else has begun to use it.
stop_session_daemon() {
	if [ -z "$(lttng --no-sessiond --mi xml list 2>/dev/null | grep -o '<session>')" ]; then
		kill "$daemon_pid" 2>/dev/null || true
		wait "$daemon_pid" 2>/dev/null || true
	fi
}

# One daemon for all rounds, so that no round pays for its start. A daemon that runs is used.
need_session_daemon() {
	local i

	lttng --no-sessiond list >/dev/null 2>&1 && return
	lttng-sessiond >"$work/sessiond.log" 2>&1 &
	daemon_pid=$!
	for ((i = 0; i < 3000; i++)); do
		lttng --no-sessiond list >/dev/null 2>&1 && return
		sleep 0.1
	done
	echo "bench: no session daemon answers" >&2
	return 1
}

# median: of the numbers on stdin, one a line.
median() {
	sort -g | awk '{ value[NR] = $1 }
		END {
			if (NR == 0)
				print "nan"
			else if (NR % 2)
				print value[(NR + 1) / 2]
			else
				print (value[NR / 2] + value[NR / 2 + 1]) / 2
		}'
}

# column FILE N
column() {
	awk -v n="$2" '{ print $n }' "$1"
}

# ratio A B
ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.2f\n", a / b; else print "-" }'
}

machine_line() {
	printf '%s, %s cores, Linux %s, glibc %s\n' \
		"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" \
		"$(uname -r)" "$(getconf GNU_LIBC_VERSION | sed 's/.* //')"
}

# make_inputs SCALE: one script for each of the real programs.
make_inputs() {
	cat >"$work/input.lua" <<-TEXT
		local function tree(d) return d == 0 and {} or { tree(d - 1), tree(d - 1) } end
		local words = {}
		for i = 1, 4 * $1 do tree(13) end
		for i = 1, 40000 * $1 do words[i % 9999] = ("w"):rep(i % 90) .. i end
	TEXT
	cat >"$work/input.py" <<-TEXT
		import json
		rows = [{"id": i, "name": "n%d" % i, "list": list(range(i % 9))}
		        for i in range(4000 * $1)]
		for _ in range(4):
		    rows = json.loads(json.dumps(rows))
		words = {}
		for i in range(20000 * $1):
		    words.setdefault("k%d" % (i % 4999), []).append(str(i))
	TEXT
	awk -v rows=$((10000 * $1)) 'BEGIN {
		print "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c REAL); BEGIN;"
		for (i = 0; i < rows; i++)
			printf "INSERT INTO t VALUES (%d, \"text %d\", %d.25);\n", i,
				i * 7919 % 99991, i
		print "COMMIT; CREATE INDEX i ON t (b);"
		print "SELECT count(*) FROM t x JOIN t y ON x.b = y.b WHERE x.c > 100;"
		print "SELECT length(group_concat(upper(b))) FROM t GROUP BY a % 1000;"
	}' >"$work/input.sql"
}

# make_more_inputs SCALE: for the programs of which only allocators are compared.
make_more_inputs() {
	cat >"$work/input.pl" <<-TEXT
		my (%h, @rows);
		for my \$i (1 .. 20000 * $1) {
			push @{\$h{"key" . \$i % 4999}}, { id => \$i, text => "x" x (\$i % 70) };
		}
		push @rows, map { \$_->{text} . \$_->{id} } @{\$h{\$_}} for sort keys %h;
		print scalar(grep { /7\$/ } sort @rows), "\n";
	TEXT
	awk -v rows=$((1500 * $1)) 'BEGIN {
		for (i = 0; i < rows; i++) {
			printf "{\"id\":%d,\"name\":\"name %d\",", i, i * 7919 % 9973
			printf "\"tags\":[\"a%d\",\"b\",%d]}\n", i % 17, i
		}
	}' >"$work/input.json"
	awk -v count=$((2 * $1)) 'BEGIN {
		print "#include <algorithm>\n#include <map>\n#include <string>\n#include <vector>"
		for (i = 0; i < count; i++) {
			printf "struct s%d { int a[%d];\n", i, i + 1
			printf "bool operator<(const s%d &o) const", i
			print " { return a[0] < o.a[0]; } };"
			printf "int f%d(std::map<s%d, std::string> &m,", i, i
			printf " std::vector<s%d> v) { std::sort(v.begin(), v.end());\n", i
			print "for (auto &x : v) m[x] += \"text\"; return (int)m.size(); }"
		}
	}' >"$work/input.cc"
}

real_programs='lua5.4 python3 sqlite3'
more_programs='perl jq g++'

# set_command NAME: in `command`, what runs this program on its input.
set_command() {
	case $1 in
	lua5.4) command=(lua5.4 "$work/input.lua") ;;
	python3) command=(/usr/bin/python3 "$work/input.py") ;;
	sqlite3) command=(sqlite3 :memory: ".read $work/input.sql") ;;
	perl) command=(perl "$work/input.pl") ;;
	jq) command=(jq -s 'group_by(.name) | map({n: .[0].name, l: length})' "$work/input.json") ;;
	g++) command=(g++ -O1 -S -o /dev/null "$work/input.cc") ;;
	esac
}
