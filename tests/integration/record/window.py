# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

"""window.py THREADS WHOLE PART end|inside

Compares two exported recordings of tests/integration/record/window.c, a whole one and a snapshot:
each thread's calls in PART are the last ones of that thread in WHOLE (inside: one run of calls
without a gap). Prints what is wrong, and last how many calls were compared."""

import collections
import re
import subprocess
import sys

SIZE_FIRST = 4096
EVENT = re.compile(r"lttng_ust_libc:(\w+): .*?vpid = (\d+), vtid = (\d+).*\{ (.*) \}$")


def calls(folder, threads):
    """Of each thread, by the order of processes and its number in window.c: what it called, a
    block being known by its size, or None when it was allocated before."""
    text = subprocess.run(["babeltrace2", folder], stdout=subprocess.PIPE, text=True, check=True)
    sizes, lists, numbers, processes = {}, collections.defaultdict(list), {}, []
    for line in text.stdout.splitlines():
        match = EVENT.search(line)
        if not match:
            continue
        name, process, thread, fields = match.groups()
        address = re.search(r"ptr = (\w+)", fields)[1]
        key = (process, thread)
        if name == "malloc":
            size = int(re.search(r"size = (\d+)", fields)[1])
            sizes[process, address] = size
            if process not in processes:
                processes.append(process)
            numbers[key] = (process, (size - SIZE_FIRST) % threads)
            lists[key].append(("malloc", size))
        else:
            lists[key].append((name, sizes.pop((process, address), None)))
    result = {}
    for key, number in numbers.items():
        # The first process is the one that forked: it ends last.
        place = len(processes) - 1 - processes.index(number[0])
        result[place, number[1]] = lists[key]
    return result


def are_alike(whole, part):
    """A free of a block that the part does not know may be of any older one."""
    return len(whole) == len(part) and all(
        left[0] == right[0] and right[1] in (left[1], None) for left, right in zip(whole, part))


def find(whole, part):
    """Where the part's first allocation stands in the whole, less what comes before it there."""
    for place, call in enumerate(part):
        if call[0] == "malloc":
            return whole.index(call) - place if call in whole else -1
    return -1


def main():
    threads, where = int(sys.argv[1]), sys.argv[4]
    whole, part = calls(sys.argv[2], threads), calls(sys.argv[3], threads)
    compared = 0
    if not part:
        print("the snapshot is empty")
    for key, seen in part.items():
        expected = whole.get(key, [])
        begin = len(expected) - len(seen) if where == "end" else find(expected, seen)
        if begin < 0 or not are_alike(expected[begin:begin + len(seen)], seen):
            print(f"{key}: {len(seen)} calls are no run of the {len(expected)}: {seen[:4]}")
        known = {size for name, size in seen if name == "malloc"}
        if any(call[1] in known and got[1] is None
               for call, got in zip(expected[begin:], seen) if call[0] == "free"):
            print(f"{key}: a block of the window is not known when it is freed")
        compared += len(seen)
    print(compared)


main()
