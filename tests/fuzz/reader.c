/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A trace out of arbitrary bytes, read by our own decoder and replayed:
 *
 *   | how | cut | ...      how: what is arbitrary, of the low bits
 *
 *   TRACE       u16 length, metadata, and the rest as a stream: seeds are cut out of real traces
 *   EVENTS      the rest chooses events and their fields; packets and metadata are whole
 *   FRAMES      the same, compressed, with one byte changed
 *   BYTES       the rest is a compressed stream, and a file of buffers of a killed process
 *
 * Whatever it is: nothing crashes, and the figures of the replay add up. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "tools/lib/ctf.h"
#include "tools/lib/images.h"
#include "tools/lib/live.h"
#include "tools/lib/packets.h"
#include "tools/lib/replay.h"
#include "tools/lib/streams.h"
#include "trace/schema/record.h"
#include "trace/schema/schema.h"

enum how { TRACE, EVENTS, FRAMES, BYTES, HOWS };

/* Of the byte that says how: the stream loses its last bytes; as many as the second says. */
enum { HOW_IS_CUT = 0x80 };
enum { PACKET_CONTENT = 2048, BUFFER_BYTES = 1 << 17, METADATA_HEAD_BYTES = 37 };
enum { TEXT_BYTES = 256, NAME_BYTES = 32 };

/* The events of the metadata that are not arbitrary. A field is the bytes of a number, `w` for a
 * sequence of words, `r` for one of records, `t` for a text; and its name. */
static const struct {
	const char *name, *fields;
} events[] = {
	{ "vadtrace_heap:batch", "4 tid 8 begin_ns r words" },
	{ "vadtrace_heap:settled", "8 until_ns" },
	{ "vadtrace_heap:create", "8 heap 4 flags 8 maximum_bytes 2 api 4 stack" },
	{ "vadtrace_heap:destroy", "8 heap 2 api 4 stack" },
	{ "vadtrace_heap:error",
	  "8 address 8 size_bytes 8 heap 4 misuse 2 api 4 stack 8 block 4 allocated_stack "
	  "4 freed_stack" },
	{ "vadtrace_vm:reserve",
	  "8 address 8 size_bytes 4 type 4 protect 8 extra 4 owner 2 api 4 stack" },
	{ "vadtrace_vm:commit",
	  "8 address 8 size_bytes 4 type 4 protect 8 extra 4 owner 2 api 4 stack" },
	{ "vadtrace_vm:release",
	  "8 address 8 size_bytes 4 type 4 protect 8 extra 4 owner 2 api 4 stack" },
	{ "vadtrace_vm:protect",
	  "8 address 8 size_bytes 4 type 4 protect 8 extra 4 owner 2 api 4 stack" },
	{ "vadtrace_vm:map",
	  "8 address 8 size_bytes 4 type 4 protect 8 extra 4 owner 2 api 4 stack" },
	{ "vadtrace_meta:process",
	  "t session 4 schema_version t mode 4 parent_pid t exe t command_line t comm 4 page_size "
	  "4 stack_depth 8 min_size 4 reason 8 fork_ns t wine 8 commit_limit" },
	{ "vadtrace_meta:fork", "8 fork_ns" },
	{ "vadtrace_meta:exit", "" },
	{ "vadtrace_meta:thread", "4 tid t name" },
	{ "vadtrace_meta:module", "8 module 8 base 8 start 8 end t path t build_id" },
	{ "vadtrace_meta:module_gone", "8 module" },
	{ "vadtrace_meta:stack", "4 stack w frames" },
	{ "vadtrace_meta:lost", "8 count" },
	{ "vadtrace_win:call", "2 api 8 result 4 error 4 stack w arguments" },
	{ "vadtrace_win:difference", "2 api t what 8 wine 8 core 4 stack w arguments" },
};

enum { EVENT_COUNT = sizeof events / sizeof events[0] };

static const char layout[] =
	"trace { major = 1; minor = 8; uuid = \"00000000-0000-0000-0000-000000000000\"; byte_order "
	"= le; packet.header := struct { "
	"uint32_t magic; uint8_t uuid[16]; uint32_t stream_id; uint64_t stream_instance_id; }; };\n"
	"env { domain = \"ust\"; };\n"
	"clock { name = \"monotonic\"; freq = 1000000000; offset = 0; };\n"
	"stream { id = 0; event.header := struct event_header_large; packet.context := struct "
	"packet_context; event.context := struct { "
	"integer { size = 32; align = 8; signed = 1; encoding = none; base = 10; } _vpid; "
	"integer { size = 32; align = 8; signed = 1; encoding = none; base = 10; } _vtid; }; };\n";

/* - the first `used` bytes count. */
struct buffer {
	size_t used;
	unsigned char bytes[BUFFER_BYTES];
};

/* What is left of the input. */
struct input {
	const uint8_t *at, *end;
};

static char folder[] = "/tmp/vadtrace-fuzz-XXXXXX";
static struct buffer metadata, stream, packet, frames;

static uint64_t take(struct input *input, size_t size_bytes)
{
	uint64_t value = 0;

	while (size_bytes-- && input->at < input->end)
		value = value << 8 | *input->at++;
	return value;
}

static void put(struct buffer *buffer, const void *bytes, size_t size_bytes)
{
	if (size_bytes > sizeof buffer->bytes - buffer->used)
		size_bytes = sizeof buffer->bytes - buffer->used;
	memcpy(buffer->bytes + buffer->used, bytes, size_bytes);
	buffer->used += size_bytes;
}

static void put_number(struct buffer *buffer, uint64_t value, size_t size_bytes)
{
	put(buffer, &value, size_bytes);
}

static void put_text(struct buffer *buffer, const char *text)
{
	put(buffer, text, strlen(text));
}

/* The texts one behind the other, up to NULL. */
static void put_texts(struct buffer *buffer, const char *const *texts)
{
	while (*texts)
		put_text(buffer, *texts++);
}

#define INTEGER(bits) \
	"integer { size = " bits "; align = 8; signed = 0; encoding = none; base = 10; } _"

static void describe_field(struct buffer *buffer, char sort, const char *name)
{
	const char *const numbers[] = {
		[1] = INTEGER("8"), [2] = INTEGER("16"), [4] = INTEGER("32"), [8] = INTEGER("64")
	};
	const char *const sequence[] = { INTEGER("32"), "_",    name, "_length; ",   INTEGER("64"),
					 name,          "[ __", name, "_length ]; ", NULL };
	const char *const text[] = { "string _", name, "; ", NULL };
	const char *const number[] = { numbers[sort % '0' % 9], name, "; ", NULL };

	put_texts(buffer, sort == 't' ? text : sort == 'w' || sort == 'r' ? sequence : number);
}

static void describe_event(struct buffer *buffer, int number)
{
	const char *at = events[number].fields;
	char text[TEXT_BYTES], sort, name[NAME_BYTES];
	int length;

	snprintf(text, sizeof text,
		 "event { name = \"%s\"; id = %d; stream_id = 0; loglevel = 13; "
		 "fields := struct { ",
		 events[number].name, number);
	put_text(buffer, text);
	for (; sscanf(at, " %c %31s%n", &sort, name, &length) == 2; at += length)
		describe_field(buffer, sort, name);
	put_text(buffer, "}; };\n");
}

/* The metadata that fits to what put_events makes: its packet's head, and the text. */
static void describe(void)
{
	uint32_t magic = 0x75d11d57u, bits;

	metadata.used = METADATA_HEAD_BYTES;
	memset(metadata.bytes, 0, METADATA_HEAD_BYTES);
	put_text(&metadata, layout);
	for (int i = 0; i < EVENT_COUNT; i++)
		describe_event(&metadata, i);
	bits = 8 * (uint32_t)metadata.used;
	memcpy(metadata.bytes, &magic, sizeof magic);
	memcpy(metadata.bytes + 24, &bits, sizeof bits);
	memcpy(metadata.bytes + 28, &bits, sizeof bits);
}

/* A record of a kind that is known, or any words. */
static void put_record(struct input *input)
{
	uint8_t how = (uint8_t)take(input, 1);
	uint64_t words[RECORD_WORDS];
	struct record record = {
		.address = 0x1000 + 16 * take(input, 1),
		.size_bytes = take(input, how & 8 ? 6 : 1),
		.stack = (uint32_t)take(input, 1) % 8,
		.delta_ns = (uint32_t)take(input, how & 16 ? 4 : 1),
		.api = (uint16_t)take(input, 1),
		.kind = how & 32 ? RECORD_KIND_HEAP : (uint8_t)(how % 8),
	};

	if (how & 64)
		record.address = take(input, 6);
	record_encode(&record, words);
	if (how & 128)
		words[take(input, 1) % RECORD_WORDS] = take(input, 8);
	put(&packet, words, sizeof words);
}

static void put_words(struct input *input, bool are_records)
{
	unsigned count = (unsigned)take(input, 1) % 32;

	put_number(&packet, are_records ? count * RECORD_WORDS : count, sizeof(uint32_t));
	for (unsigned i = 0; i < count; i++)
		if (are_records)
			put_record(input);
		else
			put_number(&packet, take(input, 8), sizeof(uint64_t));
}

static void put_name(struct input *input)
{
	char text[8] = { 0 };
	size_t length = (size_t)take(input, 1) % sizeof text;

	for (size_t i = 0; i < length; i++)
		text[i] = (char)take(input, 1);
	put(&packet, text, strlen(text) + 1);
}

/* Small numbers are met again: in identities, lengths and times. */
static uint64_t any_number(struct input *input, size_t size_bytes)
{
	uint8_t first = (uint8_t)take(input, 1);

	return first < 0xc0 ? first % 64 : take(input, size_bytes);
}

/* The header, the context, and the fields. */
static void put_event(struct input *input)
{
	int number = (int)(take(input, 1) % EVENT_COUNT);
	const char *at = events[number].fields;
	char sort, name[NAME_BYTES];
	int length;

	put_number(&packet, (uint64_t)number, sizeof(uint16_t));
	put_number(&packet, any_number(input, 4), sizeof(uint32_t));
	put_number(&packet, 1 + take(input, 1) % 3, sizeof(uint32_t));
	put_number(&packet, 1 + take(input, 1) % 3, sizeof(uint32_t));
	for (; sscanf(at, " %c %31s%n", &sort, name, &length) == 2; at += length)
		if (sort == 't')
			put_name(input);
		else if (sort == 'w' || sort == 'r')
			put_words(input, sort == 'r');
		else
			put_number(&packet, any_number(input, (size_t)(sort - '0')),
				   (size_t)(sort - '0'));
}

/* The packet's head, before its content is known; then what depends on it. */
static void begin_packet(unsigned number)
{
	packet.used = 0;
	put_number(&packet, PACKET_MAGIC, sizeof(uint32_t));
	memset(packet.bytes + packet.used, 0, PACKET_HEAD_BYTES);
	packet.used = PACKET_HEAD_BYTES;
	memcpy(packet.bytes + PACKET_NUMBER_AT, &number, sizeof number);
}

static void end_packet(bool is_compressed)
{
	uint64_t bits = 8 * (uint64_t)packet.used;

	memcpy(packet.bytes + PACKET_CONTENT_BITS_AT, &bits, sizeof bits);
	memcpy(packet.bytes + PACKET_BITS_AT, &bits, sizeof bits);
	if (!is_compressed) {
		put(&stream, packet.bytes, packet.used);
		return;
	}
	frames.used =
		ZSTD_compress(frames.bytes, sizeof frames.bytes, packet.bytes, packet.used, 1);
	if (!ZSTD_isError(frames.used))
		put(&stream, frames.bytes, frames.used);
}

static void put_events(struct input *input, bool is_compressed)
{
	for (unsigned number = 0; input->at < input->end; number++) {
		begin_packet(number);
		while (input->at < input->end && packet.used < PACKET_CONTENT)
			put_event(input);
		end_packet(is_compressed);
	}
}

static void write_file(const char *name, const void *bytes, size_t size_bytes)
{
	char path[TEXT_BYTES];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	unlink(path);
	FILE *file = size_bytes ? fopen(path, "w") : NULL;
	if (!file)
		return;
	if (fwrite(bytes, 1, size_bytes, file) != size_bytes)
		abort();
	fclose(file);
}

static void check_replay(struct replay *replay)
{
	replay_finish(replay);
	for (size_t i = 0; i < replay->process_count; i++)
		if (!replay_check(replay->processes[i]))
			abort();
	replay_free(replay);
}

/* As reader.c does, without its words. Our own metadata must be known to the decoder. */
static void read_streams(const struct streams *streams, struct live *live, bool is_own)
{
	static const struct replay_filter everything;
	struct reader_input input = { .folder = folder, .records = replay_apply_records };
	struct reader_summary summary = { 0 };
	struct replay replay;
	char *why;

	replay_init(&replay, &everything);
	struct images *images = images_create(&input, replay_apply, &replay, live, &summary);
	struct ctf *ctf = ctf_open(streams, &why);
	if (ctf)
		ctf_read(ctf, images, &summary);
	else if (is_own)
		abort();
	free(why);
	images_finish(images);
	images_destroy(images);
	if (ctf)
		ctf_close(ctf);
	reader_summary_free(&summary);
	check_replay(&replay);
}

static void read_folder(bool is_own)
{
	struct streams streams;
	struct live live;

	if (streams_open(&streams, folder, NULL, /* plain */ false))
		return;
	live_read(&live, folder);
	read_streams(&streams, &live, is_own);
	live_free(&live);
	streams_close(&streams);
}

static void remove_folder(void)
{
	static const char *const names[] = { "metadata", "vadtrace_0", "vadtrace_0" PACKETS_SUFFIX,
					     VADTRACE_LIVE_FOLDER "/1.1", VADTRACE_LIVE_FOLDER };
	char path[TEXT_BYTES];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		remove(path);
	}
	rmdir(folder);
}

static void need_folder(void)
{
	static bool is_there;
	char path[TEXT_BYTES];

	if (is_there)
		return;
	if (!mkdtemp(folder))
		abort();
	is_there = true;
	atexit(remove_folder);
	snprintf(path, sizeof path, "%s/" VADTRACE_LIVE_FOLDER, folder);
	mkdir(path, 0700);
}

/* Fills the buffers of metadata and stream. */
static void make_trace(enum how how, struct input *input)
{
	size_t change, length;

	describe();
	stream.used = 0;
	switch (how) {
	case TRACE:
		length = (size_t)take(input, 2);
		if (length > (size_t)(input->end - input->at))
			length = (size_t)(input->end - input->at);
		metadata.used = 0;
		put(&metadata, input->at, length);
		input->at += length;
		put(&stream, input->at, (size_t)(input->end - input->at));
		break;
	case FRAMES:
		change = (size_t)take(input, 2);
		put_events(input, /* compressed */ true);
		if (stream.used)
			stream.bytes[change % stream.used] ^= (unsigned char)(change >> 12);
		break;
	case EVENTS:
		put_events(input, /* compressed */ false);
		break;
	default:
		put(&stream, input->at, (size_t)(input->end - input->at));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
	struct input input = { bytes, bytes + size_bytes };
	uint8_t first = (uint8_t)take(&input, 1);
	enum how how = (enum how)(first % HOWS);
	size_t cut = (size_t)take(&input, 1);
	bool is_compressed = how == FRAMES || how == BYTES;

	need_folder();
	make_trace(how, &input);
	if (first & HOW_IS_CUT)
		stream.used -= cut < stream.used ? cut : stream.used;
	write_file("metadata", metadata.bytes, metadata.used);
	write_file("vadtrace_0", stream.bytes, is_compressed ? 0 : stream.used);
	write_file("vadtrace_0" PACKETS_SUFFIX, stream.bytes, is_compressed ? stream.used : 0);
	write_file(VADTRACE_LIVE_FOLDER "/1.1", stream.bytes, how == BYTES ? stream.used : 0);
	read_folder(how == EVENTS);
	return 0;
}
