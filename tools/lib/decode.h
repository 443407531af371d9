/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Finds the fields of our events in libbabeltrace2's: by name once per event class, by number then.
 */

#ifndef VADTRACE_TOOLS_LIB_DECODE_H
#define VADTRACE_TOOLS_LIB_DECODE_H

#include <babeltrace2/babeltrace.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum decode_what {
	DECODE_FOREIGN, /* none of ours */
	DECODE_BATCH,
	DECODE_SETTLED,
	DECODE_RECORD,
	DECODE_HEAP, /* layout->kind says which */
	DECODE_VAD,  /* layout->kind */
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
};

/* Numbers of the fields, by what the event is: positions in the rows of decode.c. */
enum { BATCH_TID, BATCH_BEGIN_NS, BATCH_WORDS };
enum { SETTLED_UNTIL_NS };
enum { RECORD_TID, RECORD_TIME_NS, RECORD_FIELD_WORDS, RECORD_HEAP };
enum { HEAP_HEAP, HEAP_API, HEAP_STACK, HEAP_FLAGS, HEAP_MAXIMUM };
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
enum { LOST_COUNT };
enum { FORK_FORK_NS };

enum { DECODE_FIELDS = 13 };

#define DECODE_NO_FIELD UINT64_MAX

/* Where one event class keeps its fields.
 *  - an index is DECODE_NO_FIELD when the class lacks the field: it reads as 0 or "". */
struct layout {
	const bt_event_class *class; /* a reference is held: the address stays its own */
	uint16_t what;               /* enum decode_what */
	uint16_t kind;               /* enum event_kind */
	uint64_t fields[DECODE_FIELDS];
	uint64_t vpid, vtid; /* in the common context */
};

struct decoder;

struct decoder *decoder_create(void);
void decoder_destroy(struct decoder *decoder);

/* The layout of an event's class. Valid until decoder_destroy. */
const struct layout *decoder_layout(struct decoder *decoder, const bt_event *event);

/* The event's own process and thread; 0 when it has no such context. */
void decode_context(const struct layout *layout, const bt_event *event, uint32_t *pid,
		    uint32_t *tid);

uint64_t decode_number(const struct layout *layout, const bt_event *event, int field);
/* Never NULL; lives as long as the event's message. */
const char *decode_text(const struct layout *layout, const bt_event *event, int field);
/* A sequence of numbers, in a buffer of the decoder's that the next call overwrites. */
const uint64_t *decode_words(struct decoder *decoder, const struct layout *layout,
			     const bt_event *event, int field, size_t *count);

#endif
