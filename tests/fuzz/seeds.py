# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
"""seeds.py TRACE FOLDER: inputs for reader.fuzzer, cut out of a real trace.

Each is the trace's metadata and the beginning of a packet of each stream, made whole.
"""

import glob
import os
import struct
import sys

HEAD_BYTES = 84
CONTENT_BITS_AT = 48
PACKET_BYTES = 12000
PACKETS = 4


def packets(data):
	at = 0
	while at + HEAD_BYTES <= len(data):
		content, size = struct.unpack_from("<QQ", data, at + CONTENT_BITS_AT)
		yield data[at:at + content // 8]
		at += size // 8


def cut(packet):
	"""The packet's beginning as a packet."""
	short = bytearray(packet[:PACKET_BYTES])
	bits = 8 * len(short)
	struct.pack_into("<QQ", short, CONTENT_BITS_AT, bits, bits)
	return bytes(short)


def main():
	trace, folder = sys.argv[1:]
	os.makedirs(folder, exist_ok=True)
	count = 0
	for path in glob.glob(trace + "/**/metadata", recursive=True):
		with open(path, "rb") as file:
			metadata = file.read()
		for stream in glob.glob(os.path.dirname(path) + "/*_[0-9]*"):
			with open(stream, "rb") as file:
				data = file.read()
			for packet in list(packets(data))[:PACKETS]:
				seed = bytes([0, 0]) + struct.pack(">H", len(metadata)) + metadata
				name = f"{folder}/{os.path.basename(trace)}-{count}"
				with open(name, "wb") as file:
					file.write(seed + cut(packet))
				count += 1
	print(count, "seeds")
	return 0 if count else 1


if __name__ == "__main__":
	sys.exit(main())
