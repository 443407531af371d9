/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One LTTng event of ours in the clear, whoever decoded it: libbabeltrace2 (graph_decode.h) or our
 * own decoder (ctf.h). */

#ifndef VADTRACE_TOOLS_LIB_DECODE_H
#define VADTRACE_TOOLS_LIB_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "tools/lib/trace_event.h"

enum decode_what {
	DECODE_FOREIGN, /* none of ours */
	DECODE_AGAIN,   /* LTTng's own form of what ours tell, too */
	DECODE_BATCH,
	DECODE_SETTLED,
	DECODE_RECORD,
	DECODE_BLOCK, /* layout->kind */
	DECODE_HEAP,  /* layout->kind says which */
	DECODE_VAD,   /* layout->kind */
	DECODE_PROCESS,
	DECODE_EXIT,
	DECODE_THREAD,
	DECODE_MODULE,
	DECODE_MODULE_GONE,
	DECODE_STACK,
	DECODE_LOST,
	DECODE_FORK,
	DECODE_PE_MODULE,
	DECODE_CALL,
	DECODE_HOOK,
	DECODE_DIFFERENCE,
	DECODE_ERROR,
	DECODE_STACKS,
};

/* Numbers of the fields, by what the event is: positions in the rows of decode.c. */
enum { BATCH_TID, BATCH_BEGIN_NS, BATCH_WORDS };
enum { SETTLED_UNTIL_NS };
enum { RECORD_TID, RECORD_TIME_NS, RECORD_FIELD_WORDS, RECORD_HEAP };
enum {
	BLOCK_TIME_NS,
	BLOCK_ADDRESS,
	BLOCK_SIZE,
	BLOCK_ALIGNMENT,
	BLOCK_HEAP,
	BLOCK_API,
	BLOCK_STACK,
};
enum { HEAP_HEAP, HEAP_API, HEAP_STACK, HEAP_FLAGS, HEAP_MAXIMUM };
enum {
	ERROR_ADDRESS,
	ERROR_SIZE,
	ERROR_HEAP,
	ERROR_MISUSE,
	ERROR_API,
	ERROR_STACK,
	ERROR_BLOCK,
	ERROR_ALLOCATED,
	ERROR_FREED,
};
enum { VAD_ADDRESS, VAD_SIZE, VAD_TYPE, VAD_PROTECT, VAD_EXTRA, VAD_OWNER, VAD_API, VAD_STACK };
enum {
	PROCESS_SESSION,
	PROCESS_SCHEMA,
	PROCESS_MODE,
	PROCESS_PARENT_PID,
	PROCESS_EXE,
	PROCESS_COMMAND,
	PROCESS_COMM,
	PROCESS_PAGE_SIZE,
	PROCESS_STACK_DEPTH,
	PROCESS_MIN_SIZE,
	PROCESS_REASON,
	PROCESS_FORK_NS,
	PROCESS_WINE,
	PROCESS_COMMIT_LIMIT,
};
enum { THREAD_TID, THREAD_NAME };
enum { MODULE_ID, MODULE_BASE, MODULE_START, MODULE_END, MODULE_PATH, MODULE_BUILD_ID };
enum {
	PE_MODULE_ID,
	PE_MODULE_BASE,
	PE_MODULE_START,
	PE_MODULE_END,
	PE_MODULE_PATH,
	PE_MODULE_TIME_STAMP,
	PE_MODULE_IMAGE_SIZE,
};
enum { CALL_API, CALL_RESULT, CALL_ERROR, CALL_STACK, CALL_ARGUMENTS };
enum { HOOK_API, HOOK_FUNCTION, HOOK_DLL, HOOK_STATE, HOOK_REASON, HOOK_ADDRESS };
enum {
	DIFFERENCE_API,
	DIFFERENCE_WHAT,
	DIFFERENCE_WINE,
	DIFFERENCE_CORE,
	DIFFERENCE_STACK,
	DIFFERENCE_ARGUMENTS,
};
enum { STACK_ID, STACK_FRAMES };
enum { STACKS_COMPARED, STACKS_PARTIAL, STACKS_DIFFERENT };
enum { LOST_COUNT };
enum { FORK_FORK_NS };

enum { DECODE_FIELDS = 14 };

/* Strings and words belong to the decoder and live until its next event.
 *  - numbers and texts are by the event's field numbers above; what the trace lacks is 0 or "";
 *  - words are of the one array that an event of ours may have. */
struct decoded {
	uint16_t what; /* enum decode_what */
	uint16_t kind; /* enum event_kind */
	uint32_t pid, tid;
	uint64_t time_ns;
	uint64_t numbers[DECODE_FIELDS];
	const char *texts[DECODE_FIELDS];
	const uint64_t *words;
	size_t word_count;
	struct batch_words
		batch; /* of DECODE_BATCH, instead of words; no list: the decoder copies */
};

/* What the schema says of an event. */
struct decode_row {
	const char *name;
	uint16_t what;
	uint16_t kind;
	const char *fields[DECODE_FIELDS];
};

/* By its name, "provider:event"; NULL: none of ours. */
const struct decode_row *decode_find_row(const char *name);
/* The number of a field by its name; DECODE_FIELDS: the event has no such field. */
unsigned decode_find_field(const struct decode_row *row, const char *name);

/* Makes all fields read as 0 and "". */
void decode_clear(struct decoded *event, const struct decode_row *row);

#endif
