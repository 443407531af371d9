/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The steps that make, run and end a session, as a table for each phase. Every step is a request
 * that comes back (control.h), so its arguments are static.
 *
 *   create: session - channel - contexts - events - tracker      start      stop - wait - count
 *
 * The channel is one buffer a user (per UID): it outlives its processes, so nothing is lost when
 * one is killed. It knows nothing of the program but its pid.
 *
 * A recording that keeps a window of the newest events has two sessions. LTTng writes nothing of
 * the second until it is asked for a snapshot; the first has all that is needed to read one:
 *
 *   main     processes, modules, stacks, ranges, heaps    every event, written at once
 *   window   blocks, calls                                the newest, in buffers that turn round */

#include "tools/record/session.h"

#include "tools/lib/cli.h"
#include "tools/record/control.h"
#include "tools/record/daemon.h"
#include "tools/record/memory.h"
#include "tools/record/options.h"
#include "trace/schema/schema.h"

#include <inttypes.h>
#include <lttng/lttng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	STEP_SECONDS = 30,
	DRAIN_SECONDS = 600, /* a slow disk or network is no failure */
	DRAIN_NOTICE_SECONDS = 5,
	DRAIN_EMPTY_SECONDS = 5,  /* that nothing is in the buffers */
	DRAIN_STILL_SECONDS = 60, /* that nothing leaves them */
	DRAIN_TICK_MS = 5,
};

/* - exists: the daemon has a session of this name, as far as we know;
 * - was_rotated: its folder holds chunks, and the daemon moves the last one when it ends. */
struct session {
	char name[SESSION_NAME_MAX];
	const char *channel;
	bool is_window;
	bool exists, was_rotated;
	struct lttng_handle *handle;
	struct session_loss loss;
};

static struct session main_session = { .channel = "vadtrace" };
static struct session window = { .channel = SESSION_WINDOW_CHANNEL, .is_window = true };

/* Set by session_create, then only read. */
static const struct record_options *options;
static char folder[PATH_MAX];
static pid_t program;
static pid_t consumer; /* the process that empties the buffers; 0: unknown */

/* One request. */
struct step {
	int (*run)(void *argument); /* a struct session */
	const char *what;           /* "cannot WHAT" */
};

static const char *error_text(int code)
{
	return lttng_strerror(code < 0 ? code : -code);
}

static enum session_result run_step(const struct step *step, struct session *session)
{
	int code = control_request(step->run, session, STEP_SECONDS);

	if (code == CONTROL_SILENT) {
		cli_error("the session daemon stopped answering: cannot %s", step->what);
		cli_hint("end it (kill %d) and try again", (int)daemon_pid());
		return SESSION_SILENT;
	}
	if (code == 0)
		return SESSION_OK;
	cli_error("LTTng cannot %s: %s", step->what, error_text(code));
	if (options->relay_url)
		cli_hint("check the URL '%s', and that lttng-relayd runs there",
			 options->relay_url);
	else
		cli_hint("vadtrace doctor looks at what it needs; lttng-sessiond -v tells more");
	return SESSION_REFUSED;
}

static enum session_result run_steps(const struct step *steps, size_t count,
				     struct session *session)
{
	for (size_t i = 0; i < count; i++) {
		enum session_result result = run_step(&steps[i], session);

		if (result)
			return result;
	}
	return SESSION_OK;
}

#define RUN_STEPS(steps, session) run_steps(steps, sizeof(steps) / sizeof((steps)[0]), session)

/* Creating. */

static struct lttng_session_descriptor *describe(const struct session *session)
{
	if (session->is_window)
		return lttng_session_descriptor_snapshot_create(session->name);
	if (options->relay_url)
		return lttng_session_descriptor_network_create(session->name, options->relay_url,
							       NULL);
	return lttng_session_descriptor_local_create(session->name, folder);
}

static int create_session(void *argument)
{
	struct session *session = argument;
	struct lttng_session_descriptor *descriptor = describe(session);
	enum lttng_error_code code;

	if (!descriptor)
		return -LTTNG_ERR_URL_DATA_MISS;
	code = lttng_create_session_ext(descriptor);
	lttng_session_descriptor_destroy(descriptor);
	session->exists = code == LTTNG_OK;
	return code == LTTNG_OK ? 0 : -(int)code;
}

static int set_memory(void *argument)
{
	struct session *session = argument;
	char path[MEMORY_PATH_MAX];

	memory_path(session->name, path);
	return lttng_set_session_shm_path(session->name, path);
}

static int create_handle(void *argument)
{
	struct lttng_domain domain = { .type = LTTNG_DOMAIN_UST, .buf_type = LTTNG_BUFFER_PER_UID };
	struct session *session = argument;

	session->handle = lttng_create_handle(session->name, &domain);
	return session->handle ? 0 : -LTTNG_ERR_NOMEM;
}

/* Buffers that turn round never let a writer wait. */
static void set_attributes(struct lttng_channel *channel, const struct session *session)
{
	strcpy(channel->name, session->channel);
	channel->enabled = 1;
	channel->attr.overwrite = session->is_window;
	channel->attr.subbuf_size = session->is_window
					    ? options->snapshot.bytes / OPTIONS_WINDOW_COUNT
					    : options->buffer_bytes;
	channel->attr.num_subbuf = session->is_window ? OPTIONS_WINDOW_COUNT : OPTIONS_BUFFER_COUNT;
	channel->attr.output = LTTNG_EVENT_MMAP;
}

static int enable_channel(void *argument)
{
	struct lttng_domain domain = { .type = LTTNG_DOMAIN_UST, .buf_type = LTTNG_BUFFER_PER_UID };
	struct lttng_channel *channel = lttng_channel_create(&domain);
	const struct session *session = argument;
	int code;

	if (!channel)
		return -LTTNG_ERR_NOMEM;
	set_attributes(channel, session);
	code = lttng_channel_set_blocking_timeout(channel,
						  session->is_window ? 0 : options->block_us);
	if (!code)
		code = lttng_enable_channel(session->handle, channel);
	lttng_channel_destroy(channel);
	return code;
}

static int add_context(const struct session *session, enum lttng_event_context_type type)
{
	struct lttng_event_context context = { .ctx = type };

	return lttng_add_context(session->handle, &context, NULL, session->channel);
}

static int add_contexts(void *argument)
{
	static const enum lttng_event_context_type contexts[] = {
		LTTNG_EVENT_CONTEXT_VPID,
		LTTNG_EVENT_CONTEXT_VTID,
		LTTNG_EVENT_CONTEXT_PROCNAME,
		LTTNG_EVENT_CONTEXT_IP,
	};
	int count = options->is_plain ? 4 : 2, code = 0;

	for (int i = 0; !code && i < count; i++)
		code = add_context(argument, contexts[i]);
	return code;
}

static int enable_event(const struct session *session, const char *pattern)
{
	struct lttng_event *event = lttng_event_create();
	int code;

	if (!event)
		return -LTTNG_ERR_NOMEM;
	event->type = LTTNG_EVENT_TRACEPOINT;
	event->loglevel_type = LTTNG_EVENT_LOGLEVEL_ALL;
	event->loglevel = -1;
	strcpy(event->name, pattern);
	code = lttng_enable_event(session->handle, event, session->channel);
	lttng_event_destroy(event);
	return code;
}

/* What a session of each sort records, each list up to its NULL. */
static const char *const all_events[] = {
	VADTRACE_PROVIDER_HEAP ":*",
	VADTRACE_PROVIDER_VM ":*",
	VADTRACE_PROVIDER_META ":*",
	VADTRACE_PROVIDER_WIN ":*",
	NULL,
};
static const char *const plain_events[] = {
	VADTRACE_PROVIDER_HEAP ":*",
	VADTRACE_PROVIDER_VM ":*",
	VADTRACE_PROVIDER_META ":*",
	VADTRACE_PROVIDER_WIN ":*",
	VADTRACE_PROVIDER_LIBC ":*",
	VADTRACE_STATEDUMP ":*",
	NULL,
};
static const char *const frames_events[] = {
	VADTRACE_PROVIDER_HEAP ":*", VADTRACE_PROVIDER_VM ":*", VADTRACE_PROVIDER_META ":*",
	VADTRACE_PROVIDER_WIN ":*",  VADTRACE_STATEDUMP ":*",   NULL,
};
static const char *const kept_events[] = {
	VADTRACE_PROVIDER_HEAP ":create",    VADTRACE_PROVIDER_HEAP ":destroy",
	VADTRACE_PROVIDER_HEAP ":error",     VADTRACE_PROVIDER_VM ":*",
	VADTRACE_PROVIDER_META ":*",         VADTRACE_PROVIDER_WIN ":hook",
	VADTRACE_PROVIDER_WIN ":difference", NULL,
};
static const char *const window_events[] = {
	VADTRACE_PROVIDER_HEAP ":batch",
	VADTRACE_PROVIDER_HEAP ":record",
	VADTRACE_PROVIDER_HEAP ":settled",
	VADTRACE_PROVIDER_WIN ":call",
	NULL,
};

static int enable_events(void *argument)
{
	const struct session *session = argument;
	const char *const *patterns = session->is_window        ? window_events
				      : options->snapshot.bytes ? kept_events
				      : options->is_frames_only ? frames_events
				      : options->is_plain       ? plain_events
								: all_events;
	int code = 0;

	for (; !code && *patterns; patterns++)
		code = enable_event(session, *patterns);
	return code;
}

/* A recording of one program must not hold what runs beside it. Wine may run the program in a
 * process of its own. */
static int track_program(void *argument)
{
	struct lttng_process_attr_tracker_handle *tracker = NULL;
	const struct session *session = argument;
	enum lttng_error_code code;
	int failed;

	if (options->with_children || options->is_moving)
		return 0;
	code = lttng_session_get_tracker_handle(session->name, LTTNG_DOMAIN_UST,
						LTTNG_PROCESS_ATTR_VIRTUAL_PROCESS_ID, &tracker);
	if (code != LTTNG_OK)
		return -(int)code;
	failed = lttng_process_attr_tracker_handle_set_tracking_policy(
			 tracker, LTTNG_TRACKING_POLICY_INCLUDE_SET) ||
		 lttng_process_attr_virtual_process_id_tracker_handle_add_pid(tracker, program);
	lttng_process_attr_tracker_handle_destroy(tracker);
	return failed ? -LTTNG_ERR_UNK : 0;
}

static const struct step create_steps[] = {
	{ create_session, "create a session" },
	{ set_memory, "place its buffers" },
	{ create_handle, "open the session" },
	{ enable_channel, "create the channel" },
	{ add_contexts, "add the contexts of the events" },
	{ enable_events, "enable the events" },
	{ track_program, "restrict the session to the program" },
};

static void make_names(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(main_session.name, sizeof(main_session.name), DAEMON_SESSION_PREFIX "%d-%" PRIu64,
		 (int)getpid(), (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
	snprintf(window.name, sizeof(window.name), "%.48s-window", main_session.name);
}

const char *session_name(void)
{
	if (!*main_session.name)
		make_names();
	return main_session.name;
}

const char *session_window_name(void)
{
	session_name();
	return window.name;
}

enum session_result session_create(const struct record_options *wanted, const char *to, pid_t pid)
{
	enum session_result result;

	session_name();
	snprintf(folder, sizeof(folder), "%s", to);
	options = wanted;
	program = pid;
	result = RUN_STEPS(create_steps, &main_session);
	if (!result && options->snapshot.bytes)
		result = RUN_STEPS(create_steps, &window);
	if (result)
		session_destroy();
	return result;
}

/* Starting and stopping. */

static int start_tracing(void *argument)
{
	const struct session *session = argument;

	return lttng_start_tracing(session->name);
}

enum session_result session_start(void)
{
	static const struct step steps[] = { { start_tracing, "start recording" } };
	enum session_result result = RUN_STEPS(steps, &main_session);

	if (!result && window.exists)
		result = RUN_STEPS(steps, &window);
	consumer = daemon_consumer_pid();
	return result;
}

pid_t session_consumer(void)
{
	return consumer;
}

static int stop_tracing(void *argument)
{
	const struct session *session = argument;
	int code = lttng_stop_tracing_no_wait(session->name);

	return code == -LTTNG_ERR_TRACE_ALREADY_STOPPED ? 0 : code;
}

static int ask_pending(void *argument)
{
	const struct session *session = argument;

	return lttng_data_pending(session->name);
}

static void sleep_tick(void)
{
	struct timespec tick = { .tv_nsec = DRAIN_TICK_MS * 1000000L };

	nanosleep(&tick, NULL);
}

static time_t now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* What was seen of the buffers while LTTng empties them. */
struct drain_watch {
	time_t begin, looked, moved;
	uint64_t consumed_bytes;
	bool is_told;
};

/* Once a second. LTTng may go on saying that data waits while the buffers are empty, or hold a part
 * that nobody will complete: neither ends by waiting, and what is left is rescued. */
static bool is_drained(struct drain_watch *watch)
{
	time_t now = now_seconds(), patience = DRAIN_EMPTY_SECONDS;
	uint64_t consumed_bytes;

	if (now == watch->looked)
		return false;
	watch->looked = now;
	consumed_bytes = memory_count_consumed(main_session.name);
	if (consumed_bytes != watch->consumed_bytes)
		watch->moved = now;
	watch->consumed_bytes = consumed_bytes;
	if (options->relay_url || memory_has_rest(main_session.name))
		patience = DRAIN_STILL_SECONDS;
	return now - watch->moved >= patience;
}

static void tell_drain(struct drain_watch *watch)
{
	if (watch->is_told || now_seconds() - watch->begin < DRAIN_NOTICE_SECONDS)
		return;
	cli_warn("LTTng is still writing; an interrupt (Ctrl-C) gives up on that");
	watch->is_told = true;
}

/* 1: data waits to be written, 0: none does, else an error. */
static int wait_until_written(bool (*is_interrupted)(void))
{
	time_t begin = now_seconds();
	struct drain_watch watch = { .begin = begin, .looked = begin, .moved = begin };
	int pending = 1;

	while (now_seconds() - begin < DRAIN_SECONDS && !is_interrupted()) {
		pending = control_request(ask_pending, &main_session, STEP_SECONDS);
		if (pending <= 0 || !daemon_is_alive(consumer))
			break;
		if (is_drained(&watch))
			return 0;
		tell_drain(&watch);
		sleep_tick();
	}
	return pending;
}

static enum session_result drain(bool (*is_interrupted)(void))
{
	int pending = wait_until_written(is_interrupted);

	if (pending == 0)
		return SESSION_OK;
	if (pending == CONTROL_SILENT)
		cli_error("the session daemon stopped answering before all data was written");
	else if (pending < 0)
		cli_error("LTTng lost the session: %s", error_text(pending));
	else
		cli_error("LTTng did not finish writing: the end of the trace may be missing");
	return pending == CONTROL_SILENT ? SESSION_SILENT : SESSION_REFUSED;
}

/* LTTng's consumer takes a packet's count that is smaller than the one before for a counter that
 * has wrapped, and adds 2^63: seen with several writers to one buffer. No recording loses that
 * many. */
static uint64_t without_wraps(uint64_t events)
{
	return events & INT64_MAX;
}

static void add_loss(struct session *session, struct lttng_channel *channel)
{
	uint64_t events = 0, packets = 0;

	if (lttng_channel_get_discarded_event_count(channel, &events) ||
	    lttng_channel_get_lost_packet_count(channel, &packets))
		return;
	session->loss.events_discarded += without_wraps(events);
	session->loss.packets_lost += packets;
	session->loss.known = true;
}

/* What a window has overwritten is no loss. */
static int count_loss(void *argument)
{
	struct session *session = argument;
	struct lttng_channel *channels = NULL;
	int count = lttng_list_channels(session->handle, &channels);

	session->loss = (struct session_loss){ 0 };
	for (int i = 0; i < count; i++)
		add_loss(session, &channels[i]);
	free(channels);
	return count < 0 ? count : 0;
}

bool session_look_at_loss(struct session_loss *loss)
{
	int code = control_request(count_loss, &main_session, STEP_SECONDS);

	if (code == CONTROL_SILENT || code < 0)
		return false;
	*loss = main_session.loss;
	return loss->known;
}

enum session_result session_stop(struct session_loss *loss, bool (*is_interrupted)(void))
{
	static const struct step stop_steps[] = { { stop_tracing, "stop recording" } };
	static const struct step count_steps[] = { { count_loss, "count the lost events" } };
	enum session_result result = SESSION_OK;

	if (window.exists)
		result = RUN_STEPS(stop_steps, &window);
	if (!result)
		result = RUN_STEPS(stop_steps, &main_session);
	if (!result)
		result = drain(is_interrupted);
	if (!result)
		result = RUN_STEPS(count_steps, &main_session);
	if (result != SESSION_SILENT)
		*loss = main_session.loss;
	return result;
}

/* Snapshots. The arguments of a request that never came back must stay as they are: it is asked
 * only once. */

static char snapshot_folder[PATH_MAX];

static int record_snapshot(void *argument)
{
	const struct session *session = argument;
	struct lttng_snapshot_output *output = lttng_snapshot_output_create();
	int code;

	if (!output)
		return -LTTNG_ERR_NOMEM;
	code = lttng_snapshot_output_set_local_path(snapshot_folder, output);
	if (!code)
		code = lttng_snapshot_record(session->name, output, /* wait */ 1);
	lttng_snapshot_output_destroy(output);
	return code;
}

enum session_result session_snapshot(const char *to)
{
	static const struct step steps[] = { { record_snapshot, "write a snapshot" } };

	snprintf(snapshot_folder, sizeof(snapshot_folder), "%s", to);
	return RUN_STEPS(steps, &window);
}

/* NULL before the first. */
static struct lttng_rotation_handle *rotation;

static int begin_rotation(void *argument)
{
	struct session *session = argument;
	int code;

	lttng_rotation_handle_destroy(rotation);
	rotation = NULL;
	code = lttng_rotate_session(session->name, NULL, &rotation);
	session->was_rotated |= !code;
	return code;
}

static int wait_for_rotation(void *unused)
{
	enum lttng_rotation_state state = LTTNG_ROTATION_STATE_ONGOING;

	(void)unused;
	while (!lttng_rotation_handle_get_state(rotation, &state) &&
	       state == LTTNG_ROTATION_STATE_ONGOING)
		sleep_tick();
	return state == LTTNG_ROTATION_STATE_COMPLETED ? 0 : -LTTNG_ERR_UNK;
}

enum session_result session_rotate(void)
{
	static const struct step steps[] = {
		{ begin_rotation, "close what was written so far" },
		{ wait_for_rotation, "complete what was written so far" },
	};

	return RUN_STEPS(steps, &main_session);
}

/* All is written: nobody has to wait for the daemon, which looks every half second whether it has
 * closed the files. Only chunks are still moved. */
static int destroy(void *argument)
{
	struct lttng_destruction_handle *handle = NULL;
	const struct session *session = argument;
	enum lttng_error_code code;

	if (!session->was_rotated)
		return lttng_destroy_session_no_wait(session->name);
	code = lttng_destroy_session_ext(session->name, &handle);
	if (code == LTTNG_OK)
		lttng_destruction_handle_wait_for_completion(handle, STEP_SECONDS * 1000 / 2);
	lttng_destruction_handle_destroy(handle);
	return code == LTTNG_OK ? 0 : -(int)code;
}

static void destroy_one(struct session *session)
{
	if (!session->exists)
		return;
	session->exists = false;
	if (control_request(destroy, session, STEP_SECONDS) == CONTROL_SILENT)
		return;
	memory_remove(session->name);
	lttng_destroy_handle(session->handle);
	session->handle = NULL;
}

void session_destroy(void)
{
	destroy_one(&window);
	destroy_one(&main_session);
}
