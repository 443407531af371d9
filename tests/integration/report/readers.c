/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* readers TRACE: reads the trace with vadtrace's own decoder and with libbabeltrace2, and compares
 * every event, in every field, and the summaries. Prints what differs first, or how many events are
 * equal. The status is 0 when all are, 1 when not, 2 when our own decoder refuses the trace. */

#include "tools/lib/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each event as text, one a line. */
struct dump {
	FILE *file;
	uint64_t count;
};

static void put_words(FILE *file, const uint64_t *words, size_t count)
{
	fprintf(file, " [%zu", count);
	for (size_t i = 0; i < count; i++)
		fprintf(file, " %" PRIx64, words[i]);
	fputc(']', file);
}

static void put_process(FILE *file, const struct trace_process *image)
{
	fprintf(file, " %u %u %u %u %u %u %u %" PRIu64 " %" PRIu64 " %" PRIu64, image->pid,
		image->parent_pid, image->parent, image->reason, image->schema_version,
		image->page_size, image->stack_depth, image->min_size_bytes,
		image->commit_limit_bytes, image->fork_ns);
	fprintf(file, " %s %s %s %s %s %s", image->session, image->mode, image->exe,
		image->command_line, image->comm, image->wine);
}

static void put_module(FILE *file, const struct trace_module *module)
{
	fprintf(file, " %" PRIu64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " %s %s", module->id,
		module->base, module->start, module->end, module->path, module->build_id);
}

static void put_rest(FILE *file, const struct trace_event *event)
{
	switch (event->kind) {
	case TRACE_PROCESS:
		put_process(file, event->image);
		break;
	case TRACE_MODULE:
	case TRACE_MODULE_GONE:
		put_module(file, event->module);
		break;
	case TRACE_THREAD:
		fprintf(file, " %s", event->name);
		break;
	case TRACE_STACK:
		put_words(file, event->frames.addresses, event->frames.count);
		break;
	case TRACE_CALL:
		fprintf(file, " %" PRIx64 " %u", event->call->result, event->call->error);
		put_words(file, event->call->arguments, event->call->argument_count);
		break;
	case TRACE_HOOK:
		fprintf(file, " %s %s %s %s", event->hook->function, event->hook->dll,
			event->hook->state, event->hook->reason);
		break;
	case TRACE_DIFFERENCE:
		fprintf(file, " %s %" PRIx64 " %" PRIx64, event->difference->what,
			event->difference->wine, event->difference->core);
		put_words(file, event->difference->arguments, event->difference->argument_count);
		break;
	default:
		break;
	}
}

static void put_event(void *context, const struct trace_event *event)
{
	struct dump *dump = context;

	fprintf(dump->file,
		"%" PRIu64 " %u %u %u %u %u %" PRIx64 " %" PRIu64 " %" PRIx64 " %" PRIx64
		" %x %x %u",
		event->time_ns, event->process, event->tid, event->kind, event->api, event->stack,
		event->address, event->size_bytes, event->heap, event->extra, event->type,
		event->protect, event->owner);
	put_rest(dump->file, event);
	fputc('\n', dump->file);
	dump->count++;
}

/* What went wrong is told in each reader's own words: only that it did is compared. */
static void put_summary(FILE *file, const struct reader_summary *summary)
{
	struct reader_summary copy = *summary;

	copy.damage = NULL;
	put_words(file, (const uint64_t *)(const void *)&copy, sizeof(copy) / sizeof(uint64_t));
	fprintf(file, " damage %d\n", summary->damage != NULL);
}

static enum reader_status dump_trace(const char *folder, enum reader_decoder decoder,
				     struct dump *dump)
{
	struct reader_input input = { .folder = folder, .decoder = decoder };
	struct reader_summary summary;
	enum reader_status status = reader_run(&input, put_event, dump, &summary);

	put_summary(dump->file, &summary);
	rewind(dump->file);
	reader_summary_free(&summary);
	return status;
}

static void chop(char *line)
{
	line[strcspn(line, "\n")] = '\0';
}

static int compare(struct dump *own, struct dump *theirs)
{
	char *left = NULL, *right = NULL;
	size_t left_room = 0, right_room = 0;
	ssize_t got, other;
	uint64_t line = 0;

	do {
		line++;
		got = getline(&left, &left_room, own->file);
		other = getline(&right, &right_room, theirs->file);
	} while (got > 0 && got == other && !memcmp(left, right, (size_t)got));
	if (got > 0 || other > 0) {
		if (got > 0)
			chop(left);
		if (other > 0)
			chop(right);
		printf("event %" PRIu64 " differs\n     own: %s\n  theirs: %s\n", line,
		       got > 0 ? left : "(none)", other > 0 ? right : "(none)");
	}
	free(left);
	free(right);
	return got > 0 || other > 0;
}

int main(int argc, char **argv)
{
	struct dump own = { .file = tmpfile() }, theirs = { .file = tmpfile() };
	enum reader_status status, other;
	int differs;

	if (argc != 2 || !own.file || !theirs.file)
		return 2;
	status = dump_trace(argv[1], READER_OWN, &own);
	other = dump_trace(argv[1], READER_BABELTRACE, &theirs);
	if (status == READER_NO_TRACE && other != READER_NO_TRACE)
		return 2;
	differs = compare(&own, &theirs) || status != other;
	if (status != other)
		printf("status %d, not %d\n", status, other);
	if (!differs)
		printf("%" PRIu64 " equal\n", own.count);
	fclose(own.file);
	fclose(theirs.file);
	return differs;
}
