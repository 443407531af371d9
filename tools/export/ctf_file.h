/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Writes one stream file of CTF 1.8, in the layout of LTTng-UST 2.13 with large headers. */

#ifndef VADTRACE_TOOLS_EXPORT_CTF_FILE_H
#define VADTRACE_TOOLS_EXPORT_CTF_FILE_H

#include <stdint.h>
#include <stdio.h>

enum { CTF_PROCNAME_BYTES = 17 };

/* What all events of a file have in common, and the packet that is being filled.
 *  - times do not fall: last_ns is that of the last event;
 *  - used_bytes is 0 before the first event of a packet. */
struct ctf_file {
	FILE *file;
	unsigned char uuid[16];
	uint64_t instance;
	uint32_t vpid;
	char procname[CTF_PROCNAME_BYTES];
	uint64_t begin_ns, last_ns;
	uint64_t packet_count;
	unsigned char *packet;
	size_t used_bytes;
	int error; /* -errno of the first write that failed */
};

/* 0 or -errno. The file is new. */
int ctf_file_open(struct ctf_file *file, const char *path, const unsigned char uuid[16],
		  uint64_t instance);
/* Writes the last packet. 0, or the -errno of any write that failed. */
int ctf_file_close(struct ctf_file *file);

/* An event's number, time, and contexts; a time before the last one's becomes that. The fields
 * follow, in their order. */
void ctf_file_event(struct ctf_file *file, uint16_t number, uint64_t time_ns, uint32_t tid,
		    uint64_t ip);
void ctf_file_u8(struct ctf_file *file, uint8_t value);
void ctf_file_u16(struct ctf_file *file, uint16_t value);
void ctf_file_u32(struct ctf_file *file, uint32_t value);
void ctf_file_u64(struct ctf_file *file, uint64_t value);
/* Cut at 4095 characters. */
void ctf_file_text(struct ctf_file *file, const char *text);

#endif
