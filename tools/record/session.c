/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The steps that make, run and end a session, as a table for each phase. Every step is a request
 * that comes back (control.h), so its arguments are static.
 *
 *   create: session - channel - contexts - events - tracker      start      stop - wait - count
 *
 * The channel is one buffer a user (per UID): it outlives its processes, so nothing is lost when
 * one is killed. It knows nothing of the program but its pid. */

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

#define CHANNEL "vadtrace"

enum {
	STEP_SECONDS = 30,
	DRAIN_SECONDS = 600, /* a slow disk or network is no failure */
	DRAIN_NOTICE_SECONDS = 5,
	DRAIN_TICK_MS = 5,
	DRAIN_NOTICE_TICKS = DRAIN_NOTICE_SECONDS * 1000 / DRAIN_TICK_MS,
	DRAIN_TICKS_MAX = DRAIN_SECONDS * 1000 / DRAIN_TICK_MS,
};

/* - exists: the daemon has a session of this name, as far as we know;
 * - the rest is set by session_create and then only read. */
static struct {
	char name[SESSION_NAME_MAX];
	char folder[PATH_MAX];
	const struct record_options *options;
	pid_t pid;
	bool exists;
	struct lttng_handle *handle;
	struct session_loss loss;
} session;

/* One request. */
struct step {
	int (*run)(void *unused);
	const char *what; /* "cannot WHAT" */
};

static const char *error_text(int code)
{
	return lttng_strerror(code < 0 ? code : -code);
}

static enum session_result run_step(const struct step *step)
{
	int code = control_request(step->run, NULL, STEP_SECONDS);

	if (code == CONTROL_SILENT) {
		cli_error("the session daemon stopped answering: cannot %s", step->what);
		cli_hint("end it (kill %d) and try again", (int)daemon_pid());
		return SESSION_SILENT;
	}
	if (code == 0)
		return SESSION_OK;
	cli_error("LTTng cannot %s: %s", step->what, error_text(code));
	if (session.options->relay_url)
		cli_hint("check the URL '%s', and that lttng-relayd runs there",
			 session.options->relay_url);
	else
		cli_hint("vadtrace doctor looks at what it needs; lttng-sessiond -v tells more");
	return SESSION_REFUSED;
}

static enum session_result run_steps(const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enum session_result result = run_step(&steps[i]);

		if (result)
			return result;
	}
	return SESSION_OK;
}

#define RUN_STEPS(steps) run_steps(steps, sizeof(steps) / sizeof((steps)[0]))

/* Creating. */

static struct lttng_session_descriptor *describe(void)
{
	if (session.options->relay_url)
		return lttng_session_descriptor_network_create(session.name,
							       session.options->relay_url, NULL);
	return lttng_session_descriptor_local_create(session.name, session.folder);
}

static int create_session(void *unused)
{
	struct lttng_session_descriptor *descriptor = describe();
	enum lttng_error_code code;

	(void)unused;
	if (!descriptor)
		return -LTTNG_ERR_URL_DATA_MISS;
	code = lttng_create_session_ext(descriptor);
	lttng_session_descriptor_destroy(descriptor);
	session.exists = code == LTTNG_OK;
	return code == LTTNG_OK ? 0 : -(int)code;
}

static int set_memory(void *unused)
{
	char path[MEMORY_PATH_MAX];

	(void)unused;
	memory_path(session.name, path);
	return lttng_set_session_shm_path(session.name, path);
}

static int create_handle(void *unused)
{
	struct lttng_domain domain = { .type = LTTNG_DOMAIN_UST, .buf_type = LTTNG_BUFFER_PER_UID };

	(void)unused;
	session.handle = lttng_create_handle(session.name, &domain);
	return session.handle ? 0 : -LTTNG_ERR_NOMEM;
}

static void set_attributes(struct lttng_channel *channel)
{
	strcpy(channel->name, CHANNEL);
	channel->enabled = 1;
	channel->attr.overwrite = 0;
	channel->attr.subbuf_size = session.options->buffer_bytes;
	channel->attr.num_subbuf = OPTIONS_BUFFER_COUNT;
	channel->attr.output = LTTNG_EVENT_MMAP;
}

static int enable_channel(void *unused)
{
	struct lttng_domain domain = { .type = LTTNG_DOMAIN_UST, .buf_type = LTTNG_BUFFER_PER_UID };
	struct lttng_channel *channel = lttng_channel_create(&domain);
	int code;

	(void)unused;
	if (!channel)
		return -LTTNG_ERR_NOMEM;
	set_attributes(channel);
	code = lttng_channel_set_blocking_timeout(channel, session.options->block_us);
	if (!code)
		code = lttng_enable_channel(session.handle, channel);
	lttng_channel_destroy(channel);
	return code;
}

static int add_context(enum lttng_event_context_type type)
{
	struct lttng_event_context context = { .ctx = type };

	return lttng_add_context(session.handle, &context, NULL, CHANNEL);
}

static int add_contexts(void *unused)
{
	int code = add_context(LTTNG_EVENT_CONTEXT_VPID);

	(void)unused;
	return code ? code : add_context(LTTNG_EVENT_CONTEXT_VTID);
}

static int enable_event(const char *pattern)
{
	struct lttng_event *event = lttng_event_create();
	int code;

	if (!event)
		return -LTTNG_ERR_NOMEM;
	event->type = LTTNG_EVENT_TRACEPOINT;
	event->loglevel_type = LTTNG_EVENT_LOGLEVEL_ALL;
	event->loglevel = -1;
	strcpy(event->name, pattern);
	code = lttng_enable_event(session.handle, event, CHANNEL);
	lttng_event_destroy(event);
	return code;
}

static int enable_events(void *unused)
{
	static const char *const patterns[] = {
		VADTRACE_PROVIDER_HEAP ":*",
		VADTRACE_PROVIDER_VM ":*",
		VADTRACE_PROVIDER_META ":*",
		VADTRACE_PROVIDER_WIN ":*",
	};
	int code = 0;

	(void)unused;
	for (size_t i = 0; !code && i < sizeof(patterns) / sizeof(patterns[0]); i++)
		code = enable_event(patterns[i]);
	return code;
}

/* A recording of one program must not hold what runs beside it. Wine may run the program in a
 * process of its own. */
static int track_program(void *unused)
{
	struct lttng_process_attr_tracker_handle *tracker = NULL;
	enum lttng_error_code code;
	int failed;

	(void)unused;
	if (session.options->with_children || session.options->is_moving)
		return 0;
	code = lttng_session_get_tracker_handle(session.name, LTTNG_DOMAIN_UST,
						LTTNG_PROCESS_ATTR_VIRTUAL_PROCESS_ID, &tracker);
	if (code != LTTNG_OK)
		return -(int)code;
	failed = lttng_process_attr_tracker_handle_set_tracking_policy(
			 tracker, LTTNG_TRACKING_POLICY_INCLUDE_SET) ||
		 lttng_process_attr_virtual_process_id_tracker_handle_add_pid(tracker, session.pid);
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

static void make_name(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(session.name, sizeof(session.name), DAEMON_SESSION_PREFIX "%d-%" PRIu64,
		 (int)getpid(), (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

const char *session_name(void)
{
	if (!*session.name)
		make_name();
	return session.name;
}

enum session_result session_create(const struct record_options *options, const char *folder,
				   pid_t pid)
{
	enum session_result result;

	session_name();
	snprintf(session.folder, sizeof(session.folder), "%s", folder);
	session.options = options;
	session.pid = pid;
	result = RUN_STEPS(create_steps);
	if (result)
		session_destroy();
	return result;
}

/* Starting and stopping. */

static int start_tracing(void *unused)
{
	(void)unused;
	return lttng_start_tracing(session.name);
}

enum session_result session_start(void)
{
	static const struct step steps[] = { { start_tracing, "start recording" } };

	return RUN_STEPS(steps);
}

static int stop_tracing(void *unused)
{
	int code = lttng_stop_tracing_no_wait(session.name);

	(void)unused;
	return code == -LTTNG_ERR_TRACE_ALREADY_STOPPED ? 0 : code;
}

static int ask_pending(void *unused)
{
	(void)unused;
	return lttng_data_pending(session.name);
}

/* 1: data waits to be written, 0: none does, else an error. */
static int wait_until_written(bool (*is_interrupted)(void))
{
	struct timespec tick = { .tv_nsec = DRAIN_TICK_MS * 1000000L };
	int pending = 1;

	for (int i = 0; i < DRAIN_TICKS_MAX && !is_interrupted(); i++) {
		pending = control_request(ask_pending, NULL, STEP_SECONDS);
		if (pending <= 0)
			break;
		if (i == DRAIN_NOTICE_TICKS)
			cli_warn("LTTng is still writing; an interrupt (Ctrl-C) gives up on that");
		nanosleep(&tick, NULL);
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

static void add_loss(struct lttng_channel *channel)
{
	uint64_t events = 0, packets = 0;

	if (lttng_channel_get_discarded_event_count(channel, &events) ||
	    lttng_channel_get_lost_packet_count(channel, &packets))
		return;
	session.loss.events_discarded += without_wraps(events);
	session.loss.packets_lost += packets;
	session.loss.known = true;
}

static int count_loss(void *unused)
{
	struct lttng_channel *channels = NULL;
	int count = lttng_list_channels(session.handle, &channels);

	(void)unused;
	session.loss = (struct session_loss){ 0 };
	for (int i = 0; i < count; i++)
		add_loss(&channels[i]);
	free(channels);
	return count < 0 ? count : 0;
}

bool session_look_at_loss(struct session_loss *loss)
{
	int code = control_request(count_loss, NULL, STEP_SECONDS);

	if (code == CONTROL_SILENT || code < 0)
		return false;
	*loss = session.loss;
	return loss->known;
}

enum session_result session_stop(struct session_loss *loss, bool (*is_interrupted)(void))
{
	static const struct step stop_steps[] = { { stop_tracing, "stop recording" } };
	static const struct step count_steps[] = { { count_loss, "count the lost events" } };
	enum session_result result = RUN_STEPS(stop_steps);

	if (!result)
		result = drain(is_interrupted);
	if (!result)
		result = RUN_STEPS(count_steps);
	if (result != SESSION_SILENT)
		*loss = session.loss;
	return result;
}

/* All is written: nobody has to wait for the daemon, which looks every half second whether it has
 * closed the files. */
static int destroy(void *unused)
{
	(void)unused;
	return lttng_destroy_session_no_wait(session.name);
}

void session_destroy(void)
{
	if (!session.exists)
		return;
	session.exists = false;
	if (control_request(destroy, NULL, STEP_SECONDS) == CONTROL_SILENT)
		return;
	memory_remove(session.name);
	lttng_destroy_handle(session.handle);
	session.handle = NULL;
}
