/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What is read from where: finds the streams, chooses the decoder, and says what went wrong. With
 * two threads, one decodes and merges, and the calling one is told what the relay brings it. */

#include "tools/lib/reader.h"
#include "tools/lib/cli.h"
#include "tools/lib/ctf.h"
#include "tools/lib/graph.h"
#include "tools/lib/images.h"
#include "tools/lib/interrupt.h"
#include "tools/lib/numbers.h"
#include "tools/lib/relay.h"
#include "tools/lib/streams.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	struct streams streams;
	struct live live;
	struct images *images;
	struct ctf *ctf; /* what images wait for may lie in it */
	struct reader_summary *summary;
};

/* Without its metadata, which LTTng writes last, nobody can tell what the streams hold. */
static void explain_nothing(const struct reader *reader, const struct reader_input *input)
{
	if (reader->streams.closed_folders) {
		cli_error("%s: you may not read this trace", input->folder);
		cli_hint("read it as the user who recorded it, or have it given to you (chown -R)");
	} else if (input->cause) {
		cli_error("%s: %s, so the description of its events (LTTng's metadata) is missing",
			  input->folder, input->cause);
		cli_hint("%s", input->advice);
	} else if (reader->streams.lost_folders) {
		cli_error("%s: the trace's metadata is missing, empty or damaged", input->folder);
		cli_hint("if this is a copy, copy the folder again; else try --metadata");
	} else {
		cli_error("%s: no trace in this folder", input->folder);
		cli_hint("vadtrace record -o FOLDER -- COMMAND makes one");
	}
}

/* `is_plain`: for libbabeltrace2, which cannot read compressed streams. */
static bool find_streams(struct reader *reader, const struct reader_input *input, bool is_plain)
{
	const char *folder = input->folder;
	int error = streams_open(&reader->streams, folder, input->lender, is_plain);

	if (error == -EINTR)
		return false;
	if (error == -ENODATA) {
		cli_error("%s: no whole trace that could lend its metadata", input->lender);
		return false;
	}
	if (error) {
		cli_error("%s: the trace cannot be repaired or decompressed in a temporary copy: "
			  "%s",
			  folder, strerror(-error));
		cli_hint("set TMPDIR to a folder with more room");
		return false;
	}
	return true;
}

static enum reader_status open_streams(struct reader *reader, const struct reader_input *input)
{
	if (!find_streams(reader, input, input->decoder == READER_BABELTRACE))
		return READER_NO_TRACE;
	reader->summary->size_bytes = reader->streams.size_bytes;
	reader->summary->cut_bytes = reader->streams.cut_bytes;
	reader->summary->cut_streams = reader->streams.cut_streams;
	reader->summary->lost_folders = reader->streams.lost_folders;
	reader->summary->lent_folders = reader->streams.lent_folders;
	live_read(&reader->live, input->folder);
	reader->summary->damaged_slots = reader->live.damaged_count;
	if (reader->streams.count || reader->live.count)
		return READER_OK;
	explain_nothing(reader, input);
	return READER_NO_TRACE;
}

static bool is_damaged(const struct reader_summary *summary)
{
	return summary->damage || summary->cut_streams || summary->lost_folders ||
	       summary->lent_folders || summary->damaged_slots;
}

/* What was read holds nothing of ours. */
static void explain_no_events(const struct reader_summary *summary,
			      const struct reader_input *input)
{
	if (summary->damage)
		cli_error("%s: the trace cannot be read: %s", input->folder, summary->damage);
	else
		cli_error("%s: the trace holds no event of vadtrace%s", input->folder,
			  summary->foreign_events || summary->repeated_events ? ", only others"
									      : "");
	if (input->cause)
		cli_hint("%s; %s", input->cause, input->advice);
}

/* What our own decoder refused is opened again for libbabeltrace2. */
static bool make_plain(struct reader *reader, const struct reader_input *input)
{
	const struct streams *streams = &reader->streams;

	if (streams->is_plain || (!streams->compressed_streams && !streams->cut_streams))
		return true;
	streams_close(&reader->streams);
	return find_streams(reader, input, /* plain */ true);
}

/* False, after a message: the wanted decoder cannot read these. */
static bool read_streams(struct reader *reader, const struct reader_input *input)
{
	char *why = NULL;
	struct ctf *ctf =
		input->decoder == READER_BABELTRACE ? NULL : ctf_open(&reader->streams, &why);
	bool is_read = true;

	if (ctf) {
		reader->ctf = ctf;
		ctf_read(ctf, reader->images, reader->summary);
	} else if (input->decoder == READER_OWN) {
		cli_error("%s: not for vadtrace's own reader: %s", input->folder, why);
		is_read = false;
	} else if (!make_plain(reader, input)) {
		is_read = false;
	} else {
		is_read = graph_read(&reader->streams, reader->images, reader->summary);
	}
	free(why);
	return is_read;
}

static enum reader_status read_all(struct reader *reader, const struct reader_input *input)
{
	struct reader_summary *summary = reader->summary;

	if (!read_streams(reader, input))
		return READER_NO_TRACE;
	images_finish(reader->images);
	cli_progress_end();
	/* A window's gaps lie before its beginning. */
	if (input->begin_ns)
		summary->discarded_packets = 0;
	if (summary->lttng_events || summary->live_records)
		return is_damaged(summary) ? READER_DAMAGED : READER_OK;
	explain_no_events(summary, input);
	return READER_NO_TRACE;
}

/* Reads and tells in one thread. */
static enum reader_status read_here(struct reader *reader, const struct reader_input *input,
				    reader_deliver deliver, void *context)
{
	enum reader_status status;

	reader->images = images_create(input, deliver, context, &reader->live, reader->summary);
	status = read_all(reader, input);
	images_destroy(reader->images);
	if (reader->ctf)
		ctf_close(reader->ctf);
	return status;
}

/* What the thread that reads is given, and answers. It numbers the blocks, too: then it does about
 * half of the work. */
struct reading {
	struct reader *reader;
	struct reader_input input;
	struct relay *relay;
	struct numbers *numbers;
	enum reader_status status;
};

static void put_event(void *context, const struct trace_event *event)
{
	struct reading *reading = context;

	numbers_note_event(reading->numbers, event);
	relay_put_event(reading->relay, event);
}

static void put_records(void *context, uint32_t process, const struct trace_record *records,
			size_t count)
{
	struct reading *reading = context;

	if (count)
		numbers_give(reading->numbers, process, records, count,
			     relay_room(reading->relay, process, count));
}

static void *read_ahead(void *argument)
{
	struct reading *reading = argument;

	reading->numbers = numbers_create();
	reading->status = read_here(reading->reader, &reading->input, put_event, reading);
	numbers_destroy(reading->numbers);
	relay_end(reading->relay);
	return NULL;
}

/* Signals are the calling thread's. */
static bool start_thread(pthread_t *thread, struct reading *reading)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(thread, NULL, read_ahead, reading);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return !error;
}

/* Reads in another thread, and tells in this one. */
static enum reader_status read_in_two(struct reader *reader, const struct reader_input *input,
				      reader_deliver deliver, void *context)
{
	struct reading reading = { .reader = reader, .input = *input, .relay = relay_create() };
	pthread_t thread;

	if (input->records)
		reading.input.records = put_records;
	if (start_thread(&thread, &reading)) {
		relay_tell(reading.relay, deliver, input->records, context);
		pthread_join(thread, NULL);
	} else {
		reading.status = read_here(reader, input, deliver, context);
	}
	relay_destroy(reading.relay);
	return reading.status;
}

enum reader_status reader_run(const struct reader_input *input, reader_deliver deliver,
			      void *context, struct reader_summary *summary)
{
	struct reader reader = { .summary = summary };

	memset(summary, 0, sizeof(*summary));
	interrupt_begin();
	enum reader_status status = open_streams(&reader, input);
	if (status == READER_OK && input->jobs > 1)
		status = read_in_two(&reader, input, deliver, context);
	else if (status == READER_OK)
		status = read_here(&reader, input, deliver, context);
	live_free(&reader.live);
	streams_close(&reader.streams);
	interrupt_end();
	return status;
}

void reader_summary_free(struct reader_summary *summary)
{
	free(summary->damage);
	summary->damage = NULL;
}

bool reader_is_lossy(const struct reader_summary *summary)
{
	return is_damaged(summary) || summary->discarded_events || summary->discarded_packets ||
	       summary->lost_records;
}
