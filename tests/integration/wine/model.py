# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

"""Runs model.exe, and at each of its stops compares what is known of the address space:

    own     what VirtualQuery says to the program itself (core's records, in route mode)
    wine    what Wine says when another process asks
    views   what Wine has printed of each region that the program made (WINEDEBUG=+virtual)
    maps    what the kernel has at the addresses of these regions

    model.py SEED STEPS CALLS FOLDER MAPS COMMAND...

MAPS is 1 when the command becomes the program, else 0. Leaves the lines without addresses in
FOLDER/said, and what was compared in FOLDER/compared; what differs goes to the output."""

import os
import re
import subprocess
import sys

PAGE = 0x1000
COMMIT, RESERVE, PRIVATE, GUARD = 0x1000, 0x2000, 0x20000, 0x100
# What a protection lets a program do; a copied page may be written.
ACCESS = {0x01: "", 0x02: "r", 0x04: "rw", 0x08: "rw", 0x10: "rx", 0x20: "rx", 0x40: "rwx",
          0x80: "rwx"}


class Run:
    """Pages of one state, as one line of the program says: what follows the base and size."""

    def __init__(self, words):
        self.base, self.size, self.state, self.protect = (int(word, 16) for word in words[:4])
        self.rest = [int(word, 16) for word in words[2:]]

    def end(self):
        return self.base + self.size


def read_runs(lines, name):
    """The lines of one name. Wine keeps the protection that a reserved page once had, and tells
    neighbours apart by it, which Windows does not: these are made one."""
    runs = []
    for words in lines:
        if words[0] != name:
            continue
        run = Run(words[1:])
        if runs and runs[-1].end() == run.base and runs[-1].rest == run.rest:
            runs[-1].size += run.size
        else:
            runs.append(run)
    return runs


def pages_of(runs, base, size):
    """Each page of a region with its run."""
    for run in runs:
        for page in range(max(run.base, base), min(run.end(), base + size), PAGE):
            yield page, run


def access_of(run):
    """What a page of the run lets the program do without a fault."""
    if run.state != COMMIT or run.protect & GUARD:
        return ""
    return ACCESS[run.protect & 0xff]


class Stop:
    """What the program said up to one stop."""

    def __init__(self, lines):
        self.own = read_runs(lines, "own")
        self.wine = read_runs(lines, "wine")
        made = [words[1:] for words in lines if words[0] == "made"]
        self.made = [(int(base, 16), int(size, 16)) for base, size, _ in made]
        self.watched = {int(base, 16) for base, _, is_watched in made if is_watched == "1"}
        self.thread = next(words[1] for words in lines if words[0] == "thread")


differences = 0
compared = {"runs": 0, "maps": 0, "views": 0}


def differ(text):
    """Only the first ones are of interest."""
    global differences
    differences += 1
    if differences <= 20:
        print(text)


def show(run):
    return "%x-%x %s" % (run.base, run.end(), " ".join("%x" % value for value in run.rest))


def compare_spaces(stop):
    """All of the address space, run by run."""
    own = {run.base: show(run) for run in stop.own}
    wine = {run.base: show(run) for run in stop.wine}
    compared["runs"] += len(own)
    for base in sorted(set(own) | set(wine)):
        if own.get(base) != wine.get(base):
            differ("own %s, Wine %s" % (own.get(base), wine.get(base)))


def read_maps(pid):
    """(base, end, accesses) of each mapping."""
    maps = []
    with open("/proc/%d/maps" % pid) as file:
        for line in file:
            base, end, prot = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            maps.append((int(base, 16), int(end, 16), prot[:3].replace("-", "")))
    return maps


def compare_maps(stop, maps):
    """The pages of what the program made. A watched page is not writable before it is written."""
    accesses = {}
    for base, end, access in maps:
        for made, size in stop.made:
            for page in range(max(base, made), min(end, made + size), PAGE):
                accesses[page] = access
    for made, size in stop.made:
        for page, run in pages_of(stop.own, made, size):
            # Wine maps reserved pages of a view as it will need them.
            if run.state == RESERVE and run.rest[2] != PRIVATE:
                continue
            compared["maps"] += 1
            if accesses.get(page) not in allowed(run, made in stop.watched):
                differ("page %x: %s, the kernel has %r" % (page, show(run), accesses.get(page)))


def allowed(run, is_watched):
    access = access_of(run)
    return (access, access.replace("w", "")) if is_watched else (access,)


def read_views(text, thread):
    """base -> [(base, end, flags)] as they were printed last."""
    views = {}
    view = None
    for line in text.splitlines():
        found = re.match(r"%s:trace:virtual:dump_view\s+(View: )?(\w+) - (\w+) (\S+)" % thread,
                         line)
        if not found:
            continue
        base, last = int(found.group(2), 16), int(found.group(3), 16)
        if found.group(1):
            view = views[base] = []
        elif view is not None:
            view.append((base, last + 1, found.group(4)))
    return views


def flags_of(run):
    """As Wine prints them, without what it keeps of pages that are not there."""
    if run.state != COMMIT:
        return "-"
    access = ACCESS[run.protect & 0xff]
    return "c" + ("g" if run.protect & GUARD else "") + access


def plain_flags(flags):
    if flags[0] != "c":
        return "-"
    return flags.replace("-", "").replace("H", "").replace("W", "w")


def compare_views(stop, views):
    """Regions with a committed page have all been printed."""
    for made, size in stop.made:
        pages = list(pages_of(stop.own, made, size))
        if not any(run.state == COMMIT for _, run in pages):
            continue
        printed = {}
        for base, end, flags in views.get(made, []):
            for page in range(base, end, PAGE):
                printed[page] = plain_flags(flags)
        for page, run in pages:
            compared["views"] += 1
            if printed.get(page) != flags_of(run):
                differ("page %x: %s, Wine printed %s" % (page, show(run), printed.get(page)))


def main():
    seed, steps, calls, folder, has_maps = sys.argv[1:6]
    program = subprocess.Popen(sys.argv[6:] + [seed, steps, calls], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE,
                               stderr=open(os.path.join(folder, "stderr"), "w"))
    trace = open(os.path.join(folder, "stderr"), errors="replace")
    said = open(os.path.join(folder, "said"), "w")
    lines = []
    stops = 0
    for line in program.stdout:
        words = line.decode().split()
        if words[0] in ("call", "run"):
            said.write(" ".join(words) + "\n")
        lines.append(words)
        if words[0] != "stop":
            continue
        stop = Stop(lines)
        compare_spaces(stop)
        compare_views(stop, read_views(trace.read(), stop.thread))
        if has_maps == "1":
            compare_maps(stop, read_maps(program.pid))
        lines = []
        stops += 1
        program.stdin.write(b"on\n")
        program.stdin.flush()
    status = program.wait()
    with open(os.path.join(folder, "compared"), "w") as file:
        print(*compared.values(), file=file)
    if stops != int(steps) or status != 0:
        differ("%d stops, status %d" % (stops, status))
    print("%d differences" % differences)


main()
