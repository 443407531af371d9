#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# A Redis server, traced, under the load of redis-benchmark on the loopback: its answers, its
# snapshot by a forked child, and its orderly end.

. "${VADTRACE_SRCDIR:?}/tests/integration/programs/programs.sh"
need redis-benchmark redis-cli redis-check-rdb

# redis-check-rdb is the server under another name; Debian's package redis-server would start one
# for the whole machine.
mkdir "$scratch/bin"
ln -s "$(command -v redis-check-rdb)" "$scratch/bin/redis-server"
# The socket's path must be short.
socket=$scratch/s

# The server's log and all threads' output go to a file of their own; what the clients print is
# compared.
cat >"$scratch/clients.sh" <<'TEXT'
cli() { redis-cli -s "$socket" "$@"; }
for i in $(seq 6000); do
	[ "$(cli ping 2>/dev/null)" = PONG ] && break
	sleep 0.1
done
redis-benchmark -s "$socket" -q -n 5000 -c 20 -r 1000 -d 100 --threads 2 \
	-t set,get,lpush,lrange_100,zadd,hset >benchmark.out 2>&1
echo "benchmark: $? $(tr '\r' '\n' <benchmark.out | grep -c 'requests per second, ')"
rm -f benchmark.out
cli flushall
for i in $(seq 200); do echo "rpush list$((i % 10)) value-$i"; done | cli | cksum
cli eval 'local t = {}
	for i = 1, 20000 do t[i] = redis.call("incrby", "n" .. i % 100, i) end
	return #t' 0
cli config set io-threads-do-reads yes >/dev/null
cli append text "$(seq 1 5000 | tr '\n' ' ')"
cli bgsave
for i in $(seq 6000); do
	cli info persistence | grep -q 'rdb_bgsave_in_progress:0' && break
	sleep 0.1
done
cli info persistence | grep rdb_last_bgsave_status
cli debug reload
cli dbsize
cli debug digest
cli memory malloc-stats >/dev/null; echo "malloc-stats: $?"
cli lrange list3 0 2
cli flushall async
cli shutdown nosave
TEXT

run_redis() {
	local way=$1 clients

	rm -f "$socket"
	(cd "$scratch" && exec env socket="$socket" bash clients.sh) >"$scratch/clients.out" 2>&1 &
	clients=$!
	run_way "$way" "$scratch/bin/redis-server" --port 0 --unixsocket "$socket" --daemonize no \
		--save '' --enable-debug-command local --io-threads 2 --logfile server.log
	wait "$clients"
	# The log and the snapshot carry times.
	mv "$scratch/$way/work/server.log" "$scratch/$way/server.log"
	rm -f "$scratch/$way/work/dump.rdb"
	tr -d '\r' <"$scratch/clients.out" >"$scratch/$way/stdout"
}

run_redis bare
is "$(cat "$scratch/bare/status")" 0 "bare: the server ends in order"
is "$(head -n 1 "$scratch/bare/stdout")" "benchmark: 0 7" "bare: the benchmark has run"
for way in $ways; do
	run_redis "$way"
	compare_way "$way"
	not_ok "$way: the server saw no fault" grep -iE 'crash|bug report|assert|signal 11' \
		"$scratch/$way/server.log"
	case $way in
	record-*) check_trace "$way" ;;
	esac
done
tap_done
