/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One source.ctf.fs per CTF folder, a muxer, and our sink.
 *
 *   source.ctf.fs (ust/uid/1000/64-bit) --+
 *   source.ctf.fs (ust/uid/1001/64-bit) --+--> filter.utils.muxer --> sink --> images
 *
 * When the graph fails in the middle of a trace, what was delivered stays. */

#include "tools/lib/graph.h"
#include "tools/lib/cli.h"
#include "tools/lib/graph_decode.h"
#include "tools/lib/guard.h"
#include "tools/lib/interrupt.h"
#include "tools/lib/xalloc.h"

#include <babeltrace2/babeltrace.h>
#include <stdlib.h>

struct graph {
	const struct streams *streams;
	struct images *images;
	struct graph_decoder *decoder;
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

static void take_event(struct graph *graph, const bt_message *message)
{
	const bt_event *event = bt_message_event_borrow_event_const(message);
	struct decoded decoded;

	if (!graph_decode(graph->decoder, event, &decoded)) {
		graph->summary->foreign_events++;
		return;
	}
	decoded.time_ns = event_time(message, event);
	graph->summary->lttng_events += decoded.what != DECODE_AGAIN;
	images_apply(graph->images, &decoded);
}

/* A message that does not say how many stands for at least one. */
static void take_loss(struct graph *graph, const bt_message *message, bool is_packets)
{
	uint64_t count = 1;

	if (is_packets) {
		bt_message_discarded_packets_get_count(message, &count);
		graph->summary->discarded_packets += count;
	} else {
		bt_message_discarded_events_get_count(message, &count);
		graph->summary->discarded_events += count;
	}
}

static void take_message(struct graph *graph, const bt_message *message)
{
	switch (bt_message_get_type(message)) {
	case BT_MESSAGE_TYPE_EVENT:
		take_event(graph, message);
		break;
	case BT_MESSAGE_TYPE_DISCARDED_EVENTS:
		take_loss(graph, message, /* packets */ false);
		break;
	case BT_MESSAGE_TYPE_DISCARDED_PACKETS:
		take_loss(graph, message, /* packets */ true);
		break;
	case BT_MESSAGE_TYPE_PACKET_END:
		cli_progress("reading", ++graph->packets_read, graph->streams->packet_count);
		break;
	default:
		break;
	}
}

static bt_graph_simple_sink_component_initialize_func_status sink_initialize(
	bt_message_iterator *iterator, void *data)
{
	((struct graph *)data)->iterator = iterator;
	return BT_GRAPH_SIMPLE_SINK_COMPONENT_INITIALIZE_FUNC_STATUS_OK;
}

static bt_graph_simple_sink_component_consume_func_status sink_consume(
	bt_message_iterator *iterator, void *data)
{
	bt_message_array_const messages;
	uint64_t count;
	bt_message_iterator_next_status status =
		bt_message_iterator_next(iterator, &messages, &count);

	if (interrupt_came())
		return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_END;
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

static const bt_component_source *add_source(bt_graph *nodes, const bt_plugin *plugin,
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
		bt_graph_add_source_component(nodes, class, name, parameters, BT_LOGGING_LEVEL_NONE,
					      &source);
	bt_value_put_ref(parameters);
	free(name);
	return source;
}

static bool connect_source(bt_graph *nodes, const bt_component_source *source,
			   const bt_component_filter *muxer)
{
	uint64_t count = bt_component_source_get_output_port_count(source);

	for (uint64_t i = 0; i < count; i++) {
		uint64_t free_port = bt_component_filter_get_input_port_count(muxer) - 1;
		const bt_port_output *output =
			bt_component_source_borrow_output_port_by_index_const(source, i);
		const bt_port_input *input =
			bt_component_filter_borrow_input_port_by_index_const(muxer, free_port);

		if (bt_graph_connect_ports(nodes, output, input, NULL) !=
		    BT_GRAPH_CONNECT_PORTS_STATUS_OK)
			return false;
	}
	return true;
}

static const bt_component_filter *add_muxer(bt_graph *nodes, const bt_plugin *plugin)
{
	const bt_component_filter *muxer = NULL;
	const bt_component_class_filter *class =
		bt_plugin_borrow_filter_component_class_by_name_const(plugin, "muxer");

	if (class)
		bt_graph_add_filter_component(nodes, class, "muxer", NULL, BT_LOGGING_LEVEL_NONE,
					      &muxer);
	return muxer;
}

static bool add_sink(bt_graph *nodes, const bt_component_filter *muxer, struct graph *graph)
{
	const bt_component_sink *sink = NULL;

	if (bt_graph_add_simple_sink_component(nodes, "vadtrace", sink_initialize, sink_consume,
					       NULL, graph,
					       &sink) != BT_GRAPH_ADD_COMPONENT_STATUS_OK)
		return false;
	return bt_graph_connect_ports(
		       nodes, bt_component_filter_borrow_output_port_by_index_const(muxer, 0),
		       bt_component_sink_borrow_input_port_by_index_const(sink, 0),
		       NULL) == BT_GRAPH_CONNECT_PORTS_STATUS_OK;
}

/* Keeps the first reason; later ones follow from it. */
static void note_damage(struct graph *graph, char *words)
{
	if (graph->summary->damage)
		free(words);
	else
		graph->summary->damage = words;
}

/* A source that cannot be opened is left out, and told. Returns how many are connected. */
static size_t add_sources(struct graph *graph, bt_graph *nodes, const bt_plugin *plugin,
			  const bt_component_filter *muxer)
{
	size_t connected = 0;

	for (size_t i = 0; i < graph->streams->count; i++) {
		const bt_component_source *source =
			add_source(nodes, plugin, graph->streams->folders[i], i);

		if (source && connect_source(nodes, source, muxer)) {
			connected += bt_component_source_get_output_port_count(source) > 0;
			continue;
		}
		note_damage(graph, take_error());
		graph->summary->lost_folders++;
	}
	return connected;
}

static void run_graph(struct graph *graph, bt_graph *nodes, const bt_plugin *ctf,
		      const bt_plugin *utils)
{
	const bt_component_filter *muxer = add_muxer(nodes, utils);

	if (!muxer) {
		note_damage(graph, take_error());
		return;
	}
	if (!add_sources(graph, nodes, ctf, muxer))
		return;
	if (!add_sink(nodes, muxer, graph) || bt_graph_run(nodes) != BT_GRAPH_RUN_STATUS_OK)
		note_damage(graph, take_error());
}

static bool run_plugins(struct graph *graph)
{
	const bt_plugin *ctf = find_plugin("ctf"), *utils = find_plugin("utils");
	bt_graph *nodes = ctf && utils ? bt_graph_create(0) : NULL;

	guard_arrays();
	if (nodes) {
		run_graph(graph, nodes, ctf, utils);
	} else {
		cli_error("libbabeltrace2's plugins 'ctf' and 'utils' cannot be loaded");
		cli_hint(
			"they come with Debian's libbabeltrace2-0; is BABELTRACE_PLUGIN_PATH set?");
	}
	/* The messages' classes are held by the decoder, the iterator by the graph. */
	bt_graph_put_ref(nodes);
	bt_plugin_put_ref(utils);
	bt_plugin_put_ref(ctf);
	return nodes != NULL;
}

bool graph_read(const struct streams *streams, struct images *images,
		struct reader_summary *summary)
{
	struct graph graph = { .streams = streams, .images = images, .summary = summary };

	graph.decoder = graph_decoder_create();
	bool can_work = run_plugins(&graph);
	graph_decoder_destroy(graph.decoder);
	return can_work;
}
