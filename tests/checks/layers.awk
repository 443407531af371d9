# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

# Reads C files named relative to the source folder; prints each #include that goes against the
# order of the layers, and fails when there is one.

BEGIN {
	# Inside core: a folder includes itself and what is below it.
	split("base os vm section heap handle tls process kernel com win32", order, " ")
	for (i in order)
		rank["core/" order[i]] = i + 0
	# What a part may include, besides its own folder: an expression.
	words = "core/(types|event|api)\\.h"
	allowed["core"] = "^core/"
	allowed["trace"] = "^(core/(event|api)\\.h$|trace/)"
	allowed["trace/schema"] = "^trace/schema/"
	# Planning is shared by the preload, which acts, and by the tools, which tell.
	allowed["preload/pe/plan"] = "^(core/(event|api)\\.h$|preload/pe/plan/)"
	allowed["preload"] = "^(core/|trace/trace\\.h$|trace/schema/|preload/)"
	# The words of the events are part of the schema.
	allowed["tools"] = "^(" words "$|trace/schema/|preload/pe/plan/|tools/)"
	# System headers that a part must not know.
	forbidden["core"] = "^(lttng/|libunwind|unwind|stdio|malloc|babeltrace|elfutils|windows)"
	forbidden["trace"] = "^(stdio|babeltrace|elfutils|windows)"
	forbidden["preload"] = "^(lttng/|libunwind|babeltrace|elfutils|json)"
	forbidden["tools"] = "^(libunwind|lttng/(tracepoint|ust))"
}

function folder_of(path) {
	sub(/\/[^\/]*$/, "", path)
	return path
}

# The part that a path belongs to: trace/schema and preload/pe/plan are their own.
function part_of(path, words) {
	if (path ~ /^preload\/pe\/plan\//)
		return "preload/pe/plan"
	if (path ~ /^trace\/schema\//)
		return "trace/schema"
	split(path, words, "/")
	return words[1]
}

# core/vm of core/vm/vad.h.
function layer_of(path, words) {
	return split(path, words, "/") > 2 ? words[1] "/" words[2] : ""
}

function breach(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text
	failed = 1
}

# Names without a folder are relative to core (its public headers) or generated.
function full_name(name) {
	if (name ~ /\//)
		return name
	if (name == "config.h")
		return ""
	return name == "api.h" ? "core/api.h" : folder_of(FILENAME) "/" name
}

function check_own(name, part, from, to) {
	part = part_of(FILENAME)
	name = full_name(name)
	if (name == "" || !(part in allowed))
		return
	if (name !~ allowed[part]) {
		breach(part " must not include " name)
		return
	}
	from = layer_of(FILENAME)
	to = layer_of(name)
	# os.h is the contract with the machine, the floor under base too.
	if (part != "core" || name == "core/os/os.h" || to == "")
		return
	if (!(to in rank))
		breach(to " is no layer")
	else if (from != "" && rank[to] > rank[from])
		breach(from " is below " to ": " name)
}

function check_system(name, part) {
	part = part_of(FILENAME)
	if (part == "trace/schema")
		part = "trace"
	if (part == "preload/pe/plan")
		part = "core"
	if ((part in forbidden) && name ~ forbidden[part])
		breach(part " must not include <" name ">")
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, pieces, "\"")
	check_own(pieces[2])
}

/^[ \t]*#[ \t]*include[ \t]*</ {
	split($0, pieces, "[<>]")
	check_system(pieces[2])
}

END {
	exit failed
}
