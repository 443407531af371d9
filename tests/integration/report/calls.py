# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

"""What babeltrace2 prints of a trace, as calls of malloc and its kin; for plain.py and export.py.

A call is a tuple: process, thread, whatever else of its place, then the name of its event in
lttng_ust_libc with the fields; of calloc the product, which is all that a record has."""

import collections
import re
import subprocess
import sys

CALLOC, MEMALIGNS, POSIX_MEMALIGN = 2, (6, 7, 9, 10), 8
NO_MEMORY = 12
LINE = re.compile(r"\[(\d+)\] (?:\S+ )?(\w+):(\w+): (.*)")
FIELD = re.compile(r"(\w+) = (-?\w+)")


def number(text):
    return int(text, 0)


def lines(folder):
    """Time, provider, name and text of each event."""
    process = subprocess.Popen(
        ["babeltrace2", "--clock-cycles", "--no-delta", folder],
        stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        match = LINE.match(line)
        if not match:
            sys.exit("what is this? " + line)
        yield int(match[1]), match[2], match[3], match[4]
    if process.wait():
        sys.exit("babeltrace2 cannot read " + folder)


def payload(text):
    """Names and values of the fields, which come last."""
    return [(name, number(value)) for name, value in FIELD.findall(text[text.rindex("{"):])]


def thread(text):
    """Process and thread, of the contexts."""
    contexts = dict(FIELD.findall(text))
    return number(contexts["vpid"]), number(contexts["vtid"])


def allocation(function, size, address, alignment):
    """What an allocation of ours is there. address 0: it has failed."""
    if function == CALLOC:
        return ("calloc", size, address)
    if function in MEMALIGNS:
        return ("memalign", alignment, size, address)
    if function == POSIX_MEMALIGN:
        return ("posix_memalign", address, alignment, size, 0 if address else NO_MEMORY)
    return ("malloc", size, address)


def told(folder):
    """Time, thread and call of each event of lttng_ust_libc."""
    for time, provider, name, text in lines(folder):
        if provider != "lttng_ust_libc":
            continue
        values = tuple(value for _, value in payload(text))
        if name == "calloc":
            values = (values[0] * values[1],) + values[2:]
        yield time, thread(text), (name,) + values


def compare(left, right, only_left, only_right):
    """Ends the program: whether both have the same calls, as often, and any at all."""
    left, right = collections.Counter(left), collections.Counter(right)
    for call in sorted((left - right).keys())[:5]:
        print("#", only_left, call)
    for call in sorted((right - left).keys())[:5]:
        print("#", only_right, call)
    print(sum(right.values()), "calls")
    sys.exit(left != right or not right)
