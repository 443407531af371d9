# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

"""plain.py TRACE OTHER: compares the events of vadtrace_heap in TRACE, a plain recording, with the
events of lttng_ust_libc in OTHER, which may be the same: thread, function, sizes and addresses."""

import collections
import re
import subprocess
import sys

CALLOC, MEMALIGNS, POSIX_MEMALIGN = 2, (6, 7, 9, 10), 8
LINE = re.compile(r"\[\d+\] (?:\S+ )?(\w+):(\w+): (.*)")
FIELD = re.compile(r"(\w+) = (-?\w+)")


def events(folder, wanted):
    """Thread, name and fields of each event of the provider."""
    process = subprocess.Popen(
        ["babeltrace2", "--clock-cycles", "--no-delta", folder],
        stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        match = LINE.match(line)
        if not match:
            sys.exit("what is this? " + line)
        if match[1] == wanted:
            contexts = dict(FIELD.findall(match[3]))
            payload = match[3][match[3].index("}, { ", match[3].index("vtid")):]
            yield ((int(contexts["vpid"]), int(contexts["vtid"])), match[2],
                   [(name, int(value, 0)) for name, value in FIELD.findall(payload)])
    if process.wait():
        sys.exit("babeltrace2 cannot read " + folder)


def allocation(function, size, address, alignment):
    if function == CALLOC:
        return ("calloc", 1, size, address)
    if function in MEMALIGNS:
        return ("memalign", alignment, size, address)
    if function == POSIX_MEMALIGN:
        return ("posix_memalign", address, alignment, size, 0 if address else 12)
    return ("malloc", size, address)


def expected(folder):
    old = {}
    for thread, name, pairs in events(folder, "vadtrace_heap"):
        if name in ("settled", "create", "destroy"):
            continue
        fields = dict(pairs)
        address, size = fields["address"], fields["size_bytes"]
        if name in ("allocate", "allocate_failed"):
            yield thread + allocation(fields["api"], size, address, fields["alignment"])
        elif name == "free":
            yield thread + ("free", address)
        elif name == "realloc_begin":
            old[thread] = address
        elif name == "realloc_failed" or address:
            new = address if name == "realloc_end" else 0
            yield thread + ("realloc", old.pop(thread, 0), size, new)
        else:
            yield thread + ("free", old.pop(thread))


def found(folder):
    for thread, name, pairs in events(folder, "lttng_ust_libc"):
        yield thread + (name,) + tuple(value for _, value in pairs)


left = collections.Counter(expected(sys.argv[1]))
right = collections.Counter(found(sys.argv[2]))
for call in sorted((left - right).keys())[:5]:
    print("# only in vadtrace_heap:", call)
for call in sorted((right - left).keys())[:5]:
    print("# only in lttng_ust_libc:", call)
print(sum(right.values()), "calls")
sys.exit(left != right or not right)
