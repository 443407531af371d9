#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Trace Compass's analysis of memory is made for what LTTng's wrapper of malloc records. What we
# record and export declares the same, field by field.

. "${VADTRACE_SRCDIR:?}/tests/integration/record/lib.sh" || exit 1
command -v babeltrace2 >/dev/null || skip_all "needs babeltrace2"
wrapper=$(find /usr/lib /usr/local/lib -name 'liblttng-ust-libc-wrapper.so.*' 2>/dev/null |
	head -n 1)
[ -n "$wrapper" ] || skip_all "needs LTTng's wrapper of malloc"

known=$VADTRACE_BUILDDIR/tests/integration/report/known
contract=$VADTRACE_SRCDIR/tests/integration/report/contract.py

# metadata TRACE NAME: as text, in NAME.
metadata() {
	babeltrace2 -o ctf-metadata "$(dirname "$(find "$1" -name metadata)")" >"$2"
}

# like MODEL TRACE PROVIDER NAME
like() {
	ok "$4" /usr/bin/python3 "$contract" "$1" "$2" "$3"
}

start_daemon
{
	lttng create model --output="$scratch/model"
	lttng enable-event -u 'lttng_ust_libc:*,lttng_ust_statedump:*'
	for context in vpid vtid procname ip; do
		lttng add-context -u -t "$context"
	done
	lttng start
} >"$scratch/said" 2>&1
env LD_PRELOAD="$wrapper" LTTNG_UST_REGISTER_TIMEOUT=-1 "$known" 1 >/dev/null
lttng destroy model >>"$scratch/said" 2>&1
run record -q --plain -o plain -- "$known" 1
is "$status" 0 "recorded"
run record -q -o batch -- "$known" 1
run export -q --format ctf -o exported batch
is "$status" 0 "exported"
stop_daemon
metadata model model.tsdl
metadata plain plain.tsdl
metadata exported exported.tsdl

is "$(grep -c 'name = "lttng_ust_libc:' model.tsdl)" 6 "the model has the six events"
like model.tsdl plain.tsdl lttng_ust_libc: "--plain is like LTTng's wrapper"
like model.tsdl exported.tsdl lttng_ust_libc: "export is like LTTng's wrapper"
like model.tsdl plain.tsdl lttng_ust_statedump: "--plain: the modules, too"
like plain.tsdl exported.tsdl vadtrace_vm: "export: the address space is as in --plain"
# What the export has of the modules is one of LTTng's events of them.
like model.tsdl exported.tsdl lttng_ust_statedump:bin_info "export: a module is as in LTTng"

# Each kind of difference would be seen.
for change in 's/_ptr;/_pointer;/' 's/base = 16; } _in_ptr/base = 10; } _in_ptr/' \
	's/signed = 1;\(.*\) _result/signed = 0;\1 _result/' \
	's/size = 32;\(.*\) _vtid/size = 64;\1 _vtid/' 's/domain = "ust"/domain = "kernel"/' \
	's/lttng_ust_libc:memalign/lttng_ust_libc:aligned/' 's/freq = 1000000000/freq = 1000/'; do
	sed "$change" exported.tsdl >changed.tsdl
	not_ok "seen: $change" /usr/bin/python3 "$contract" model.tsdl changed.tsdl lttng_ust_libc:
done
tap_done
