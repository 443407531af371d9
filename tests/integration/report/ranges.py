# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
"""ranges.py TRUTH REPORT: whether a report of ranges (as JSON) says what it printed. It must add
up, too."""

import json
import sys

FIGURES = (
	("committed", "committed_bytes"),
	("committed", "reserved_bytes"),
	("reserved", "reserved_bytes"),
	("reserved", "committed_bytes"),
	("ranges", "calls"),
	("ranges", "reserved_bytes"),
)


def read_truth(path):
	with open(path, encoding="utf-8") as file:
		rows = [line.split() for line in file]
	return {row[0]: list(map(int, row[1:])) for row in rows}


def figure_of(report, function, section, key):
	"""The sites are the static function map, which calls mmap, or the functions themselves."""
	total = 0
	for site in report["sites"][section]["sites"]:
		if site["module"] != "ranges":
			continue
		nodes = [site] if site["function"] != "map" else site.get("callers", [])
		total += sum(node[key] for node in nodes if node["function"] == function)
	return total


def check_sums(report):
	"""The program's and the heap's sites together are what the address space holds."""
	total = report["address_space"]["total"]
	sections = (("committed", "committed_bytes", "peak_committed_bytes"),
		("reserved", "reserved_bytes", "reserved_bytes"),
		("reserved", "committed_bytes", "committed_bytes"))
	for section, key, figure in sections:
		parts = [report["sites"][name + section]["total"][key] for name in ("", "heap_")]
		if sum(parts) != total[figure]:
			yield f"{section}: {key} is {parts}, not {total[figure]} together"


def check_regions(report, truth):
	"""By allocation base: what a function's own ranges sum up to at the end."""
	for function, values in truth.items():
		own = [region for region in report["regions"]
			if any(frame["function"] == function for frame in region["stack"])]
		found = [sum(region[key] for region in own)
			for key in ("reserved_bytes", "committed_bytes")]
		if found != values[2:4]:
			yield f"{function}: its regions have {found}, not {values[2:4]}"


def main():
	truth = read_truth(sys.argv[1])
	with open(sys.argv[2], encoding="utf-8") as file:
		report = json.load(file)
	wrong = list(check_sums(report)) + list(check_regions(report, truth))
	for function, values in truth.items():
		for (section, key), value in zip(FIGURES, values):
			found = figure_of(report, function, section, key)
			if found != value:
				wrong.append(f"{function}: {section} {key} is {found}, not {value}")
	if not truth:
		wrong.append("the program said nothing")
	print("\n".join(wrong))
	return 1 if wrong else 0


if __name__ == "__main__":
	sys.exit(main())
