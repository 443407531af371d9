# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

"""each.py REPORT REPORT CALLED MORE: whether the second run of each.exe, which made MORE calls of
each function than the first, has so many more of each in its report: one call of the program's is
told once, whatever it calls in turn. CALLED is what the program has printed."""

import json
import sys


def calls_of(path):
    with open(path, encoding="utf-8") as file:
        return {row["function"]: row["calls"] for row in json.load(file)["functions"]}


def main():
    few, many = calls_of(sys.argv[1]), calls_of(sys.argv[2])
    more = int(sys.argv[4])
    with open(sys.argv[3], encoding="utf-8") as file:
        called = {name for kind, name in map(str.split, file) if kind == "called"}
    wrong = []
    for name in sorted(called | set(few) | set(many)):
        difference = many.get(name, 0) - few.get(name, 0)
        if difference != (more if name in called else 0):
            wrong.append(f"{name}: {difference} more calls")
    print("\n".join(wrong))
    print(f"{len(called)} functions")
    return 1 if wrong or len(called) < 100 else 0


sys.exit(main())
