/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The CTF folders of a trace, made readable: streams that were cut short are trimmed to their last
 * whole packet, and metadata that was lost is taken from another trace, in a temporary copy; so are
 * compressed streams decompressed for who cannot read them. The trace itself is never written. */

#ifndef VADTRACE_TOOLS_LIB_STREAMS_H
#define VADTRACE_TOOLS_LIB_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* - folders[i] is what the reader opens: the trace's own folder or its repaired copy. */
struct streams {
	char **folders;
	size_t count, capacity;
	uint64_t size_bytes;   /* of all files */
	uint64_t packet_count; /* whole packets, 0 when the layout is not LTTng's own */
	uint64_t cut_bytes;    /* that lay behind the last whole packet of a stream */
	uint64_t cut_streams;
	uint64_t compressed_streams;
	uint64_t lost_folders;   /* without readable metadata */
	uint64_t lent_folders;   /* with another trace's */
	uint64_t closed_folders; /* that may not be looked into */
	char *lender;    /* a file of metadata that stands in for the trace's own, or NULL */
	bool is_plain;   /* no stream may be compressed, or cut */
	char *temporary; /* NULL: nothing had to be repaired */
};

/* Finds all CTF traces below `folder`. `lender` (NULL: none) is the folder of a trace of the same
 * recorder: its metadata is used in the place of the trace's own. `is_plain`: compressed streams
 * are decompressed, cut ones trimmed. 0, or -errno when a repaired copy could not be written,
 * -ENODATA when the lender has no metadata. */
int streams_open(struct streams *streams, const char *folder, const char *lender, bool is_plain);
/* Removes the copies. */
void streams_close(struct streams *streams);

#endif
