/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Event classes to layouts: a small table in open addressing, keyed by the class's address.
 * Tolerates classes that lack a field. */

#include "tools/lib/graph_decode.h"
#include "tools/lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

#define NO_FIELD UINT64_MAX

/* Where one event class keeps its fields.
 *  - row is NULL for a foreign class;
 *  - an index is NO_FIELD when the class lacks the field. */
struct layout {
	const bt_event_class *class; /* a reference is held: the address stays its own */
	const struct decode_row *row;
	uint64_t fields[DECODE_FIELDS];
	uint64_t vpid, vtid; /* in the common context */
};

/* - slots is a power of two, at most half of them used. */
struct graph_decoder {
	struct layout **table;
	size_t slots, count;
	uint64_t *words;
	size_t words_capacity;
};

struct graph_decoder *graph_decoder_create(void)
{
	struct graph_decoder *decoder = xcalloc(1, sizeof(*decoder));

	decoder->slots = 64;
	decoder->table = xcalloc(decoder->slots, sizeof(struct layout *));
	return decoder;
}

void graph_decoder_destroy(struct graph_decoder *decoder)
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
	return NO_FIELD;
}

static struct layout *make_layout(const bt_event_class *class)
{
	struct layout *layout = xcalloc(1, sizeof(*layout));
	const struct decode_row *row = decode_find_row(bt_event_class_get_name(class));
	const bt_field_class *payload = bt_event_class_borrow_payload_field_class_const(class);
	const bt_field_class *context =
		bt_stream_class_borrow_event_common_context_field_class_const(
			bt_event_class_borrow_stream_class_const(class));

	layout->class = class;
	layout->row = row;
	for (int i = 0; i < DECODE_FIELDS; i++)
		layout->fields[i] = find_member(payload, row ? row->fields[i] : NULL);
	layout->vpid = find_member(context, "vpid");
	layout->vtid = find_member(context, "vtid");
	bt_event_class_get_ref(class);
	return layout;
}

static size_t find_slot(const struct graph_decoder *decoder, const bt_event_class *class)
{
	size_t slot = hash_word((uintptr_t) class) & (decoder->slots - 1);

	while (decoder->table[slot] && decoder->table[slot]->class != class)
		slot = (slot + 1) & (decoder->slots - 1);
	return slot;
}

static void enlarge(struct graph_decoder *decoder)
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

static const struct layout *find_layout(struct graph_decoder *decoder, const bt_event *event)
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

static void read_words(struct graph_decoder *decoder, const bt_field *array,
		       struct decoded *decoded)
{
	decoded->word_count = bt_field_array_get_length(array);
	if (decoded->word_count > decoder->words_capacity) {
		decoder->words =
			xreallocarray(decoder->words, decoded->word_count, sizeof(uint64_t));
		decoder->words_capacity = decoded->word_count;
	}
	decoded->words = decoder->words;
	if (decoded->word_count)
		copy_numbers(decoder->words, array, decoded->word_count);
}

static void read_field(struct graph_decoder *decoder, const bt_field *field, unsigned number,
		       struct decoded *decoded)
{
	bt_field_class_type type = bt_field_get_class_type(field);

	if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_ARRAY))
		read_words(decoder, field, decoded);
	else if (type == BT_FIELD_CLASS_TYPE_STRING)
		decoded->texts[number] = bt_field_string_get_value(field);
	else
		decoded->numbers[number] = read_number(field);
}

static uint32_t read_context(const bt_field *context, uint64_t index)
{
	if (!context || index == NO_FIELD)
		return 0;
	return (uint32_t)read_number(
		bt_field_structure_borrow_member_field_by_index_const(context, index));
}

bool graph_decode(struct graph_decoder *decoder, const bt_event *event, struct decoded *decoded)
{
	const struct layout *layout = find_layout(decoder, event);
	const bt_field *payload = bt_event_borrow_payload_field_const(event);
	const bt_field *context = bt_event_borrow_common_context_field_const(event);

	if (!layout->row)
		return false;
	decode_clear(decoded, layout->row);
	decoded->pid = read_context(context, layout->vpid);
	decoded->tid = read_context(context, layout->vtid);
	for (unsigned i = 0; i < DECODE_FIELDS; i++)
		if (layout->fields[i] != NO_FIELD)
			read_field(decoder,
				   bt_field_structure_borrow_member_field_by_index_const(
					   payload, layout->fields[i]),
				   i, decoded);
	return true;
}
