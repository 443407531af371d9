/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What the metadata of a CTF folder says, where it is in the words of LTTng-UST: all fields at
 * byte boundaries, little endian, a clock of nanoseconds. Anything else is refused, and left to
 * libbabeltrace2. */

#ifndef VADTRACE_TOOLS_LIB_CTF_METADATA_H
#define VADTRACE_TOOLS_LIB_CTF_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/lib/decode.h"

enum ctf_type {
	CTF_NUMBER,
	CTF_STRING,
	CTF_ARRAY,    /* of `count` elements */
	CTF_SEQUENCE, /* of as many as the number before it says */
};

/* One field, in the order of the bytes.
 *  - element_bytes is 1, 2, 4 or 8 for numbers that are decoded, else 1 to 16; 0 for a string;
 *  - slot is the number of the field in struct decoded, or DECODE_FIELDS: it is skipped. */
struct ctf_field {
	uint8_t type; /* enum ctf_type */
	uint8_t element_bytes;
	uint8_t slot;
	bool is_signed;
	uint32_t count;
};

struct ctf_fields {
	struct ctf_field *list;
	size_t count, capacity;
};

/* - row is NULL for an event that is none of ours. */
struct ctf_event_class {
	bool is_known; /* the metadata has an event of this number */
	const struct decode_row *row;
	struct ctf_fields payload;
};

enum { CTF_CONTEXT_PID, CTF_CONTEXT_TID }; /* slots of the context's fields */

struct ctf_stream_class {
	bool is_known;
	bool has_large_header;
	struct ctf_fields context;
	struct ctf_event_class *events; /* by number */
	size_t event_count;
};

struct ctf_metadata {
	unsigned char uuid[16];
	struct ctf_stream_class *classes; /* by number */
	size_t class_count;
};

/* Reads a file of metadata. NULL, or in words why it cannot be used; the caller frees them. In
 * either case the metadata are freed with ctf_metadata_free. */
char *ctf_metadata_read(struct ctf_metadata *metadata, const char *path);
void ctf_metadata_free(struct ctf_metadata *metadata);

#endif
