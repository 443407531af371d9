/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The order of things:
 *
 *   hold the child - folder - lock, daemon, session, unlock - manifest - let go
 *   wait, watching the disk and the daemon; snapshots
 *   stop - count losses - destroy - tidy - manifest - compress - the last line - lock, release
 *   daemon
 *
 * The child is forked first, while there is one thread, and its pid names the folder. What fails
 * before the program runs undoes what came before it. What fails later keeps the trace so far, and
 * is told by the exit status. */

#include "tools/record/recording.h"

#include "config.h"
#include "tools/lib/cli.h"
#include "tools/lib/compress.h"
#include "tools/lib/manifest.h"
#include "tools/lib/snapshots.h"
#include "tools/record/clock.h"
#include "tools/record/daemon.h"
#include "tools/record/environment.h"
#include "tools/record/exit.h"
#include "tools/record/folder.h"
#include "tools/record/launch.h"
#include "tools/record/memory.h"
#include "tools/record/room.h"
#include "tools/record/session.h"
#include "tools/record/snapshot.h"
#include "trace/schema/schema.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 100, LOOKS_PER_NEWS = 10 };

/* What was told of the recording while it runs. */
struct news {
	uint64_t time_ns, size_bytes; /* at the last line */
	uint32_t looks;
	bool has_warned;
};

/* - failure is 0 or the exit status that takes the place of the program's;
 * - is_recording: the session runs, and nothing has stopped it yet. */
struct recording {
	const struct record_options *options;
	const struct target *target;
	struct launch launch;
	struct folder folder;
	struct manifest manifest;
	struct snapshot snapshot;
	struct trigger_watch triggers;
	struct utsname machine;
	char library[PATH_MAX];
	char cwd[PATH_MAX];
	pid_t daemon;       /* 0 when unknown */
	uint64_t ust_bytes; /* that LTTng wrote */
	uint64_t finish_ns; /* how long the program's end was before everything was written */
	bool is_recording;
	bool is_deserted;        /* nobody empties the buffers any more */
	bool are_others_blocked; /* what they wrote is lost */
	int failure;
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void say(const struct recording *recording, const char *text)
{
	if (recording->options->is_verbose)
		fprintf(stderr, "vadtrace: %s\n", text);
}

/* In the child. */

/* What env would execute for "#!/usr/bin/env NAME": what env starts is not followed. */
static char **env_words(const struct recording *recording)
{
	char **words = recording->options->command;
	size_t count = 0;
	char **longer;

	while (words[count])
		count++;
	longer = calloc(count + 2, sizeof(*longer));
	if (!longer)
		return NULL;
	longer[0] = strdup(recording->target->interpreter);
	longer[1] = strdup(recording->target->path);
	memcpy(longer + 2, words + 1, count * sizeof(*words));
	return longer;
}

static int execute(const char *live, void *context)
{
	const struct recording *recording = context;
	const struct target *target = recording->target;
	bool skips_env =
		target->notes & TARGET_NOTE_ENV_SCRIPT && !recording->options->with_children;
	char **words = skips_env ? env_words(recording) : recording->options->command;
	char **variables =
		environment_build(recording->options, recording->library, session_name(), live);

	if (!words || !variables)
		return ENOMEM;
	execve(skips_env ? target->image : target->path, words, variables);
	return errno;
}

/* The manifest. */

static void describe_host(struct recording *recording)
{
	struct manifest_host *host = &recording->manifest.host;

	uname(&recording->machine);
	host->node = recording->machine.nodename;
	host->system = recording->machine.sysname;
	host->release = recording->machine.release;
	host->machine = recording->machine.machine;
}

static void describe_options(struct manifest_options *shown, const struct record_options *options)
{
	*shown = (struct manifest_options){
		.children = options->with_children,
		.plain = options->is_plain,
		.discard = options->block_us != OPTIONS_BLOCK_FOR_EVER,
		.stack_depth = options->stack_depth,
		.min_size_bytes = options->min_size_bytes,
		.commit_limit_bytes = options->commit_limit_bytes,
		.buffer_bytes = options->buffer_bytes,
		.buffer_count = OPTIONS_BUFFER_COUNT,
		.snapshot_bytes = options->snapshot.bytes,
		.relay_url = (char *)options->relay_url,
	};
}

static void describe(struct recording *recording)
{
	struct manifest *manifest = &recording->manifest;

	manifest->format_version = MANIFEST_FORMAT_VERSION;
	manifest->schema_version = VADTRACE_SCHEMA_VERSION;
	manifest->vadtrace_version = (char *)PACKAGE_VERSION;
	manifest->session = (char *)session_name();
	manifest->mode = (char *)recording->options->mode;
	manifest->command = recording->options->command;
	manifest->executable = (char *)recording->target->image;
	manifest->cwd = recording->cwd;
	manifest->pid = recording->launch.pid;
	clock_calibrate(&manifest->clock);
	manifest->start_monotonic_ns = now_ns(CLOCK_MONOTONIC);
	manifest->start_realtime_ns =
		manifest->start_monotonic_ns + manifest->clock.realtime_offset_ns;
	manifest->stopped = (char *)"";
	manifest->snapshot.reason = (char *)"";
	describe_host(recording);
	describe_options(&manifest->options, recording->options);
}

static bool write_manifest(struct recording *recording)
{
	int status = manifest_write(recording->folder.path, &recording->manifest);

	if (!status)
		return true;
	cli_error("cannot write %s/" VADTRACE_MANIFEST_FILE ": %s", recording->folder.shown,
		  strerror(-status));
	recording->failure = status == -ENOSPC ? RECORD_EXIT_DISK : RECORD_EXIT_FOLDER;
	return false;
}

/* Before the program runs. Each step returns 0, or the exit status after undoing itself. */

static const char *program_name(const struct recording *recording)
{
	const char *slash = strrchr(recording->options->command[0], '/');

	return slash ? slash + 1 : recording->options->command[0];
}

static int hold(struct recording *recording)
{
	int status;

	if (!getcwd(recording->cwd, sizeof(recording->cwd)))
		recording->cwd[0] = '\0';
	launch_block_signals();
	status = launch_hold(&recording->launch, execute, recording);
	if (!status)
		return 0;
	cli_error("cannot start a process: %s", strerror(-status));
	return RECORD_EXIT_FAILURE;
}

static int make_folder(struct recording *recording)
{
	struct folder *folder = &recording->folder;

	if (!folder_create(folder, recording->options->folder, program_name(recording),
			   recording->launch.pid, recording->options->is_forced))
		return errno == ENOSPC || errno == EDQUOT ? RECORD_EXIT_DISK : RECORD_EXIT_FOLDER;
	if (recording->options->snapshot.bytes)
		folder_expect_snapshots(folder);
	if (room_check_disk(folder->path))
		return 0;
	folder_take_back(folder);
	return RECORD_EXIT_DISK;
}

static int start_session(struct recording *recording)
{
	enum session_result result = session_create(recording->options, recording->folder.session,
						    recording->launch.pid);

	if (!result) {
		result = session_start();
		if (result)
			session_destroy();
	}
	if (!result)
		return 0;
	daemon_release();
	return result == SESSION_SILENT ? RECORD_EXIT_DAEMON : RECORD_EXIT_LTTNG;
}

static int make_session(struct recording *recording)
{
	int lock = daemon_lock(), status = RECORD_EXIT_DAEMON;
	bool is_started;

	if (daemon_ensure(&is_started)) {
		say(recording,
		    is_started ? "started a session daemon" : "using the session daemon that runs");
		status = start_session(recording);
	}
	daemon_unlock(lock);
	recording->daemon = daemon_pid();
	recording->is_recording = status == 0;
	return status;
}

static void drop_session(void)
{
	int lock = daemon_lock();

	session_destroy();
	daemon_release();
	daemon_unlock(lock);
}

static int release(struct recording *recording)
{
	int error;

	describe(recording);
	if (!write_manifest(recording))
		return recording->failure;
	error = launch_release(&recording->launch, recording->folder.live);
	if (!error)
		return 0;
	cli_error("cannot execute '%s': %s", recording->target->path, strerror(error));
	return error == ENOENT ? RECORD_EXIT_NOT_FOUND : RECORD_EXIT_NOT_EXECUTABLE;
}

static int begin(struct recording *recording)
{
	int status = make_folder(recording);

	if (status) {
		launch_cancel(&recording->launch);
		return status;
	}
	status = make_session(recording);
	if (!status)
		status = release(recording);
	if (!status)
		return 0;
	if (recording->launch.go >= 0)
		launch_cancel(&recording->launch);
	drop_session();
	folder_take_back(&recording->folder);
	return status;
}

/* While it runs. */

/* A signal that comes while the program runs is for the program. */
static bool never(void)
{
	return false;
}

static void stop(struct recording *recording, bool (*is_interrupted)(void))
{
	enum session_result result;
	struct session_loss loss = { 0 };

	if (!recording->is_recording)
		return;
	recording->is_recording = false;
	result = session_stop(&loss, is_interrupted);
	recording->manifest.loss =
		(struct manifest_loss){ .events_discarded = loss.events_discarded,
					.packets_lost = loss.packets_lost,
					.known = loss.known };
	if (result && !recording->failure)
		recording->failure =
			result == SESSION_SILENT ? RECORD_EXIT_DAEMON : RECORD_EXIT_LTTNG;
}

static void stop_for_disk(struct recording *recording)
{
	cli_error("the disk is nearly full: recording stops here, the program goes on");
	recording->failure = RECORD_EXIT_DISK;
	recording->manifest.stopped = (char *)"disk full";
	stop(recording, never);
}

static void stop_for_daemon(struct recording *recording)
{
	cli_error("the session daemon ended: recording stops here");
	recording->failure = RECORD_EXIT_LTTNG;
	recording->manifest.stopped = (char *)"session daemon ended";
	recording->is_recording = false;
	recording->is_deserted = true;
}

/* LTTng's part of the program takes no request while a thread waits for room. */
static void stop_for_consumer(struct recording *recording)
{
	cli_error("LTTng's consumer daemon ended: recording stops here, the program goes on");
	recording->failure = RECORD_EXIT_LTTNG;
	recording->manifest.stopped = (char *)"consumer daemon ended";
	recording->is_deserted = true;
	memory_pass(session_name());
	stop(recording, never);
}

/* Writers that wait for room find some, until LTTng has told the program that it is over. */
static void let_writers_go(const struct recording *recording)
{
	if (recording->is_deserted)
		memory_pass(session_name());
}

/* "3 events and 1 packets LOST", or that nothing was. */
static const char *describe_loss(const struct manifest_loss *loss, bool are_others_blocked,
				 char text[80])
{
	if (!loss->known)
		return "losses unknown";
	if (are_others_blocked)
		return "events LOST, nobody knows how many";
	if (!loss->events_discarded && !loss->packets_lost)
		return "nothing lost";
	snprintf(text, 80, "%" PRIu64 " events and %" PRIu64 " packets LOST",
		 loss->events_discarded, loss->packets_lost);
	return text;
}

static struct manifest_loss ask_loss(void)
{
	struct session_loss loss = { 0 };

	session_look_at_loss(&loss);
	return (struct manifest_loss){ .events_discarded = loss.events_discarded,
				       .packets_lost = loss.packets_lost,
				       .known = loss.known };
}

/* The first loss is told to everybody. */
static void warn_of_loss(struct news *news, const struct manifest_loss *loss)
{
	if (news->has_warned || (!loss->events_discarded && !loss->packets_lost))
		return;
	news->has_warned = true;
	cli_warn("events are being lost: the buffers are full");
	cli_hint("a larger --buffer-size, a longer --max-block or a faster disk for -o helps");
}

static void print_rate(const struct recording *recording, struct news *news,
		       const struct manifest_loss *loss)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);
	uint64_t size_bytes = folder_size_bytes(recording->folder.ust);
	double seconds = (double)(now - (news->time_ns ? news->time_ns
						       : recording->manifest.start_monotonic_ns)) /
			 1e9;
	char size[16], rate[16], text[80];

	fprintf(stderr, "vadtrace: %.1f s: %s written, %s/s, %s\n",
		(double)(now - recording->manifest.start_monotonic_ns) / 1e9,
		cli_format_bytes(size_bytes, size),
		cli_format_bytes((uint64_t)((double)(size_bytes - news->size_bytes) / seconds),
				 rate),
		describe_loss(loss, /* are_others_blocked */ false, text));
	news->time_ns = now;
	news->size_bytes = size_bytes;
}

/* With less patience than usual. */
static bool may_lose_soon(const struct record_options *options)
{
	return options->block_us != OPTIONS_BLOCK_FOR_EVER &&
	       options->block_us < OPTIONS_BLOCK_US_DEFAULT;
}

static void tell_news(const struct recording *recording, struct news *news)
{
	const struct record_options *options = recording->options;
	struct manifest_loss loss;

	if (++news->looks % LOOKS_PER_NEWS || (!options->is_verbose && !may_lose_soon(options)))
		return;
	loss = ask_loss();
	warn_of_loss(news, &loss);
	if (options->is_verbose)
		print_rate(recording, news, &loss);
}

/* Snapshots. */

static bool has_snapshots(const struct recording *recording)
{
	return recording->options->snapshot.bytes != 0;
}

/* The reason for a snapshot now, or NULL. */
static const char *find_reason(struct recording *recording)
{
	bool is_called = launch_is_called();

	if (snapshot_is_requested(&recording->folder))
		return "request";
	if (is_called)
		return "signal";
	return triggers_look(&recording->options->snapshot.triggers, &recording->triggers,
			     recording->launch.pid, recording->folder.live);
}

static void tell_snapshot(const struct recording *recording)
{
	const struct snapshot *snapshot = &recording->snapshot;
	uint64_t begin_ns =
		snapshot->begin_ns ? snapshot->begin_ns : recording->manifest.start_monotonic_ns;

	if (!recording->options->is_quiet)
		fprintf(stderr,
			"vadtrace: %s/" SNAPSHOTS_PREFIX "%" PRIu32 " (%s): the last %.2f s\n",
			recording->folder.shown, snapshot->number, snapshot->reason,
			(double)(snapshot->end_ns - begin_ns) / 1e9);
}

/* False after a message. */
static bool finish_snapshot(struct recording *recording)
{
	if (!snapshot_finish(&recording->snapshot, &recording->folder, &recording->manifest))
		return false;
	tell_snapshot(recording);
	return true;
}

/* While the program runs. */
static void take_snapshot(struct recording *recording, const char *reason)
{
	struct snapshot *snapshot = &recording->snapshot;

	if (snapshot_begin(snapshot, &recording->folder, reason, /* dead */ false) &&
	    session_rotate() == SESSION_OK)
		finish_snapshot(recording);
	else if (snapshot->is_open)
		snapshot_cancel(snapshot);
	snapshot_answer(&recording->folder);
}

static void watch_for_snapshot(struct recording *recording)
{
	const char *reason = has_snapshots(recording) ? find_reason(recording) : NULL;

	if (reason)
		take_snapshot(recording, reason);
}

/* What is in memory at the program's end. Nobody writes to it when all processes that were recorded
 * are gone. */
static void begin_last_snapshot(struct recording *recording)
{
	const struct record_options *options = recording->options;
	int status = recording->launch.wait_status;
	bool is_dead = WIFSIGNALED(status) && !options->with_children && !options->is_moving;
	const char *reason = triggers_at_end(&options->snapshot.triggers, status);

	if (!has_snapshots(recording) || !recording->is_recording)
		return;
	if (!reason && snapshot_is_requested(&recording->folder))
		reason = "request";
	if (reason)
		snapshot_begin(&recording->snapshot, &recording->folder, reason, is_dead);
}

static void end_snapshots(struct recording *recording)
{
	if (!has_snapshots(recording))
		return;
	if (recording->snapshot.is_open)
		finish_snapshot(recording);
	snapshot_answer(&recording->folder);
}

static void watch(struct recording *recording)
{
	struct room_watch room = { 0 };
	struct news news = { 0 };

	while (!launch_step(&recording->launch, LOOK_MS)) {
		if (!recording->is_recording) {
			let_writers_go(recording);
			continue;
		}
		tell_news(recording, &news);
		watch_for_snapshot(recording);
		if (!daemon_is_alive(recording->daemon))
			stop_for_daemon(recording);
		else if (!daemon_is_alive(session_consumer()))
			stop_for_consumer(recording);
		else if (!recording->options->relay_url &&
			 room_is_short(&room, recording->folder.path))
			stop_for_disk(recording);
	}
}

/* After its end. */

static void describe_end(struct recording *recording)
{
	struct manifest *manifest = &recording->manifest;
	int status = recording->launch.wait_status;

	manifest->duration_ns = now_ns(CLOCK_MONOTONIC) - manifest->start_monotonic_ns;
	manifest->end.known = true;
	manifest->end.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	manifest->end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static int program_status(const struct manifest_end *end)
{
	return end->signal ? RECORD_EXIT_SIGNAL + end->signal : end->exit_status;
}

/* The name as a shell wants it. */
static const char *quote(const char *name, char quoted[PATH_MAX])
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789_./+-:,@%=";

	if (!name[strspn(name, plain)] || strchr(name, '\''))
		return name;
	snprintf(quoted, PATH_MAX, "'%s'", name);
	return quoted;
}

static void warn_without_snapshot(const struct recording *recording)
{
	if (!has_snapshots(recording) || recording->failure ||
	    snapshots_newest(recording->folder.path))
		return;
	cli_warn("no snapshot was taken: nothing asked for one");
	cli_hint("'vadtrace snapshot %s' does, while the program runs; so does --snapshot-on",
		 recording->folder.shown);
}

static void print_summary(const struct recording *recording, uint64_t size_bytes)
{
	const struct manifest *manifest = &recording->manifest;
	char size[16], loss[80], quoted[PATH_MAX];

	fprintf(stderr,
		"vadtrace: recorded %s (pid %" PRId64 ") for %.2f s: %s, written %.2f s after its "
		"end, %s. Next: vadtrace report %s\n",
		program_name(recording), manifest->pid, (double)manifest->duration_ns / 1e9,
		cli_format_bytes(size_bytes, size), (double)recording->finish_ns / 1e9,
		describe_loss(&manifest->loss, recording->are_others_blocked, loss),
		quote(recording->folder.shown, quoted));
	if (recording->options->relay_url)
		cli_hint("the events are with the relay: copy the ust folder of its %s-* to %s",
			 manifest->session, recording->folder.shown);
}

/* A session that had a program in it leaves at least the description of the stream. */
static void warn_when_empty(const struct recording *recording)
{
	if (recording->options->relay_url || recording->failure || recording->ust_bytes)
		return;
	cli_warn("nothing was recorded: '%s' did not load %s", program_name(recording),
		 recording->library);
	cli_hint("it may remove LD_PRELOAD from its environment, or start another program that "
		 "does the work (then try --children)");
}

/* LTTng aborts where it is refused a system call that it needs. */
static void warn_of_filter(const struct recording *recording)
{
	int signal_number = recording->manifest.end.signal;

	if (signal_number != SIGSYS && (signal_number != SIGABRT || !recording->launch.has_filter))
		return;
	cli_warn("'%s' forbade itself system calls (seccomp) and was ended by %s",
		 program_name(recording), signal_number == SIGSYS ? "SIGSYS" : "SIGABRT");
	cli_hint("LTTng needs membarrier, futex and others in it: let the filter allow them, or "
		 "record without the filter");
}

/* A program that filled the disk between two looks. */
static void check_disk_afterwards(struct recording *recording)
{
	if (recording->failure || recording->options->relay_url ||
	    folder_free_bytes(recording->folder.path) >= ROOM_DISK_BYTES_FULL)
		return;
	cli_error("the disk is full: the end of the trace may be missing");
	cli_hint("free some space, or record to another disk with -o");
	recording->failure = RECORD_EXIT_DISK;
	recording->manifest.stopped = (char *)"disk full";
}

/* Whether others than the killed one may have written. That the program was alone is only known
 * when it is the one, and no other has left thread buffers; a report knows all processes. */
static bool was_alone(const struct recording *recording)
{
	return recording->manifest.end.signal && folder_count_live(&recording->folder) <= 1;
}

/* Other processes went on after the killed one, and filled its CPU's buffer. A snapshot's turns
 * round: its buffers are always full. A program that is alone fills them, too, and waits for room;
 * what it has to say is in its thread buffers then. */
static void count_blocked(struct recording *recording)
{
	struct manifest_loss *loss = &recording->manifest.loss;

	loss->blocked_buffers = has_snapshots(recording) ? 0 : memory_count_blocked(session_name());
	recording->are_others_blocked = loss->blocked_buffers && !was_alone(recording);
	if (!recording->are_others_blocked)
		return;
	cli_warn("a process was killed in the middle of an event: what others wrote on its CPU "
		 "is lost from where the buffer was full");
	cli_hint("a larger --buffer-size puts that off");
}

/* What LTTng does not write because a process was killed in the middle of an event. */
static void rescue(struct recording *recording)
{
	char folder[PATH_MAX + 16];

	if (recording->failure || !memory_has_rest(session_name()))
		return;
	count_blocked(recording);
	say(recording, "a process was killed while it wrote: its buffer is read by lttng-crash");
	snprintf(folder, sizeof(folder), "%s/rescued", recording->folder.ust);
	if (recording->options->relay_url || !memory_rescue(session_name(), folder))
		cli_warn("what a process wrote last before it was killed is lost: %s",
			 recording->options->relay_url ? "the relay cannot be sent it"
						       : "lttng-crash fails");
	memory_pass(session_name());
}

static void tidy(const struct recording *recording)
{
	if (has_snapshots(recording))
		folder_drop_base(&recording->folder);
	else
		folder_tidy_live(&recording->folder);
}

static void finish(struct recording *recording)
{
	uint64_t end_ns = now_ns(CLOCK_MONOTONIC);

	describe_end(recording);
	begin_last_snapshot(recording);
	stop(recording, launch_is_interrupted);
	rescue(recording);
	check_disk_afterwards(recording);
	end_snapshots(recording);
	recording->ust_bytes = folder_size_bytes(recording->folder.ust);
	session_destroy();
	tidy(recording);
	recording->manifest.complete = true;
	write_manifest(recording);
	folder_keep(&recording->folder);
	recording->finish_ns = now_ns(CLOCK_MONOTONIC) - end_ns;
}

/* Whether there is something to compress, and room for both forms of it. */
static bool can_compress(const struct recording *recording)
{
	return recording->options->is_to_be_compressed && !recording->failure &&
	       recording->ust_bytes &&
	       (!has_snapshots(recording) || snapshots_newest(recording->folder.path));
}

/* The trace is whole before, and whatever becomes of this. */
static void compress_streams(const struct recording *recording)
{
	struct compress compress = { .is_interrupted = launch_is_interrupted };
	char before[16], after[16];

	if (!can_compress(recording))
		return;
	if (compress_trace(recording->folder.path, &compress) != CLI_EXIT_OK)
		cli_warn("the trace is not, or not wholly, compressed");
	else if (!recording->options->is_quiet && !compress.is_done_already)
		fprintf(stderr, "vadtrace: compressed: %s -> %s\n",
			cli_format_bytes(compress.before_bytes, before),
			cli_format_bytes(compress.after_bytes, after));
}

static int conclude(struct recording *recording)
{
	int status = program_status(&recording->manifest.end);

	warn_when_empty(recording);
	warn_without_snapshot(recording);
	warn_of_filter(recording);
	if (!recording->options->is_quiet)
		print_summary(recording, folder_size_bytes(recording->folder.path));
	if (!recording->failure)
		return status;
	cli_error("the recording is incomplete; the program's own exit status was %d", status);
	return recording->failure;
}

int recording_run(struct record_options *options, const struct target *target)
{
	static struct recording recording;
	int status;

	launch_fill_descriptors();
	launch_keep_signal(options->snapshot.triggers.signal);
	recording.options = options;
	recording.target = target;
	if (!environment_find_library(recording.library, options->library))
		return RECORD_EXIT_LIBRARY;
	if (!room_fit_buffers(options))
		return RECORD_EXIT_LTTNG;
	session_name();
	status = hold(&recording);
	if (!status)
		status = begin(&recording);
	if (status)
		return status;
	watch(&recording);
	finish(&recording);
	compress_streams(&recording);
	status = conclude(&recording);
	drop_session();
	return status;
}
