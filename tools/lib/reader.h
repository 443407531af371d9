/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Reads a trace from end to end and tells what happened, in the order of trace_event.h. */

#ifndef VADTRACE_TOOLS_LIB_READER_H
#define VADTRACE_TOOLS_LIB_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/lib/trace_event.h"

typedef void (*reader_deliver)(void *context, const struct trace_event *event);
/* The same of many happenings of a process's blocks at once, in their order. */
typedef void (*reader_records)(void *context, uint32_t process, const struct trace_record *records,
			       size_t count);

enum { READER_KINDS = 64 };

/* What was read, and what could not be. */
struct reader_summary {
	uint64_t size_bytes;      /* of the trace's files */
	uint64_t lttng_events;    /* of ours, as LTTng counts: a batch is one */
	uint64_t foreign_events;  /* of other providers or other recordings */
	uint64_t repeated_events; /* LTTng's own form of a plain recording's events and modules */
	uint64_t batches;
	uint64_t kinds[READER_KINDS]; /* happenings by enum event_kind */
	uint64_t definitions;

	uint64_t discarded_events;  /* LTTng had no room for them */
	uint64_t discarded_packets; /* each of many events */
	uint64_t lost_records;      /* that the recorder itself could not write */
	uint64_t late_records;      /* out of order: their effect may be counted wrongly */
	uint64_t live_records;      /* taken over from buffers of killed processes */
	uint64_t cut_bytes;         /* behind the last whole packet of cut streams */
	uint64_t cut_streams;
	uint64_t damaged_slots;
	uint64_t lost_folders;
	uint64_t lent_folders; /* with another trace's metadata */
	char *damage;          /* in words, why reading had to stop early, else NULL */
};

enum reader_status {
	READER_OK,
	READER_DAMAGED,  /* all that is readable was delivered; the summary says what was not */
	READER_NO_TRACE, /* nothing that could be read; a message was printed */
};

enum reader_decoder {
	READER_AUTO,       /* our own where it knows the layout, else libbabeltrace2 */
	READER_OWN,        /* our own, or none */
	READER_BABELTRACE, /* libbabeltrace2 */
};

/* What to read.
 *  - with a session, processes of other sessions are left out, and those without a process event;
 *    but never pid (0: not known), the process that was recorded. */
struct reader_input {
	const char *folder;
	const char *session; /* NULL: all processes */
	uint32_t pid;
	/* For the message when nothing can be read: how the recording came to lack its end, and
	 * what to do. NULL: nothing is known. */
	const char *cause, *advice;
	enum reader_decoder decoder;
	reader_records records; /* NULL: every happening is told as an event */
	unsigned jobs;          /* threads at most; 0: one. With two, one reads and one is told */
	/* A snapshot's window: what happened to blocks before it, and what happened at all after
	 * it, is not all there and is left out. 0: no limit. */
	uint64_t begin_ns, end_ns;
	const char *lender; /* a trace whose metadata is used instead of its own; NULL: none */
};

/* Calls `deliver` for each event, in the calling thread. A signal that asks the program to end does
 * so when what was made for the trace is tidied up. The caller frees the summary with
 * reader_summary_free. */
enum reader_status reader_run(const struct reader_input *input, reader_deliver deliver,
			      void *context, struct reader_summary *summary);
void reader_summary_free(struct reader_summary *summary);

/* Whether events are missing that the program caused: totals are then lower bounds. */
bool reader_is_lossy(const struct reader_summary *summary);

#endif
