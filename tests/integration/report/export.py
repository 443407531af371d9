# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

"""export.py TRACE PLAIN: decodes the batches of TRACE as babeltrace2 prints them, and compares each
record with the events of PLAIN: time, process, thread, function, sizes and addresses."""

import re
import sys

sys.dont_write_bytecode = True
import calls

ALLOCATE, FREE, REALLOC_BEGIN, REALLOC_END, REALLOC_FAILED, ALLOCATE_FAILED = range(1, 7)


def records(folder):
    """(process, thread, time, kind, function, size, address, flags) of each record."""
    for _, provider, name, text in calls.lines(folder):
        if provider != "vadtrace_heap" or name not in ("batch", "record"):
            continue
        fields = dict(calls.FIELD.findall(text.split("words = ")[0]))
        words = [calls.number(word) for word in re.findall(r"\[\d+\] = (\w+)", text)]
        begin = calls.number(fields["begin_ns" if name == "batch" else "time_ns"])
        for first, second, third in zip(words[0::3], words[1::3], words[2::3]):
            yield (calls.number(fields["vpid"]), calls.number(fields["tid"]),
                   begin + (third & 0xffffffff), second >> 56, first >> 48,
                   second & (1 << 48) - 1, first & (1 << 48) - 1, second >> 48 & 0xff)


def allocation(function, size, address, flags):
    return calls.allocation(function, size, address, 1 << flags if flags else 0)


def lost(old, pid, tid, address):
    """Whose block is being moved away from the address that this thread is given."""
    return [key for key, before in old.items()
            if address and before == address and key[0] == pid and key[1] != tid]


def expected(folder):
    """What the records are as calls. An address that is given out again before the reallocation
    that leaves it has ended was released before."""
    old = {}
    for pid, tid, time, kind, function, size, address, flags in sorted(
            records(folder), key=lambda record: record[2]):
        if kind in (ALLOCATE, REALLOC_END):
            for key in lost(old, pid, tid, address):
                old[key] = 0
                yield (pid, tid, time, "free", address)
        if kind == ALLOCATE:
            yield (pid, tid, time) + allocation(function, size, address, flags)
        elif kind == ALLOCATE_FAILED:
            yield (pid, tid, time) + allocation(function, size, 0, flags)
        elif kind == FREE:
            yield (pid, tid, time, "free", address)
        elif kind == REALLOC_BEGIN:
            old[pid, tid] = address
        elif kind in (REALLOC_END, REALLOC_FAILED):
            before = old.pop((pid, tid), 0)
            now = address if kind == REALLOC_END else 0
            if now or kind == REALLOC_FAILED:
                yield (pid, tid, time, "realloc", before, size, now)
            elif before:
                yield (pid, tid, time, "free", before)


def found(folder):
    for time, thread, call in calls.told(folder):
        yield thread + (time,) + call


calls.compare(expected(sys.argv[1]), found(sys.argv[2]), "not exported:", "never recorded:")
