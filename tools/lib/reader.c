/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The libbabeltrace2 graph: one source.ctf.fs per CTF folder, a muxer, and our sink.
 *
 *   source.ctf.fs (ust/uid/1000/64-bit) --+
 *   source.ctf.fs (ust/uid/1001/64-bit) --+--> filter.utils.muxer --> sink --> images
 *
 * When the graph fails in the middle of a trace, what was delivered stays. */

#include "tools/lib/reader.h"
#include "tools/lib/cli.h"
#include "tools/lib/guard.h"
#include "tools/lib/images.h"
#include "tools/lib/streams.h"
#include "tools/lib/xalloc.h"

#include <babeltrace2/babeltrace.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	struct streams streams;
	struct live live;
	struct images *images;
	struct decoder *decoder;
	struct reader_summary *summary;
	bt_message_iterator *iterator;
	uint64_t packets_read;
};

static uint64_t event_time(const bt_message *message, const bt_event *event)
{
	const bt_stream_class *class =
		bt_event_class_borrow_stream_class_const(bt_event_borrow_class_const(event));
	const bt_clock_class *clock = bt_stream_class_borrow_default_clock_class_const(class);

	if (!clock)
		return 0;
	uint64_t cycles = bt_clock_snapshot_get_value(
		bt_message_event_borrow_default_clock_snapshot_const(message));
	uint64_t frequency = bt_clock_class_get_frequency(clock);
	if (frequency == UINT64_C(1000000000))
		return cycles;
	return (uint64_t)((unsigned __int128)cycles * 1000000000u / frequency);
}

static void take_event(struct reader *reader, const bt_message *message)
{
	const bt_event *event = bt_message_event_borrow_event_const(message);
	const struct layout *layout = decoder_layout(reader->decoder, event);

	if (layout->what == DECODE_FOREIGN) {
		reader->summary->foreign_events++;
		return;
	}
	reader->summary->lttng_events++;
	images_apply(reader->images, reader->decoder, layout, event, event_time(message, event));
}

/* A message that does not say how many stands for at least one. */
static void take_loss(struct reader *reader, const bt_message *message, bool is_packets)
{
	uint64_t count = 1;

	if (is_packets) {
		bt_message_discarded_packets_get_count(message, &count);
		reader->summary->discarded_packets += count;
	} else {
		bt_message_discarded_events_get_count(message, &count);
		reader->summary->discarded_events += count;
	}
}

static void take_message(struct reader *reader, const bt_message *message)
{
	switch (bt_message_get_type(message)) {
	case BT_MESSAGE_TYPE_EVENT:
		take_event(reader, message);
		break;
	case BT_MESSAGE_TYPE_DISCARDED_EVENTS:
		take_loss(reader, message, /* packets */ false);
		break;
	case BT_MESSAGE_TYPE_DISCARDED_PACKETS:
		take_loss(reader, message, /* packets */ true);
		break;
	case BT_MESSAGE_TYPE_PACKET_END:
		cli_progress("reading", ++reader->packets_read, reader->streams.packet_count);
		break;
	default:
		break;
	}
}

static bt_graph_simple_sink_component_initialize_func_status sink_initialize(
	bt_message_iterator *iterator, void *data)
{
	((struct reader *)data)->iterator = iterator;
	return BT_GRAPH_SIMPLE_SINK_COMPONENT_INITIALIZE_FUNC_STATUS_OK;
}

static bt_graph_simple_sink_component_consume_func_status sink_consume(
	bt_message_iterator *iterator, void *data)
{
	bt_message_array_const messages;
	uint64_t count;
	bt_message_iterator_next_status status =
		bt_message_iterator_next(iterator, &messages, &count);

	if (status != BT_MESSAGE_ITERATOR_NEXT_STATUS_OK)
		return (bt_graph_simple_sink_component_consume_func_status)status;
	for (uint64_t i = 0; i < count; i++) {
		take_message(data, messages[i]);
		bt_message_put_ref(messages[i]);
	}
	return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_OK;
}

/* The innermost cause of the thread's current libbabeltrace2 error; the error is cleared. */
static char *take_error(void)
{
	const bt_error *error = bt_current_thread_take_error();
	char *words = NULL;

	if (error && bt_error_get_cause_count(error))
		words = xstrdup(
			bt_error_cause_get_message(bt_error_borrow_cause_by_index(error, 0)));
	if (error)
		bt_error_release(error);
	return words ? words : xstrdup("libbabeltrace2 gave no reason");
}

static const bt_plugin *find_plugin(const char *name)
{
	const bt_plugin *plugin = NULL;

	if (bt_plugin_find(name, BT_TRUE, BT_TRUE, BT_TRUE, BT_TRUE, BT_FALSE, &plugin) !=
	    BT_PLUGIN_FIND_STATUS_OK)
		free(take_error());
	return plugin;
}

static const bt_component_source *add_source(bt_graph *graph, const bt_plugin *plugin,
					     const char *folder, size_t number)
{
	const bt_component_class_source *class =
		bt_plugin_borrow_source_component_class_by_name_const(plugin, "fs");
	const bt_component_source *source = NULL;
	bt_value *parameters = bt_value_map_create();
	bt_value *inputs = NULL;
	char *name = xasprintf("source%zu", number);

	if (class && parameters &&
	    bt_value_map_insert_empty_array_entry(parameters, "inputs", &inputs) ==
		    BT_VALUE_MAP_INSERT_ENTRY_STATUS_OK &&
	    bt_value_array_append_string_element(inputs, folder) ==
		    BT_VALUE_ARRAY_APPEND_ELEMENT_STATUS_OK)
		bt_graph_add_source_component(graph, class, name, parameters, BT_LOGGING_LEVEL_NONE,
					      &source);
	bt_value_put_ref(parameters);
	free(name);
	return source;
}

static bool connect_source(bt_graph *graph, const bt_component_source *source,
			   const bt_component_filter *muxer)
{
	uint64_t count = bt_component_source_get_output_port_count(source);

	for (uint64_t i = 0; i < count; i++) {
		uint64_t free_port = bt_component_filter_get_input_port_count(muxer) - 1;
		const bt_port_output *output =
			bt_component_source_borrow_output_port_by_index_const(source, i);
		const bt_port_input *input =
			bt_component_filter_borrow_input_port_by_index_const(muxer, free_port);

		if (bt_graph_connect_ports(graph, output, input, NULL) !=
		    BT_GRAPH_CONNECT_PORTS_STATUS_OK)
			return false;
	}
	return true;
}

static const bt_component_filter *add_muxer(bt_graph *graph, const bt_plugin *plugin)
{
	const bt_component_filter *muxer = NULL;
	const bt_component_class_filter *class =
		bt_plugin_borrow_filter_component_class_by_name_const(plugin, "muxer");

	if (class)
		bt_graph_add_filter_component(graph, class, "muxer", NULL, BT_LOGGING_LEVEL_NONE,
					      &muxer);
	return muxer;
}

static bool add_sink(bt_graph *graph, const bt_component_filter *muxer, struct reader *reader)
{
	const bt_component_sink *sink = NULL;

	if (bt_graph_add_simple_sink_component(graph, "vadtrace", sink_initialize, sink_consume,
					       NULL, reader,
					       &sink) != BT_GRAPH_ADD_COMPONENT_STATUS_OK)
		return false;
	return bt_graph_connect_ports(
		       graph, bt_component_filter_borrow_output_port_by_index_const(muxer, 0),
		       bt_component_sink_borrow_input_port_by_index_const(sink, 0),
		       NULL) == BT_GRAPH_CONNECT_PORTS_STATUS_OK;
}

/* Keeps the first reason; later ones follow from it. */
static void note_damage(struct reader *reader, char *words)
{
	if (reader->summary->damage)
		free(words);
	else
		reader->summary->damage = words;
}

/* A source that cannot be opened is left out, and told. Returns how many are connected. */
static size_t add_sources(struct reader *reader, bt_graph *graph, const bt_plugin *plugin,
			  const bt_component_filter *muxer)
{
	size_t connected = 0;

	for (size_t i = 0; i < reader->streams.count; i++) {
		const bt_component_source *source =
			add_source(graph, plugin, reader->streams.folders[i], i);

		if (source && connect_source(graph, source, muxer)) {
			connected += bt_component_source_get_output_port_count(source) > 0;
			continue;
		}
		note_damage(reader, take_error());
		reader->summary->lost_folders++;
	}
	return connected;
}

static void run_graph(struct reader *reader, bt_graph *graph, const bt_plugin *ctf,
		      const bt_plugin *utils)
{
	const bt_component_filter *muxer = add_muxer(graph, utils);

	if (!muxer) {
		note_damage(reader, take_error());
		return;
	}
	if (!add_sources(reader, graph, ctf, muxer))
		return;
	if (!add_sink(graph, muxer, reader) || bt_graph_run(graph) != BT_GRAPH_RUN_STATUS_OK)
		note_damage(reader, take_error());
}

static bool run_plugins(struct reader *reader)
{
	const bt_plugin *ctf = find_plugin("ctf"), *utils = find_plugin("utils");
	bt_graph *graph = ctf && utils ? bt_graph_create(0) : NULL;

	guard_arrays();
	if (graph) {
		run_graph(reader, graph, ctf, utils);
	} else {
		cli_error("libbabeltrace2's plugins 'ctf' and 'utils' cannot be loaded");
		cli_hint(
			"they come with Debian's libbabeltrace2-0; is BABELTRACE_PLUGIN_PATH set?");
	}
	/* The messages' classes are held by the decoder, the iterator by the graph. */
	bt_graph_put_ref(graph);
	bt_plugin_put_ref(utils);
	bt_plugin_put_ref(ctf);
	return graph != NULL;
}

/* Without its metadata, which LTTng writes last, nobody can tell what the streams hold. */
static void explain_nothing(const struct reader *reader, const struct reader_input *input)
{
	if (input->cause) {
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

static enum reader_status open_streams(struct reader *reader, const struct reader_input *input)
{
	const char *folder = input->folder;
	int error = streams_open(&reader->streams, folder, input->lender);

	if (error == -ENODATA) {
		cli_error("%s: no whole trace that could lend its metadata", input->lender);
		return READER_NO_TRACE;
	}
	if (error) {
		cli_error("%s: the damaged trace cannot be repaired in a temporary copy: %s",
			  folder, strerror(-error));
		cli_hint("set TMPDIR to a folder with more room");
		return READER_NO_TRACE;
	}
	reader->summary->size_bytes = reader->streams.size_bytes;
	reader->summary->cut_bytes = reader->streams.cut_bytes;
	reader->summary->cut_streams = reader->streams.cut_streams;
	reader->summary->lost_folders = reader->streams.lost_folders;
	reader->summary->lent_folders = reader->streams.lent_folders;
	live_read(&reader->live, folder);
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
			  summary->foreign_events ? ", only others" : "");
	if (input->cause)
		cli_hint("%s; %s", input->cause, input->advice);
}

static enum reader_status read_all(struct reader *reader, const struct reader_input *input)
{
	struct reader_summary *summary = reader->summary;

	if (!run_plugins(reader))
		return READER_NO_TRACE;
	images_finish(reader->images);
	cli_progress_end();
	if (summary->lttng_events || summary->live_records)
		return is_damaged(summary) ? READER_DAMAGED : READER_OK;
	explain_no_events(summary, input);
	return READER_NO_TRACE;
}

enum reader_status reader_run(const struct reader_input *input, reader_deliver deliver,
			      void *context, struct reader_summary *summary)
{
	struct reader reader = { .summary = summary };

	memset(summary, 0, sizeof(*summary));
	enum reader_status status = open_streams(&reader, input);
	if (status == READER_OK) {
		reader.decoder = decoder_create();
		reader.images = images_create(input, deliver, context, &reader.live, summary);
		status = read_all(&reader, input);
		images_destroy(reader.images);
		decoder_destroy(reader.decoder);
	}
	live_free(&reader.live);
	streams_close(&reader.streams);
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
