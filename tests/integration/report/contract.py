# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT

"""contract.py MODEL TRACE [PROVIDER]: whether the metadata of TRACE (as text, of babeltrace2's sink
ctf-metadata) declares what MODEL's does: the events of the provider (or all of them) with their
fields' names, sizes, signs, encodings and bases, the contexts, the head of packets, the clock, and
the environment, but for what is LTTng's session's own."""

import re
import sys

# Of a session, not of the tracer.
OF_THE_SESSION = {"tracer_buffering_scheme", "tracer_buffering_id", "trace_name",
                  "trace_creation_datetime"}
# Said in words that mean the same.
WORDS = {"true": "1", "false": "0", "unsigned long": "uint64_t"}


def blocks(text, head):
    """What stands in each 'head { ... }', braces in braces included."""
    for match in re.finditer(head + r"\s*\{", text):
        depth, end = 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        yield text[match.end():end - 1]


def properties(text):
    """name = value; pairs. An integer without an encoding has none, one without a base has 10."""
    found = dict(re.findall(r"(\w+) = (\"[^\"]*\"|\w+)", text))
    return {name: WORDS.get(value, value) for name, value in found.items()}


def field(text):
    """Name and type of a declaration."""
    integer, kind, name = re.fullmatch(
        r"\s*(?:integer \{([^}]*)\}|([\w ]+?))\s+(\w+(?:\[[^]]*\])?)\s*", text).groups()
    if integer is None:
        return name, WORDS.get(kind, kind)
    kind = {"encoding": "none", "base": "10"}
    kind.update(properties(integer))
    return name, tuple(sorted(kind.items()))


def struct(text):
    return [field(part) for part in re.findall(r"\s*((?:[^;{]|\{[^}]*\})+);", text)]


def described(path, provider):
    """Name and contents of each thing that must be the same."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    found = {}
    for event in blocks(text, r"\nevent"):
        head = properties(event[:event.index("fields")])
        name = head["name"].strip('"')
        if name.startswith(provider):
            fields = struct(next(blocks(event, r"fields := struct")))
            found["event " + name] = (head["loglevel"], fields)
    found["contexts"] = struct(next(blocks(text, r"event\.context := struct")))
    found["packets"] = struct(next(blocks(text, r"struct packet_context")))
    clock = properties(next(blocks(text, r"\nclock")))
    found["clock"] = [clock.get(name) for name in ("name", "description", "freq")]
    for name, value in properties(next(blocks(text, r"\nenv"))).items():
        if name not in OF_THE_SESSION:
            found["environment " + name] = value
    return found


def main():
    provider = sys.argv[3] if len(sys.argv) > 3 else ""
    model, trace = (described(path, provider) for path in sys.argv[1:3])
    events = sum(name.startswith("event ") for name in model)
    wrong = [name for name, contents in model.items() if trace.get(name) != contents]
    for name in wrong:
        print(f"# {name}: {trace.get(name)} instead of {model[name]}")
    print(events, "events,", len(model) - events, "other declarations")
    sys.exit(bool(wrong) or events == 0)


main()
