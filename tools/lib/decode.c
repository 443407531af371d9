/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Event classes to layouts: a small table in open addressing, keyed by the class's address. Knows
 * the names of trace/schema/schema.h, and tolerates classes that lack a field. */

#include "tools/lib/decode.h"
#include "tools/lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

#include "core/event.h"

static const struct row {
	const char *name;
	uint16_t what;
	uint16_t kind;
	const char *fields[DECODE_FIELDS];
} rows[] = {
	{ "vadtrace_heap:batch", DECODE_BATCH, 0, { "tid", "begin_ns", "words" } },
	{ "vadtrace_heap:settled", DECODE_SETTLED, 0, { "until_ns" } },
	{ "vadtrace_heap:record", DECODE_RECORD, 0, { "tid", "time_ns", "words", "heap" } },
#define HEAP_FIELDS                                              \
	{                                                        \
		"heap", "api", "stack", "flags", "maximum_bytes" \
	}
	{ "vadtrace_heap:create", DECODE_HEAP, EVENT_HEAP_CREATE, HEAP_FIELDS },
	{ "vadtrace_heap:destroy", DECODE_HEAP, EVENT_HEAP_DESTROY, HEAP_FIELDS },
#define VAD_FIELDS                                                                           \
	{                                                                                    \
		"address", "size_bytes", "type", "protect", "extra", "owner", "api", "stack" \
	}
	{ "vadtrace_vm:reserve", DECODE_VAD, EVENT_VAD_RESERVE, VAD_FIELDS },
	{ "vadtrace_vm:commit", DECODE_VAD, EVENT_VAD_COMMIT, VAD_FIELDS },
	{ "vadtrace_vm:decommit", DECODE_VAD, EVENT_VAD_DECOMMIT, VAD_FIELDS },
	{ "vadtrace_vm:protect", DECODE_VAD, EVENT_VAD_PROTECT, VAD_FIELDS },
	{ "vadtrace_vm:release", DECODE_VAD, EVENT_VAD_RELEASE, VAD_FIELDS },
	{ "vadtrace_vm:reset", DECODE_VAD, EVENT_VAD_RESET, VAD_FIELDS },
	{ "vadtrace_vm:map", DECODE_VAD, EVENT_VAD_MAP, VAD_FIELDS },
	{ "vadtrace_vm:unmap", DECODE_VAD, EVENT_VAD_UNMAP, VAD_FIELDS },
	{ "vadtrace_meta:process",
	  DECODE_PROCESS,
	  0,
	  { "session", "schema_version", "mode", "parent_pid", "exe", "command_line", "comm",
	    "page_size", "stack_depth", "min_size", "reason", "fork_ns", "wine" } },
	{ "vadtrace_meta:fork", DECODE_FORK, 0, { "fork_ns" } },
	{ "vadtrace_meta:exit", DECODE_EXIT, 0, { NULL } },
	{ "vadtrace_meta:thread", DECODE_THREAD, 0, { "tid", "name" } },
	{ "vadtrace_meta:module",
	  DECODE_MODULE,
	  0,
	  { "module", "base", "start", "end", "path", "build_id" } },
	{ "vadtrace_meta:pe_module",
	  DECODE_PE_MODULE,
	  0,
	  { "module", "base", "start", "end", "path", "timestamp", "image_size" } },
	{ "vadtrace_win:call", DECODE_CALL, 0, { "api", "result", "error", "stack", "arguments" } },
	{ "vadtrace_win:hook",
	  DECODE_HOOK,
	  0,
	  { "api", "function", "dll", "state", "reason", "address" } },
	{ "vadtrace_win:difference",
	  DECODE_DIFFERENCE,
	  0,
	  { "api", "what", "wine", "core", "stack", "arguments" } },
	{ "vadtrace_meta:module_gone", DECODE_MODULE_GONE, 0, { "module" } },
	{ "vadtrace_meta:stack", DECODE_STACK, 0, { "stack", "frames" } },
	{ "vadtrace_meta:lost", DECODE_LOST, 0, { "count" } },
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

/* - slots is a power of two, at most half of them used. */
struct decoder {
	struct layout **table;
	size_t slots, count;
	uint64_t *words;
	size_t words_capacity;
};

struct decoder *decoder_create(void)
{
	struct decoder *decoder = xcalloc(1, sizeof(*decoder));

	decoder->slots = 64;
	decoder->table = xcalloc(decoder->slots, sizeof(struct layout *));
	return decoder;
}

void decoder_destroy(struct decoder *decoder)
{
	for (size_t i = 0; i < decoder->slots; i++)
		if (decoder->table[i]) {
			bt_event_class_put_ref(decoder->table[i]->class);
			free(decoder->table[i]);
		}
	free(decoder->table);
	free(decoder->words);
	free(decoder);
}

static uint64_t find_member(const bt_field_class *structure, const char *name)
{
	uint64_t count = structure ? bt_field_class_structure_get_member_count(structure) : 0;

	for (uint64_t i = 0; name && i < count; i++) {
		const bt_field_class_structure_member *member =
			bt_field_class_structure_borrow_member_by_index_const(structure, i);

		if (!strcmp(bt_field_class_structure_member_get_name(member), name))
			return i;
	}
	return DECODE_NO_FIELD;
}

static const struct row *find_row(const char *name)
{
	for (int i = 0; name && i < ROW_COUNT; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

static struct layout *make_layout(const bt_event_class *class)
{
	struct layout *layout = xcalloc(1, sizeof(*layout));
	const struct row *row = find_row(bt_event_class_get_name(class));
	const bt_field_class *payload = bt_event_class_borrow_payload_field_class_const(class);
	const bt_field_class *context =
		bt_stream_class_borrow_event_common_context_field_class_const(
			bt_event_class_borrow_stream_class_const(class));

	layout->class = class;
	layout->what = row ? row->what : DECODE_FOREIGN;
	layout->kind = row ? row->kind : 0;
	for (int i = 0; i < DECODE_FIELDS; i++)
		layout->fields[i] = find_member(payload, row ? row->fields[i] : NULL);
	layout->vpid = find_member(context, "vpid");
	layout->vtid = find_member(context, "vtid");
	bt_event_class_get_ref(class);
	return layout;
}

static size_t find_slot(const struct decoder *decoder, const bt_event_class *class)
{
	size_t slot = hash_word((uintptr_t) class) & (decoder->slots - 1);

	while (decoder->table[slot] && decoder->table[slot]->class != class)
		slot = (slot + 1) & (decoder->slots - 1);
	return slot;
}

static void enlarge(struct decoder *decoder)
{
	struct layout **old = decoder->table;
	size_t old_slots = decoder->slots;

	decoder->slots *= 2;
	decoder->table = xcalloc(decoder->slots, sizeof(struct layout *));
	for (size_t i = 0; i < old_slots; i++)
		if (old[i])
			decoder->table[find_slot(decoder, old[i]->class)] = old[i];
	free(old);
}

const struct layout *decoder_layout(struct decoder *decoder, const bt_event *event)
{
	const bt_event_class *class = bt_event_borrow_class_const(event);
	size_t slot = find_slot(decoder, class);

	if (decoder->table[slot])
		return decoder->table[slot];
	if (2 * ++decoder->count > decoder->slots) {
		enlarge(decoder);
		slot = find_slot(decoder, class);
	}
	return decoder->table[slot] = make_layout(class);
}

static uint64_t read_number(const bt_field *field)
{
	bt_field_class_type type = bt_field_get_class_type(field);

	if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER))
		return bt_field_integer_unsigned_get_value(field);
	if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_SIGNED_INTEGER))
		return (uint64_t)bt_field_integer_signed_get_value(field);
	return 0;
}

static const bt_field *borrow(const struct layout *layout, const bt_event *event, int field)
{
	if (layout->fields[field] == DECODE_NO_FIELD)
		return NULL;
	return bt_field_structure_borrow_member_field_by_index_const(
		bt_event_borrow_payload_field_const(event), layout->fields[field]);
}

uint64_t decode_number(const struct layout *layout, const bt_event *event, int field)
{
	const bt_field *value = borrow(layout, event, field);

	return value ? read_number(value) : 0;
}

const char *decode_text(const struct layout *layout, const bt_event *event, int field)
{
	const bt_field *value = borrow(layout, event, field);

	if (!value || bt_field_get_class_type(value) != BT_FIELD_CLASS_TYPE_STRING)
		return "";
	const char *text = bt_field_string_get_value(value);
	return text ? text : "";
}

/* The numbers of a sequence are all of one class: it is asked once. */
static void copy_numbers(uint64_t *words, const bt_field *array, size_t count)
{
	const bt_field *first = bt_field_array_borrow_element_field_by_index_const(array, 0);
	bool is_plain = bt_field_get_class_type(first) == BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER;

	for (size_t i = 0; i < count; i++) {
		const bt_field *element =
			bt_field_array_borrow_element_field_by_index_const(array, i);

		words[i] = is_plain ? bt_field_integer_unsigned_get_value(element)
				    : read_number(element);
	}
}

const uint64_t *decode_words(struct decoder *decoder, const struct layout *layout,
			     const bt_event *event, int field, size_t *count)
{
	const bt_field *array = borrow(layout, event, field);

	*count = 0;
	if (!array ||
	    !bt_field_class_type_is(bt_field_get_class_type(array), BT_FIELD_CLASS_TYPE_ARRAY))
		return decoder->words;
	*count = bt_field_array_get_length(array);
	if (*count > decoder->words_capacity) {
		decoder->words = xreallocarray(decoder->words, *count, sizeof(uint64_t));
		decoder->words_capacity = *count;
	}
	if (*count)
		copy_numbers(decoder->words, array, *count);
	return decoder->words;
}

static uint32_t read_context(const bt_field *context, uint64_t index)
{
	if (!context || index == DECODE_NO_FIELD)
		return 0;
	return (uint32_t)read_number(
		bt_field_structure_borrow_member_field_by_index_const(context, index));
}

void decode_context(const struct layout *layout, const bt_event *event, uint32_t *pid,
		    uint32_t *tid)
{
	const bt_field *context = bt_event_borrow_common_context_field_const(event);

	*pid = read_context(context, layout->vpid);
	*tid = read_context(context, layout->vtid);
}
