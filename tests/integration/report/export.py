# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

"""export.py TRACE PLAIN: decodes the batches of TRACE as babeltrace2 prints them, and compares each
record with the events of PLAIN: time, process, thread, function, sizes and addresses."""

import collections
import re
import subprocess
import sys

ALLOCATE, FREE, REALLOC_BEGIN, REALLOC_END, REALLOC_FAILED, ALLOCATE_FAILED = range(1, 7)
CALLOC, MEMALIGNS, POSIX_MEMALIGN = 2, (6, 7, 9, 10), 8
LINE = re.compile(r"\[(\d+)\] (?:\S+ )?(\w+:\w+): (.*)")
FIELD = re.compile(r"(\w+) = (-?\w+)")


def lines(folder):
    """Time, name and text of each event."""
    process = subprocess.Popen(
        ["babeltrace2", "--clock-cycles", "--no-delta", folder],
        stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        match = LINE.match(line)
        if not match:
            sys.exit("what is this? " + line)
        yield int(match[1]), match[2], match[3]
    if process.wait():
        sys.exit("babeltrace2 cannot read " + folder)


def number(text):
    return int(text, 0)


def records(folder):
    """(process, thread, time, kind, function, size, address, flags) of each record."""
    for time, name, text in lines(folder):
        if name not in ("vadtrace_heap:batch", "vadtrace_heap:record"):
            continue
        fields = dict(FIELD.findall(text.split("words = ")[0]))
        words = [number(word) for word in re.findall(r"\[\d+\] = (\w+)", text)]
        begin = number(fields["begin_ns" if name.endswith("batch") else "time_ns"])
        for first, second, third in zip(words[0::3], words[1::3], words[2::3]):
            yield (number(fields["vpid"]), number(fields["tid"]), begin + (third & 0xffffffff),
                   second >> 56, first >> 48, second & (1 << 48) - 1, first & (1 << 48) - 1,
                   second >> 48 & 0xff)


def allocation(function, size, address, flags):
    alignment = 1 << flags if flags else 0
    if function == CALLOC:
        return ("calloc", 1, size, address)
    if function in MEMALIGNS:
        return ("memalign", alignment, size, address)
    if function == POSIX_MEMALIGN:
        return ("posix_memalign", address, alignment, size, 0 if address else 12)
    return ("malloc", size, address)


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
    for time, name, text in lines(folder):
        provider, event = name.split(":")
        if provider != "lttng_ust_libc":
            continue
        contexts = dict(FIELD.findall(text))
        payload = FIELD.findall(text[text.rindex("{"):])
        yield (number(contexts["vpid"]), number(contexts["vtid"]), time,
               event) + tuple(number(value) for _, value in payload)


left = collections.Counter(expected(sys.argv[1]))
right = collections.Counter(found(sys.argv[2]))
for call in sorted((left - right).keys())[:5]:
    print("# not exported:", call)
for call in sorted((right - left).keys())[:5]:
    print("# never recorded:", call)
print(sum(right.values()), "calls")
sys.exit(left != right)
