/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The metadata of an exported trace: the events' numbers and fields. */

#ifndef VADTRACE_TOOLS_EXPORT_CTF_TEXT_H
#define VADTRACE_TOOLS_EXPORT_CTF_TEXT_H

#include <stdint.h>
#include <stdio.h>

/* Numbers of the events, in the order of the table in ctf_text.c. */
enum ctf_number {
	CTF_MALLOC,
	CTF_CALLOC,
	CTF_REALLOC,
	CTF_FREE,
	CTF_MEMALIGN,
	CTF_POSIX_MEMALIGN,
	CTF_HEAP_CREATE,
	CTF_HEAP_DESTROY,
	CTF_VAD, /* and those behind it, in the order of EVENT_VAD_RESERVE to EVENT_VAD_RECLAIM */
	CTF_BIN_INFO = CTF_VAD + 10,
};

struct ctf_origin {
	const unsigned char *uuid; /* 16 bytes */
	const char *hostname;
	uint64_t offset_ns; /* of the clock, from the epoch */
};

/* 0 or -errno. */
int ctf_text_write(const char *path, const struct ctf_origin *origin);

#endif
