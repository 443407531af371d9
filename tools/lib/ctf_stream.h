/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The events of one stream file, one after the other. */

#ifndef VADTRACE_TOOLS_LIB_CTF_STREAM_H
#define VADTRACE_TOOLS_LIB_CTF_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/lib/ctf_metadata.h"
#include "tools/lib/decode.h"
#include "tools/lib/packets.h"

enum ctf_status {
	CTF_EVENT,
	CTF_END,
	CTF_DAMAGED, /* `damage` says how; nothing more can be read */
};

/* - [at, end) is what was not read of the packet yet;
 * - class and event are those of the event that ctf_stream_next found. */
struct ctf_stream {
	const struct ctf_metadata *metadata;
	char *name; /* of the file */
	struct packets *packets;
	const unsigned char *at, *end;
	const struct ctf_stream_class *class;
	const struct ctf_event_class *event;
	uint64_t instance; /* of the first packet */
	uint64_t time_ns;  /* of the event; CTF's clock between them */
	uint64_t packet_count;
	uint64_t last_number, last_discarded;         /* of the packet before */
	uint64_t discarded_events, discarded_packets; /* so far */
	uint64_t *words;
	size_t words_capacity;
	bool has_event;      /* that was found and not read yet */
	uint64_t last_value; /* of a number: the length of a sequence */
	char *damage;
};

/* False: the file cannot be read. The metadata must outlive the stream. */
bool ctf_stream_open(struct ctf_stream *stream, const char *path, const char *name,
		     const struct ctf_metadata *metadata);
void ctf_stream_close(struct ctf_stream *stream);

/* Goes to the next event: its time and class are known then. */
enum ctf_status ctf_stream_next(struct ctf_stream *stream);
/* Reads the event to its end. `decoded` is filled if it is one of ours. CTF_EVENT or CTF_DAMAGED.
 */
enum ctf_status ctf_stream_decode(struct ctf_stream *stream, struct decoded *decoded);

#endif
