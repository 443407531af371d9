# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

"""killed.py NOTES REPORT [others]: compares what killed.c noted with what the report says of its
trace. With `others`, more threads than those of the notes allocate.

Prints a line for each thread that is not exact, and at last the sum of all allocations."""

import json
import struct
import sys


def notes(path):
    with open(path, "rb") as file:
        return [struct.unpack_from("<3Q", note) for note in iter(lambda: file.read(64), b"")]


def bytes_of(count):
    return sum(4096 + number * 37 % 500 for number in range(count))


def check(path, report_path, others=None):
    with open(report_path, encoding="utf-8") as file:
        report = json.load(file)
    calls = {thread["tid"]: thread["calls"] for thread in report["threads"]}
    expected_bytes = total = 0
    for tid, begun, returned in notes(path):
        recorded = calls.pop(tid, 0)
        if not returned <= recorded <= begun:
            print(f"thread {tid}: recorded {recorded}, begun {begun}, returned {returned}")
        total += recorded
        expected_bytes += bytes_of(recorded)
    totals = report["totals"]
    if expected_bytes > totals["bytes"] or expected_bytes < totals["bytes"] and not others:
        print(f"bytes: {totals['bytes']}, expected {expected_bytes}")
    if totals["double_live"] or report["trace"]["lower_bounds"]:
        print(f"twice live: {totals['double_live']}; {report['trace']['lost']}")
    print(total)


check(*sys.argv[1:])
