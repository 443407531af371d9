# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
"""patch.py FROM TO EXPORT: a DLL in which the export begins with an instruction that cannot be
moved. Where Wine has eight bytes that do nothing, there is a jump that is never far enough to
matter (jrcxz to the next instruction), and six bytes of nothing.

patch.py FROM TO version OLD NEW: a file in which Wine calls itself NEW, a text as long as OLD.
"""

import struct
import sys

NOTHING = bytes.fromhex("488da42400000000")
HARMLESS = bytes.fromhex("e300909090909090")


def sections(data):
	header = struct.unpack_from("<I", data, 0x3C)[0]
	count = struct.unpack_from("<H", data, header + 6)[0]
	at = header + 24 + struct.unpack_from("<H", data, header + 20)[0]
	for i in range(count):
		yield struct.unpack_from("<IIII", data, at + 40 * i + 8)


def offset_of(data, rva):
	for size, start, raw_size, raw in sections(data):
		if start <= rva < start + max(size, raw_size):
			return rva - start + raw
	raise ValueError(hex(rva))


def text_at(data, rva):
	at = offset_of(data, rva)
	return data[at : data.index(b"\0", at)].decode()


def export(data, wanted):
	header = struct.unpack_from("<I", data, 0x3C)[0]
	directory = offset_of(data, struct.unpack_from("<I", data, header + 24 + 112)[0])
	count, functions, names, ordinals = struct.unpack_from("<IIII", data, directory + 24)
	for i in range(count):
		name = struct.unpack_from("<I", data, offset_of(data, names) + 4 * i)[0]
		if text_at(data, name) != wanted:
			continue
		ordinal = struct.unpack_from("<H", data, offset_of(data, ordinals) + 2 * i)[0]
		rva = struct.unpack_from("<I", data, offset_of(data, functions) + 4 * ordinal)[0]
		return offset_of(data, rva)
	raise ValueError(wanted)


def replace(data, at, old, new):
	if len(old) != len(new) or data[at : at + len(old)] != old:
		raise ValueError("it is not what was expected")
	data[at : at + len(old)] = new


def main():
	source, target, what, *texts = sys.argv[1:]
	with open(source, "rb") as file:
		data = bytearray(file.read())
	if what == "version":
		old, new = (text.encode() for text in texts)
		for form in (b"wine-%s ", b"\0%s\0"):
			replace(data, data.index(form % old), form % old, form % new)
	else:
		replace(data, export(data, what), NOTHING, HARMLESS)
	with open(target, "wb") as file:
		file.write(data)


main()
