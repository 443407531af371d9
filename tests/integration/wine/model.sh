#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Core's model of a Windows process's memory against three others: what Wine tells another process
# of it, what Wine prints of it (WINEDEBUG=+virtual), and the kernel's own list. A program makes
# random calls and stops now and then (model.c); at each stop all four are compared (model.py).
# What the calls gave has to be the same on plain Wine.
#
# VADTRACE_SEED=N makes the calls of an earlier run.

. "${VADTRACE_SRCDIR:?}/tests/integration/wine/lib.sh"
[ -e "$preload" ] || skip_all "the preload is not built here"
share_daemon

seeds=${VADTRACE_SEED:-1 2}
steps=3
calls=400

# run_model WAY SEED: leaves what the program said in $scratch/WAY.
run_model() {
	local way=$1 has_maps=1

	rm -rf "${scratch:?}/$way"
	mkdir -p "$scratch/$way"
	set_prefix "$way"
	# There the recorder is the process's parent.
	case $way in
	record-*) has_maps=0 ;;
	esac
	(unset "${!VADTRACE_@}" && export WINEDEBUG=+virtual &&
		exec timeout --foreground -k 10 "$limit_seconds" /usr/bin/python3 \
			"$here/model.py" "$2" "$steps" "$calls" "$scratch/$way" "$has_maps" \
			"${prefix[@]}" "$wine" "$programs/model.exe") >"$scratch/$way/found" 2>&1
}

# Reserved pages of one region are one run on Windows, whatever they were before. Wine keeps them
# apart by what they were, so only what the calls gave is compared.
calls_are_equal() {
	diff <(grep ^call "$scratch/bare/said") <(grep ^call "$scratch/$1/said") >"$scratch/diff" ||
		{ head -n 5 "$scratch/diff" && false; }
}

# That many things of each kind were looked at: runs, pages and, in the kernel's list, pages.
enough() {
	awk -v runs=300 -v pages=1000 -v maps="$2" \
		'{ exit $1 < runs || $3 < pages || $2 < maps }' "$scratch/$1/compared"
}

start_wine
for seed in $seeds; do
	for way in bare preload-route preload-verify record-route record-verify; do
		run_model "$way" "$seed"
		is "$(cat "$scratch/$way/found")" "0 differences" "seed $seed, $way: all agree"
		case $way in
		record-*) ok "seed $seed, $way: enough was compared" enough "$way" 0 ;;
		*) ok "seed $seed, $way: enough was compared" enough "$way" 1000 ;;
		esac
		[ "$way" = bare ] ||
			ok "seed $seed, $way: calls give the same" calls_are_equal "$way"
	done
done
tap_done
