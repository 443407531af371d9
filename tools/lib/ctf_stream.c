/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* An event is a header (number and time), the context that all events of the stream have, and its
 * payload:
 *
 *   u16 number  u32 time  |  pid tid  |  fields        number 65535: u32 number, u64 time instead
 *
 * or, with compact headers, 5 bits of number and 27 of time in one word. A short time is the low
 * bits of the clock, which never falls: when it is less than the clock's, one round is over. */

#include "tools/lib/ctf_stream.h"
#include "tools/lib/xalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMPACT_TIME_BITS = 27, COMPACT_EXTENDED = 31 };
enum { LARGE_TIME_BITS = 32, LARGE_EXTENDED = 65535 };

bool ctf_stream_open(struct ctf_stream *stream, const char *path, const char *name,
		     const struct ctf_metadata *metadata)
{
	memset(stream, 0, sizeof(*stream));
	stream->packets = packets_open(path);
	if (!stream->packets)
		return false;
	stream->metadata = metadata;
	stream->name = xstrdup(name);
	return true;
}

void ctf_stream_close(struct ctf_stream *stream)
{
	packets_close(stream->packets);
	free(stream->name);
	free(stream->words);
	free(stream->damage);
	memset(stream, 0, sizeof(*stream));
}

static enum ctf_status fail(struct ctf_stream *stream, const char *words)
{
	free(stream->damage);
	stream->damage = xasprintf("%s, packet %llu: %s", stream->name,
				   (unsigned long long)stream->packet_count, words);
	return CTF_DAMAGED;
}

/* What LTTng had no room for since the packet before. */
static void count_losses(struct ctf_stream *stream, const unsigned char *head)
{
	uint64_t number = packet_u64(head + PACKET_NUMBER_AT);
	uint64_t discarded = packet_u64(head + PACKET_DISCARDED_AT);
	bool is_first = stream->packet_count == 1;

	if (!is_first && number > stream->last_number + 1)
		stream->discarded_packets += number - stream->last_number - 1;
	if (discarded > stream->last_discarded)
		stream->discarded_events += discarded - stream->last_discarded;
	stream->last_number = number;
	stream->last_discarded = discarded;
}

static enum ctf_status begin_packet(struct ctf_stream *stream)
{
	const struct ctf_metadata *metadata = stream->metadata;
	struct packet packet;
	bool has_packet = packets_next(stream->packets, &packet);
	const unsigned char *head = packet.bytes;

	/* Where the file was cut, streams.c has counted that. */
	if (!has_packet && packets_is_broken(stream->packets) && !packets_is_cut(stream->packets))
		return fail(stream, "what follows is no whole packet");
	if (!has_packet)
		return CTF_END;
	stream->packet_count++;
	if (memcmp(head + PACKET_UUID_AT, metadata->uuid, sizeof(metadata->uuid)))
		return fail(stream, "it belongs to another trace");
	uint32_t number = packet_u32(head + PACKET_CLASS_AT);
	if (number >= metadata->class_count || !metadata->classes[number].is_known)
		return fail(stream, "the metadata has no such stream");
	stream->class = &metadata->classes[number];
	if (stream->packet_count == 1)
		stream->instance = packet_u64(head + PACKET_INSTANCE_AT);
	count_losses(stream, head);
	stream->time_ns = packet_u64(head + PACKET_BEGIN_AT);
	stream->at = head + PACKET_HEAD_BYTES;
	stream->end = head + packet.content_bytes;
	return CTF_EVENT;
}

static void advance_clock(struct ctf_stream *stream, uint64_t low, unsigned bits)
{
	uint64_t round = UINT64_C(1) << bits;
	uint64_t time_ns = (stream->time_ns & ~(round - 1)) | low;

	stream->time_ns = time_ns < stream->time_ns ? time_ns + round : time_ns;
}

static bool has(const struct ctf_stream *stream, uint64_t size_bytes)
{
	return (uint64_t)(stream->end - stream->at) >= size_bytes;
}

/* The long form of number and time. */
static bool read_extended(struct ctf_stream *stream, uint32_t *number)
{
	if (!has(stream, 12))
		return false;
	*number = packet_u32(stream->at);
	stream->time_ns = packet_u64(stream->at + 4);
	stream->at += 12;
	return true;
}

static bool read_large(struct ctf_stream *stream, uint32_t *number)
{
	uint16_t word;

	if (!has(stream, 2))
		return false;
	memcpy(&word, stream->at, sizeof(word));
	stream->at += 2;
	*number = word;
	if (word == LARGE_EXTENDED)
		return read_extended(stream, number);
	if (!has(stream, 4))
		return false;
	advance_clock(stream, packet_u32(stream->at), LARGE_TIME_BITS);
	stream->at += 4;
	return true;
}

static bool read_compact(struct ctf_stream *stream, uint32_t *number)
{
	uint32_t word;

	if (!has(stream, 1))
		return false;
	*number = *stream->at & 31;
	if (*number == COMPACT_EXTENDED) {
		stream->at++;
		return read_extended(stream, number);
	}
	if (!has(stream, 4))
		return false;
	word = packet_u32(stream->at);
	advance_clock(stream, word >> 5, COMPACT_TIME_BITS);
	stream->at += 4;
	return true;
}

enum ctf_status ctf_stream_next(struct ctf_stream *stream)
{
	uint32_t number;

	while (stream->at == stream->end) {
		enum ctf_status status = begin_packet(stream);

		if (status != CTF_EVENT)
			return status;
	}
	if (!(stream->class->has_large_header ? read_large(stream, &number)
					      : read_compact(stream, &number)))
		return fail(stream, "an event begins behind its end");
	if (number >= stream->class->event_count || !stream->class->events[number].is_known)
		return fail(stream, "the metadata has no such event");
	stream->event = &stream->class->events[number];
	return CTF_EVENT;
}

static uint64_t get_number(const unsigned char *at, const struct ctf_field *field)
{
	switch (field->element_bytes) {
	case 1:
		return field->is_signed ? (uint64_t)(int64_t)(int8_t)*at : *at;
	case 2: {
		uint16_t half;

		memcpy(&half, at, sizeof(half));
		return field->is_signed ? (uint64_t)(int64_t)(int16_t)half : half;
	}
	case 4: {
		uint32_t word = packet_u32(at);

		return field->is_signed ? (uint64_t)(int64_t)(int32_t)word : word;
	}
	default:
		return packet_u64(at);
	}
}

/* Numbers of a float's odd sizes are skipped, not decoded. */
static uint64_t get_if_number(const unsigned char *at, const struct ctf_field *field)
{
	return field->element_bytes <= sizeof(uint64_t) ? get_number(at, field) : 0;
}

static void need_words(struct ctf_stream *stream, size_t count)
{
	if (count <= stream->words_capacity)
		return;
	stream->words = xreallocarray(stream->words, count, sizeof(*stream->words));
	stream->words_capacity = count;
}

static void copy_words(struct ctf_stream *stream, const struct ctf_field *field, size_t count)
{
	need_words(stream, count);
	if (field->element_bytes == sizeof(uint64_t) && count)
		memcpy(stream->words, stream->at, count * sizeof(uint64_t));
	else
		for (size_t i = 0; i < count; i++)
			stream->words[i] =
				get_if_number(stream->at + i * field->element_bytes, field);
}

static bool read_array(struct ctf_stream *stream, const struct ctf_field *field,
		       struct decoded *decoded)
{
	uint64_t count = field->type == CTF_ARRAY ? field->count : stream->last_value;

	if (count > UINT32_MAX || !has(stream, count * field->element_bytes))
		return false;
	if (decoded->what == DECODE_BATCH && field->slot < DECODE_FIELDS &&
	    field->element_bytes == sizeof(batch_word)) {
		decoded->batch = (struct batch_words){
			.list = (const batch_word *)stream->at,
			.count = count,
			.are_lasting = packets_are_lasting(stream->packets),
		};
	} else if (field->slot < DECODE_FIELDS) {
		copy_words(stream, field, count);
		decoded->words = stream->words;
		decoded->word_count = count;
	}
	stream->at += count * field->element_bytes;
	return true;
}

static bool read_string(struct ctf_stream *stream, const struct ctf_field *field,
			struct decoded *decoded)
{
	const unsigned char *end = memchr(stream->at, 0, (size_t)(stream->end - stream->at));

	if (!end)
		return false;
	if (field->slot < DECODE_FIELDS)
		decoded->texts[field->slot] = (const char *)stream->at;
	stream->at = end + 1;
	return true;
}

static bool read_number(struct ctf_stream *stream, const struct ctf_field *field,
			struct decoded *decoded)
{
	if (!has(stream, field->element_bytes))
		return false;
	stream->last_value = get_if_number(stream->at, field);
	if (field->slot < DECODE_FIELDS)
		decoded->numbers[field->slot] = stream->last_value;
	stream->at += field->element_bytes;
	return true;
}

static bool read_field(struct ctf_stream *stream, const struct ctf_field *field,
		       struct decoded *decoded)
{
	if (field->type == CTF_NUMBER)
		return read_number(stream, field, decoded);
	if (field->type == CTF_STRING)
		return read_string(stream, field, decoded);
	return read_array(stream, field, decoded);
}

static enum ctf_status read_fields(struct ctf_stream *stream, const struct ctf_fields *fields,
				   struct decoded *decoded)
{
	for (size_t i = 0; i < fields->count; i++)
		if (!read_field(stream, &fields->list[i], decoded))
			return fail(stream, fields->list[i].type == CTF_NUMBER
						    ? "a number lies behind its end"
					    : fields->list[i].type == CTF_STRING
						    ? "a string lies behind its end"
						    : "an array lies behind its end");
	return CTF_EVENT;
}

enum ctf_status ctf_stream_decode(struct ctf_stream *stream, struct decoded *decoded)
{
	static const struct decode_row foreign = { .what = DECODE_FOREIGN };
	const struct decode_row *row = stream->event->row;

	decode_clear(decoded, &foreign);
	if (read_fields(stream, &stream->class->context, decoded) != CTF_EVENT)
		return CTF_DAMAGED;
	uint32_t pid = (uint32_t)decoded->numbers[CTF_CONTEXT_PID];
	uint32_t tid = (uint32_t)decoded->numbers[CTF_CONTEXT_TID];
	decode_clear(decoded, row ? row : &foreign);
	decoded->pid = pid;
	decoded->tid = tid;
	decoded->time_ns = stream->time_ns;
	return read_fields(stream, &stream->event->payload, decoded);
}
