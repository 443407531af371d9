# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
"""forks.py TRUTH REPORT [alone]: whether a report (as JSON) of forks says what it printed. With
"alone" nothing but the table changed between the forks, so the tables of two children differ by as
much as what they inherited."""

import json
import sys

NAMES = ("inherited_frees", "live_blocks", "live_bytes")


def read_truth(path):
	with open(path, encoding="utf-8") as file:
		return {row[0]: row[1:] for row in (list(map(int, line.split())) for line in file)}


def check_child(pid, truth, totals):
	for name, value in zip(NAMES, truth):
		if totals[name] != value:
			yield f"{pid}: {name} is {totals[name]}, not {value}"
	for name in ("unknown_frees", "double_live"):
		if totals[name]:
			yield f"{pid}: {name} is {totals[name]}"
	if totals["inherited_blocks"] < truth[0]:
		yield f"{pid}: inherited {totals['inherited_blocks']} blocks, has {truth[0]}"


def check_differences(truths, totals):
	"""What a child has beside the table is the same for all that the first process forked."""
	for name, place in (("inherited_blocks", 3), ("inherited_bytes", 4)):
		rest = {totals[pid][name] - truths[pid][place] for pid in truths}
		if len(rest) != 1:
			yield f"{name} beside the table: {sorted(rest)}"


def main():
	truths = read_truth(sys.argv[1])
	with open(sys.argv[2], encoding="utf-8") as file:
		report = json.load(file)
	totals = {process["pid"]: process["totals"] for process in report["other_processes"]}
	wrong = [f"{pid} is not in the trace" for pid in truths if pid not in totals]
	for pid, truth in truths.items():
		if pid in totals:
			wrong += check_child(pid, truth, totals[pid])
	if len(sys.argv) > 3 and not wrong:
		wrong += check_differences(truths, totals)
	for name in ("unknown_frees", "double_live"):
		if report["totals"][name]:
			wrong.append(f"the first process: {name} is {report['totals'][name]}")
	if report["trace"]["lost"]["late_records"]:
		wrong.append(f"{report['trace']['lost']['late_records']} records out of order")
	if not truths:
		wrong.append("the program said nothing")
	print("\n".join(wrong))
	return 1 if wrong else 0


if __name__ == "__main__":
	sys.exit(main())
