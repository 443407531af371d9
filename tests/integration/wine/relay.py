# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
"""relay.py LOG REPORT: whether Wine's own log of calls (WINEDEBUG=+relay) and our report of the
same run of a program count the same.

The log has a line for each call from one DLL to another, and for its return. What a function calls
in turn is not counted, as with us. A call inside one DLL never comes past Wine's relay: of the
heap's functions, which are ntdll's, that is what ntdll itself asks for. Our report has those under
ntdll's functions, together with what Wine's ELF half asked of malloc for the same function. The
others come through the relay, which is ntdll's as well.
"""

import collections
import json
import re
import sys

# Not always at a line's beginning: half a line of the program's own may be on the same stderr.
LINE = re.compile(r"([0-9a-f]{4}):(Call|Ret ) ([A-Za-z0-9_]+)\.([A-Za-z0-9_]+)\(")
EXACT = ("VirtualAlloc", "GlobalAlloc", "LocalAlloc", "VirtualProtect")
NAMES = {"RtlAllocateHeap": "HeapAlloc", "RtlReAllocateHeap": "HeapReAlloc"}


def outermost_calls(path):
	"""Of each function, the calls that no other logged function made."""
	depth = collections.Counter()
	calls = collections.Counter()
	with open(path, encoding="utf-8", errors="replace") as log:
		for line in log:
			match = LINE.search(line)
			if not match:
				continue
			thread, kind, _, function = match.groups()
			if kind != "Call":
				depth[thread] -= 1
				continue
			if not depth[thread]:
				calls[NAMES.get(function, function)] += 1
			depth[thread] += 1
	return calls


def main():
	relay = outermost_calls(sys.argv[1])
	with open(sys.argv[2], encoding="utf-8") as file:
		report = json.load(file)
	ours = {row["function"]: row["calls"] for row in report["functions"]}
	inside = sum(
		site["calls"]
		for site in report["sites"]["calls"]["sites"]
		if site["module"] == "ntdll.dll" and site["function"] != "relay_call"
	)
	wrong = []
	for function in EXACT:
		count = ours.get(function, 0)
		if relay[function] != count:
			wrong.append(f"{function}: relay {relay[function]}, we {count}")
	heap, our_heap = (
		sum(calls.get(name, 0) for name in NAMES.values()) for calls in (relay, ours)
	)
	print(f"heap: relay {heap}, we {our_heap}, of which at most {inside} inside ntdll")
	if not heap or not heap <= our_heap <= heap + inside:
		wrong.append("the heap's calls differ")
	print("\n".join(wrong))
	return 1 if wrong else 0


if __name__ == "__main__":
	sys.exit(main())
