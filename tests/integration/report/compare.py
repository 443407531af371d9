# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
"""compare.py TRUTH REPORT: whether a report of known (as JSON) says what it printed."""

import json
import sys

FIGURES = ("calls", "bytes", "temporary", "live_blocks", "live_bytes", "peak_bytes")
SECTIONS = (
	("calls", "calls", "calls"),
	("calls", "bytes", "bytes"),
	("temporary", "temporary", "temporary"),
	("leaked", "blocks", "live_blocks"),
	("leaked", "bytes", "live_bytes"),
	("peak", "bytes", "peak_bytes"),
)


def read_truth(path):
	with open(path, encoding="utf-8") as file:
		rows = [line.split() for line in file]
	return {row[0]: dict(zip(FIGURES, map(int, row[1:]))) for row in rows}


def add_sites(report, functions):
	got = {name: dict.fromkeys(FIGURES, 0) for name in functions}
	for section, key, figure in SECTIONS:
		for site in report["sites"][section]["sites"]:
			if site["function"] in got and site["module"] == "known":
				got[site["function"]][figure] += site[key]
	return got


def check_stacks(report):
	"""Every site of known's is called by work, and has its line."""
	for site in report["sites"]["calls"]["sites"]:
		if site["module"] != "known" or not site["function"].startswith("do_"):
			continue
		callers = {caller["function"] for caller in site.get("callers", [])}
		if not callers <= {"work", "main"} or not callers:
			yield f"{site['function']} is called by {callers}"
		if not site.get("file", "").endswith("known.c") or not site.get("line"):
			yield f"{site['function']} has no line"


def main():
	truth = read_truth(sys.argv[1])
	with open(sys.argv[2], encoding="utf-8") as file:
		report = json.load(file)
	wrong = list(check_stacks(report))
	got = add_sites(report, truth)
	for name, figures in truth.items():
		for figure, value in figures.items():
			found = got[name][figure]
			if found != value:
				wrong.append(f"{name}: {figure} is {found}, not {value}")
	if report["totals"]["double_live"]:
		wrong.append(f"{report['totals']['double_live']} addresses live twice")
	if report["trace"]["lost"]["late_records"]:
		wrong.append(f"{report['trace']['lost']['late_records']} records out of order")
	if report["trace"]["lower_bounds"]:
		wrong.append("lower bounds")
	if not truth:
		wrong.append("the program said nothing")
	print("\n".join(wrong))
	return 1 if wrong else 0


if __name__ == "__main__":
	sys.exit(main())
