/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Facts as rows: one event each, its fields as a word for each, "size:base name". */

#include "tools/export/ctf_text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* x64 _ptr: an unsigned number of 64 bits that is shown in base 16; d: base 10; i: signed; s: text.
 */
#define VAD_FIELDS                                                                        \
	"x64 address,d64 size_bytes,x32 type,x32 protect,x64 extra,d8 owner,d16 api,d32 " \
	"stack"

static const struct {
	const char *name;
	const char *fields;
} events[] = {
	[CTF_MALLOC] = { "lttng_ust_libc:malloc", "d64 size,x64 ptr" },
	[CTF_CALLOC] = { "lttng_ust_libc:calloc", "d64 nmemb,d64 size,x64 ptr" },
	[CTF_REALLOC] = { "lttng_ust_libc:realloc", "x64 in_ptr,d64 size,x64 ptr" },
	[CTF_FREE] = { "lttng_ust_libc:free", "x64 ptr" },
	[CTF_MEMALIGN] = { "lttng_ust_libc:memalign", "d64 alignment,d64 size,x64 ptr" },
	[CTF_POSIX_MEMALIGN] = { "lttng_ust_libc:posix_memalign",
				 "x64 out_ptr,d64 alignment,d64 size,i32 result" },
	[CTF_HEAP_CREATE] = { "vadtrace_heap:create",
			      "x64 heap,x32 flags,d64 maximum_bytes,d16 api,d32 stack" },
	[CTF_HEAP_DESTROY] = { "vadtrace_heap:destroy", "x64 heap,d16 api,d32 stack" },
	[CTF_VAD] = { "vadtrace_vm:reserve", VAD_FIELDS },
	{ "vadtrace_vm:commit", VAD_FIELDS },
	{ "vadtrace_vm:decommit", VAD_FIELDS },
	{ "vadtrace_vm:protect", VAD_FIELDS },
	{ "vadtrace_vm:release", VAD_FIELDS },
	{ "vadtrace_vm:reset", VAD_FIELDS },
	{ "vadtrace_vm:map", VAD_FIELDS },
	{ "vadtrace_vm:unmap", VAD_FIELDS },
	{ "vadtrace_vm:offer", VAD_FIELDS },
	{ "vadtrace_vm:reclaim", VAD_FIELDS },
	[CTF_BIN_INFO] = { "lttng_ust_statedump:bin_info",
			   "x64 baddr,d64 memsz,s path,d8 is_pic,d8 has_build_id,"
			   "d8 has_debug_link" },
};

enum { EVENT_COUNT = sizeof(events) / sizeof(events[0]) };

static const char head[] =
	"/* CTF 1.8 */\n\n"
	"typealias integer { size = 8; align = 8; signed = false; } := uint8_t;\n"
	"typealias integer { size = 16; align = 8; signed = false; } := uint16_t;\n"
	"typealias integer { size = 32; align = 8; signed = false; } := uint32_t;\n"
	"typealias integer { size = 64; align = 8; signed = false; } := uint64_t;\n\n";

static const char layout[] =
	"typealias integer {\n\tsize = 32; align = 8; signed = false;\n"
	"\tmap = clock.monotonic.value;\n} := uint32_clock_monotonic_t;\n\n"
	"typealias integer {\n\tsize = 64; align = 8; signed = false;\n"
	"\tmap = clock.monotonic.value;\n} := uint64_clock_monotonic_t;\n\n"
	"struct packet_context {\n\tuint64_clock_monotonic_t timestamp_begin;\n"
	"\tuint64_clock_monotonic_t timestamp_end;\n\tuint64_t content_size;\n"
	"\tuint64_t packet_size;\n\tuint64_t packet_seq_num;\n"
	"\tuint64_t events_discarded;\n\tuint32_t cpu_id;\n};\n\n"
	"struct event_header_large {\n"
	"\tenum : uint16_t { compact = 0 ... 65534, extended = 65535 } id;\n"
	"\tvariant <id> {\n\t\tstruct {\n\t\t\tuint32_clock_monotonic_t timestamp;\n"
	"\t\t} compact;\n\t\tstruct {\n\t\t\tuint32_t id;\n"
	"\t\t\tuint64_clock_monotonic_t timestamp;\n\t\t} extended;\n\t} v;\n} align(8);\n\n"
	"stream {\n\tid = 0;\n\tevent.header := struct event_header_large;\n"
	"\tpacket.context := struct packet_context;\n\tevent.context := struct {\n"
	"\t\tinteger { size = 32; align = 8; signed = 1; base = 10; } _vpid;\n"
	"\t\tinteger { size = 32; align = 8; signed = 1; base = 10; } _vtid;\n"
	"\t\tinteger { size = 8; align = 8; signed = 1; encoding = UTF8; base = 10; } "
	"_procname[17];\n"
	"\t\tinteger { size = 64; align = 8; signed = 0; encoding = none; base = 10; } "
	"_ip;\n\t};\n};\n\n";

static void write_trace(FILE *file, const struct ctf_origin *origin)
{
	const unsigned char *uuid = origin->uuid;

	fputs("trace {\n\tmajor = 1;\n\tminor = 8;\n\tuuid = \"", file);
	for (int i = 0; i < 16; i++)
		fprintf(file, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", uuid[i]);
	fputs("\";\n\tbyte_order = le;\n\tpacket.header := struct {\n\t\tuint32_t magic;\n"
	      "\t\tuint8_t  uuid[16];\n\t\tuint32_t stream_id;\n"
	      "\t\tuint64_t stream_instance_id;\n\t};\n};\n\n",
	      file);
}

/* The characters that would end the literal are left out. */
static void write_literal(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text; text++)
		if (*text != '"' && *text != '\\' && (unsigned char)*text >= ' ')
			fputc(*text, file);
	fputc('"', file);
}

/* What Trace Compass recognises a trace of LTTng-UST by. */
static void write_environment(FILE *file, const struct ctf_origin *origin)
{
	fputs("env {\n\tdomain = \"ust\";\n\ttracer_name = \"lttng-ust\";\n"
	      "\ttracer_major = 2;\n\ttracer_minor = 13;\n\tarchitecture_bit_width = 64;\n"
	      "\thostname = ",
	      file);
	write_literal(file, origin->hostname);
	fprintf(file,
		";\n};\n\nclock {\n\tname = \"monotonic\";\n"
		"\tdescription = \"Monotonic Clock\";\n\tfreq = 1000000000;\n"
		"\toffset = %" PRIu64 ";\n};\n\n",
		origin->offset_ns);
}

/* "x64 name" up to a comma; answers what is behind it. */
static const char *write_field(FILE *file, const char *field)
{
	size_t length = strcspn(field, ",");
	const char *name = strchr(field, ' ') + 1;
	int name_length = (int)(field + length - name);
	unsigned bits = 0;

	sscanf(field + 1, "%u", &bits);
	if (*field == 's')
		fprintf(file, "\t\tstring _%.*s;\n", name_length, name);
	else
		fprintf(file,
			"\t\tinteger { size = %u; align = 8; signed = %d; encoding = none; "
			"base = %d; } _%.*s;\n",
			bits, *field == 'i', *field == 'x' ? 16 : 10, name_length, name);
	return field[length] ? field + length + 1 : field + length;
}

static void write_events(FILE *file)
{
	for (int i = 0; i < EVENT_COUNT; i++) {
		const char *field = events[i].fields;

		fprintf(file,
			"event {\n\tname = \"%s\";\n\tid = %d;\n\tstream_id = 0;\n"
			"\tloglevel = 13;\n\tfields := struct {\n",
			events[i].name, i);
		while (*field)
			field = write_field(file, field);
		fputs("\t};\n};\n\n", file);
	}
}

int ctf_text_write(const char *path, const struct ctf_origin *origin)
{
	FILE *file = fopen(path, "wxe");
	int error = 0;

	if (!file)
		return -errno;
	fputs(head, file);
	write_trace(file, origin);
	write_environment(file, origin);
	fputs(layout, file);
	write_events(file);
	errno = ENOSPC;
	if (ferror(file))
		error = -errno;
	if (fclose(file) && !error)
		error = -errno;
	return error;
}
