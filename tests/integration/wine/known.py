# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
"""known.py TRUTH REPORT: whether a report of known.exe (as JSON) says what it printed: the figures
of each function at its line, and the whole stack down to where Windows' threads begin."""

import json
import sys

PROGRAM = ["work", "main"]
BOTTOM = ["BaseThreadInitThunk", "RtlUserThreadStart"]
# Of a function's sites: section of the report, key there.
HEAP = (("calls", "calls"), ("calls", "bytes"), ("leaked", "blocks"), ("leaked", "bytes"))
RANGES = (
	("ranges", "calls"),
	("ranges", "reserved_bytes"),
	(None, None),
	("reserved", "reserved_bytes"),
)


def chain(site):
	names = []
	while site.get("callers"):
		site = site["callers"][0]
		names.append(site["function"])
	return names


def check_site(site):
	names = chain(site)
	where = f"{site['function']}:{site.get('line')}"
	if names[:2] != PROGRAM or names[-2:] != BOTTOM:
		yield f"{where} is called by {names}"
	if not site.get("file", "").endswith("known.c"):
		yield f"{where} is in {site.get('file')}"


def check_function(report, name, line, figures):
	keys = RANGES if name in ("do_virtual", "do_view") else HEAP
	for (section, key), expected in zip(keys, figures):
		if not section:
			continue
		got = 0
		for site in report["sites"][section]["sites"]:
			if site["function"] != name or site.get("line") != line:
				continue
			got += site[key]
			yield from check_site(site)
		if got != expected:
			yield f"{name}: {key} in {section} is {got}, not {expected}"


def main():
	with open(sys.argv[1], encoding="utf-8") as file:
		rows = [line.split() for line in file]
	with open(sys.argv[2], encoding="utf-8") as file:
		report = json.load(file)
	wrong = []
	for name, *numbers in rows:
		line, *figures = map(int, numbers)
		wrong += check_function(report, name, line, figures)
	# Its own heap goes by the name that it called; ntdll makes the process heap by the other.
	made = {row["function"]: row["calls"] for row in report["functions"]}
	if not made.get("HeapCreate") or made.get("RtlCreateHeap", 0) > 1:
		wrong.append("HeapCreate is not told as such")
	# What Wine answers is told as Wine's functions call each other.
	if report["totals"]["double_live"]:
		wrong.append("addresses live twice")
	if report["trace"]["lower_bounds"]:
		wrong.append("lower bounds")
	if len(rows) != 7:
		wrong.append("the program did not say what it did")
	print("\n".join(wrong))
	return 1 if wrong else 0


if __name__ == "__main__":
	sys.exit(main())
