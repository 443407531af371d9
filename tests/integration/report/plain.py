# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

"""plain.py TRACE OTHER: compares the events of vadtrace_heap in TRACE, a plain recording, with the
events of lttng_ust_libc in OTHER, which may be the same: thread, function, sizes and addresses."""

import sys

sys.dont_write_bytecode = True
import calls


def expected(folder):
    old = {}
    for _, provider, name, text in calls.lines(folder):
        if provider != "vadtrace_heap" or name in ("settled", "create", "destroy"):
            continue
        thread, fields = calls.thread(text), dict(calls.payload(text))
        address, size = fields["address"], fields["size_bytes"]
        if name in ("allocate", "allocate_failed"):
            yield thread + calls.allocation(fields["api"], size, address, fields["alignment"])
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
    for _, thread, call in calls.told(folder):
        yield thread + call


calls.compare(expected(sys.argv[1]), found(sys.argv[2]),
              "only in vadtrace_heap:", "only in lttng_ust_libc:")
