/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* LTTng's metadata is text in packets (magic, uuid, ..., content bits, packet bits, text). The text
 * is brought into one form, without comments and with single spaces, and cut into statements:
 *
 *   trace { ... }; clock { ... }; stream { id = 0; ... }; event { name = "a:b"; ... }; ...
 *
 * The statements that fix the layout are compared with what LTTng-UST 2.13 writes, word for word;
 * those of streams and events are parsed. */

#include "tools/lib/ctf_metadata.h"
#include "tools/lib/xalloc.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define METADATA_MAGIC 0x75d11d57u

enum { FILE_BYTES_MAX = 1 << 26, CLASSES_MAX = 1 << 10, EVENTS_MAX = 1 << 16 };
enum { UUID_AT = 4, CONTENT_BITS_AT = 24, PACKET_BITS_AT = 28, HEAD_BYTES = 37 };

/* Patterns of fnmatch(3). */
static const char *const known[] = {
	"typealias integer { size = 8; align = 8; signed = false; } := uint8_t",
	"typealias integer { size = 16; align = 8; signed = false; } := uint16_t",
	"typealias integer { size = 32; align = 8; signed = false; } := uint32_t",
	"typealias integer { size = 64; align = 8; signed = false; } := uint64_t",
	"typealias integer { size = 64; align = 8; signed = false; } := unsigned long",
	"typealias integer { size = 5; align = 1; signed = false; } := uint5_t",
	"typealias integer { size = 27; align = 1; signed = false; } := uint27_t",
	"typealias integer { size = 27; align = 1; signed = false; map = clock.monotonic.value; } "
	":= uint27_clock_monotonic_t",
	"typealias integer { size = 32; align = 8; signed = false; map = clock.monotonic.value; } "
	":= uint32_clock_monotonic_t",
	"typealias integer { size = 64; align = 8; signed = false; map = clock.monotonic.value; } "
	":= uint64_clock_monotonic_t",
	"trace { major = 1; minor = 8; uuid = \"*\"; byte_order = le; packet.header := struct { "
	"uint32_t magic; uint8_t uuid[[]16]; uint32_t stream_id; uint64_t stream_instance_id; }; }",
	"env { domain = \"ust\"; *}",
	"clock { name = \"monotonic\"; *freq = 1000000000; *}",
	"struct packet_context { uint64_clock_monotonic_t timestamp_begin; "
	"uint64_clock_monotonic_t timestamp_end; uint64_t content_size; uint64_t packet_size; "
	"uint64_t packet_seq_num; unsigned long events_discarded; uint32_t cpu_id; }",
	"struct event_header_compact { enum : uint5_t { compact = 0 ... 30, extended = 31 } id; "
	"variant <id> { struct { uint27_clock_monotonic_t timestamp; } compact; struct { uint32_t "
	"id; uint64_clock_monotonic_t timestamp; } extended; } v; } align(8)",
	"struct event_header_large { enum : uint16_t { compact = 0 ... 65534, extended = 65535 } "
	"id; variant <id> { struct { uint32_clock_monotonic_t timestamp; } compact; struct { "
	"uint32_t id; uint64_clock_monotonic_t timestamp; } extended; } v; } align(8)",
};

enum { KNOWN_COUNT = sizeof(known) / sizeof(known[0]) };

static bool is_known_statement(const char *statement)
{
	for (int i = 0; i < KNOWN_COUNT; i++)
		if (!fnmatch(known[i], statement, 0))
			return true;
	return false;
}

/* If the text goes on with these words, steps behind them. */
static bool take(const char **text, const char *words)
{
	size_t length = strlen(words);

	if (strncmp(*text, words, length))
		return false;
	*text += length;
	return true;
}

static bool take_number(const char **text, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	*number = strtoull(*text, &end, 10);
	*text = end;
	return true;
}

/* "words NUMBER;" with the space behind it. */
static bool take_setting(const char **text, const char *words, uint64_t *number)
{
	return take(text, words) && take_number(text, number) && take(text, "; ");
}

enum { NAME_BYTES = 256 };

/* Up to the first of `ends`; false when it is too long or empty. */
static bool take_name(const char **text, const char *ends, char name[NAME_BYTES])
{
	size_t length = strcspn(*text, ends);

	if (!length || length >= NAME_BYTES)
		return false;
	memcpy(name, *text, length);
	name[length] = '\0';
	*text += length;
	return true;
}

static bool take_integer(const char **text, struct ctf_field *field)
{
	static const char *const encodings[] = { "encoding = none; ", "encoding = UTF8; ",
						 "encoding = ASCII; " };
	uint64_t size, is_signed, base;

	if (!take(text, "integer { ") || !take_setting(text, "size = ", &size) ||
	    !take(text, "align = 8; ") || !take_setting(text, "signed = ", &is_signed))
		return false;
	if (!take(text, encodings[0]) && !take(text, encodings[1]) && !take(text, encodings[2]))
		return false;
	if (!take_setting(text, "base = ", &base) || !take(text, "} "))
		return false;
	if (size != 8 && size != 16 && size != 32 && size != 64)
		return false;
	field->element_bytes = (uint8_t)(size / 8);
	field->is_signed = is_signed != 0;
	return true;
}

/* Never decoded: none of our events has such a field. */
static bool take_float(const char **text, struct ctf_field *field)
{
	uint64_t exponent, mantissa;

	if (!take(text, "floating_point { ") || !take_setting(text, "exp_dig = ", &exponent) ||
	    !take_setting(text, "mant_dig = ", &mantissa) || !take(text, "align = 8; } "))
		return false;
	if ((exponent + mantissa) % 8 || exponent + mantissa > 128)
		return false;
	field->element_bytes = (uint8_t)((exponent + mantissa) / 8);
	return true;
}

static bool take_string(const char **text, struct ctf_field *field)
{
	if (!take(text, "string { encoding = none; } ") && !take(text, "string "))
		return false;
	field->type = CTF_STRING;
	return true;
}

/* What stands behind the name: nothing, "[3]", or "[ NAME ]" of the number just before. */
static bool take_length(const char **text, struct ctf_field *field, const char *previous)
{
	char name[NAME_BYTES];
	uint64_t count;

	if (!take(text, "["))
		return true;
	if (take_number(text, &count)) {
		field->type = CTF_ARRAY;
		field->count = (uint32_t)count;
		return count <= UINT16_MAX && take(text, "]");
	}
	field->type = CTF_SEQUENCE;
	return take(text, " ") && take_name(text, " ]", name) && take(text, " ]") &&
	       !strcmp(name, previous);
}

/* Finds the slot of a field by its name, or DECODE_FIELDS. */
typedef unsigned (*find_slot)(const struct decode_row *row, const char *name);

/* LTTng puts a '_' before each name. */
static bool take_field(const char **text, const struct decode_row *row, find_slot find,
		       char previous[NAME_BYTES], struct ctf_field *field)
{
	char name[NAME_BYTES];

	memset(field, 0, sizeof(*field));
	if (!take_integer(text, field) && !take_float(text, field) && !take_string(text, field))
		return false;
	if (!take_name(text, "[; ", name) || name[0] != '_' || !take_length(text, field, previous))
		return false;
	field->slot = (uint8_t)find(row, name + 1);
	strcpy(previous, name);
	return take(text, "; ");
}

/* The fields up to the closing brace. */
static bool take_fields(const char **text, const struct decode_row *row, find_slot find,
			struct ctf_fields *fields)
{
	char previous[NAME_BYTES] = "";

	while (!take(text, "}; ")) {
		struct ctf_field field;

		if (!take_field(text, row, find, previous, &field))
			return false;
		fields->list = xgrow(fields->list, fields->count, &fields->capacity,
				     sizeof(*fields->list));
		fields->list[fields->count++] = field;
	}
	return true;
}

static unsigned find_context_slot(const struct decode_row *row, const char *name)
{
	(void)row;
	if (!strcmp(name, "vpid"))
		return CTF_CONTEXT_PID;
	return !strcmp(name, "vtid") ? CTF_CONTEXT_TID : DECODE_FIELDS;
}

static unsigned find_payload_slot(const struct decode_row *row, const char *name)
{
	return row ? decode_find_field(row, name) : DECODE_FIELDS;
}

/* The class of this number, which may be new; NULL: it is absurd. */
static struct ctf_stream_class *need_class(struct ctf_metadata *metadata, uint64_t number)
{
	if (number >= CLASSES_MAX)
		return NULL;
	if (number >= metadata->class_count) {
		metadata->classes =
			xreallocarray(metadata->classes, number + 1, sizeof(*metadata->classes));
		memset(metadata->classes + metadata->class_count, 0,
		       (number + 1 - metadata->class_count) * sizeof(*metadata->classes));
		metadata->class_count = number + 1;
	}
	return &metadata->classes[number];
}

static struct ctf_event_class *need_event(struct ctf_stream_class *class, uint64_t number)
{
	if (number >= EVENTS_MAX)
		return NULL;
	if (number >= class->event_count) {
		class->events = xreallocarray(class->events, number + 1, sizeof(*class->events));
		memset(class->events + class->event_count, 0,
		       (number + 1 - class->event_count) * sizeof(*class->events));
		class->event_count = number + 1;
	}
	return &class->events[number];
}

static bool parse_stream(struct ctf_metadata *metadata, const char *text)
{
	struct ctf_stream_class *class;
	uint64_t number;

	if (!take(&text, "stream { ") || !take_setting(&text, "id = ", &number))
		return false;
	class = need_class(metadata, number);
	if (!class || class->is_known)
		return false;
	class->is_known = true;
	if (take(&text, "event.header := struct event_header_large; "))
		class->has_large_header = true;
	else if (!take(&text, "event.header := struct event_header_compact; "))
		return false;
	if (!take(&text, "packet.context := struct packet_context; "))
		return false;
	if (take(&text, "event.context := struct { ") &&
	    !take_fields(&text, NULL, find_context_slot, &class->context))
		return false;
	return !strcmp(text, "}");
}

static bool parse_event(struct ctf_metadata *metadata, const char *text)
{
	char name[NAME_BYTES], uri[NAME_BYTES];
	uint64_t number, class_number, level;
	struct ctf_stream_class *class;
	struct ctf_event_class *event;

	if (!take(&text, "event { name = \"") || !take_name(&text, "\"", name) ||
	    !take(&text, "\"; ") || !take_setting(&text, "id = ", &number) ||
	    !take_setting(&text, "stream_id = ", &class_number))
		return false;
	class = need_class(metadata, class_number);
	event = class ? need_event(class, number) : NULL;
	if (!event || event->is_known)
		return false;
	event->is_known = true;
	event->row = decode_find_row(name);
	take_setting(&text, "loglevel = ", &level);
	if (take(&text, "model.emf.uri = \"") &&
	    (!take_name(&text, "\"", uri) || !take(&text, "\"; ")))
		return false;
	if (!take(&text, "fields := struct { "))
		return false;
	return take_fields(&text, event->row, find_payload_slot, &event->payload) &&
	       !strcmp(text, "}");
}

static bool parse_uuid(const char *text, unsigned char uuid[16])
{
	const char *at = strstr(text, "uuid = \"");

	at = at ? at + strlen("uuid = \"") : "";
	for (int i = 0; i < 16; i++) {
		unsigned byte;

		at += *at == '-';
		if (sscanf(at, "%2x", &byte) != 1)
			return false;
		uuid[i] = (unsigned char)byte;
		at += 2;
	}
	return *at == '"';
}

static bool parse_statement(struct ctf_metadata *metadata, const char *statement)
{
	if (!strncmp(statement, "event ", 6))
		return parse_event(metadata, statement);
	if (!strncmp(statement, "stream ", 7))
		return parse_stream(metadata, statement);
	if (!strncmp(statement, "trace ", 6) && !parse_uuid(statement, metadata->uuid))
		return false;
	return is_known_statement(statement);
}

/* Behind the literal or the comment that begins at `at`; `at` itself: neither does. */
static const char *skip_comment(const char *at)
{
	const char *end;

	if (strncmp(at, "/*", 2))
		return at;
	end = strstr(at + 2, "*/");
	return end ? end + 2 : at + strlen(at);
}

static const char *skip_literal(const char *at)
{
	if (*at != '"')
		return at;
	for (at++; *at && *at != '"'; at++)
		at += *at == '\\' && at[1];
	return *at ? at + 1 : at;
}

/* In place: no comments, each white space one ' ', none at the ends. */
static void normalise(char *text)
{
	const char *at = text;
	char *to = text;

	while (*at) {
		const char *next = skip_comment(at);
		const char *end = skip_literal(at);

		if (next != at || isspace((unsigned char)*at)) {
			if (to > text && to[-1] != ' ')
				*to++ = ' ';
			at = next != at ? next : at + 1;
			continue;
		}
		end = end == at ? at + 1 : end;
		memmove(to, at, (size_t)(end - at));
		to += end - at;
		at = end;
	}
	*to = '\0';
}

/* The end of the statement: its ';' outside of braces, or the end of the text. */
static char *find_end(char *text)
{
	int depth = 0;

	while (*text && (depth || *text != ';')) {
		const char *behind = skip_literal(text);

		depth += *text == '{';
		depth -= *text == '}';
		text += behind == text ? 1 : behind - text;
	}
	return text;
}

static char *refuse(const char *statement)
{
	return xasprintf("the metadata has what LTTng-UST 2.13 does not write: '%.60s'", statement);
}

static char *parse(struct ctf_metadata *metadata, char *text)
{
	normalise(text);
	while (*text) {
		char *end = find_end(text);
		bool is_last = !*end;

		*end = '\0';
		if (*text && !parse_statement(metadata, text))
			return refuse(text);
		text = is_last ? end : end + 1;
		text += *text == ' ';
	}
	return metadata->class_count ? NULL : xstrdup("the metadata has no stream");
}

static uint32_t get_u32(const unsigned char *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

/* The text of all packets, as a string; NULL when a packet is not sane. */
static char *unpack(const unsigned char *bytes, size_t size_bytes)
{
	char *text = xmalloc(size_bytes + 1);
	size_t used = 0;

	for (size_t at = 0; at < size_bytes;) {
		size_t left = size_bytes - at, content, packet;

		content = left < HEAD_BYTES ? 0 : get_u32(bytes + at + CONTENT_BITS_AT) / 8;
		packet = left < HEAD_BYTES ? 0 : get_u32(bytes + at + PACKET_BITS_AT) / 8;
		if (content < HEAD_BYTES || content > packet || packet > left ||
		    get_u32(bytes + at) != METADATA_MAGIC) {
			free(text);
			return NULL;
		}
		memcpy(text + used, bytes + at + HEAD_BYTES, content - HEAD_BYTES);
		used += content - HEAD_BYTES;
		at += packet;
	}
	text[used] = '\0';
	return text;
}

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat status;
	char *text = NULL;

	if (!file)
		return NULL;
	if (!fstat(fileno(file), &status) && status.st_size < FILE_BYTES_MAX) {
		unsigned char *bytes = xmalloc((size_t)status.st_size + 1);

		text = unpack(bytes, fread(bytes, 1, (size_t)status.st_size, file));
		free(bytes);
	}
	fclose(file);
	return text;
}

char *ctf_metadata_read(struct ctf_metadata *metadata, const char *path)
{
	char *text = read_text(path);
	char *why;

	memset(metadata, 0, sizeof(*metadata));
	if (!text)
		return xstrdup("the metadata is not in LTTng's packets");
	why = parse(metadata, text);
	free(text);
	return why;
}

void ctf_metadata_free(struct ctf_metadata *metadata)
{
	for (size_t i = 0; i < metadata->class_count; i++) {
		struct ctf_stream_class *class = &metadata->classes[i];

		for (size_t event = 0; event < class->event_count; event++)
			free(class->events[event].payload.list);
		free(class->events);
		free(class->context.list);
	}
	free(metadata->classes);
	memset(metadata, 0, sizeof(*metadata));
}
