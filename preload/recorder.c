/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Loading is the constructor's: before it nothing is recorded, and after it the dynamic loader is
 * not ours to call. The object is never unloaded.
 *
 * Where it is in the list of preloads, it is there already, and the thread-local storage of its
 * libraries is each thread's from the start. Else the loader allocates that when a thread first
 * touches it, on a traced path: our malloc serves it from the bootstrap arena. Another allocator's,
 * which stands before us, may at that moment hold the lock that it needs: it has asked for pages.
 */

#include "preload/recorder.h"

#include <config.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload/config.h"
#include "preload/environment.h"
#include "preload/native/real.h"
#include "preload/record/record.h"
#include "trace/schema/schema.h"

/* LTTng's own names of sockets: of root's daemon and, below a home folder, of a user's. */
#define SOCKET "lttng-ust-sock-8"
#define FOLDER_OF_ROOT "/var/run/lttng/"
#define FOLDER_OF_USER "/.lttng/"

/* LTTng cancels its threads at the end, for which the C library opens this: in a program that has
 * changed its root, or may open nothing more, it must be there already. By itself, not as something
 * that the object needs: its functions would be bound to those of libunwind that have their names,
 * and the program's exceptions with them. */
#define UNWINDER "libgcc_s.so.1"

/* --- Nobody records -------------------------------------------------------------------------- */

static void do_nothing(void)
{
}

static bool say_no(void)
{
	return false;
}

static void start_nothing(const struct trace_config *config)
{
	(void)config;
}

static uint32_t take_no_stack(uint64_t *frames, uint32_t capacity)
{
	(void)frames;
	(void)capacity;
	return 0;
}

static bool hold_nothing_back(uint64_t *mask)
{
	(void)mask;
	return false;
}

static const char *find_no_module(uint64_t address, uint64_t *offset)
{
	(void)address;
	(void)offset;
	return NULL;
}

static const struct trace_functions nobody = {
	.start = start_nothing,
	.fork_prepare = do_nothing,
	.fork_freeze = do_nothing,
	.fork_parent = do_nothing,
	.fork_child = do_nothing,
	.fork_child_wait = do_nothing,
	.fork_child_resume = do_nothing,
	.thread_begin = do_nothing,
	.exec = do_nothing,
	.thread_exit = do_nothing,
	.exit = do_nothing,
	.modules_changed = do_nothing,
	.take_stack = take_no_stack,
	.find_module = find_no_module,
	.is_inside = say_no,
	.is_unwinding = say_no,
	.hold_signal_back = hold_nothing_back,
	.is_wanted = say_no,
};

static const struct record *record;
const struct trace_functions *tracer = &nobody;

/* --- Whether --------------------------------------------------------------------------------- */

/* Whether a daemon's socket lies there. No text: no. */
static bool has_socket(const char *base, const char *folder)
{
	char path[PATH_MAX];

	if (!base || strlen(base) + strlen(folder) + sizeof(SOCKET) > sizeof(path))
		return false;
	stpcpy(stpcpy(stpcpy(path, base), folder), SOCKET);
	return access(path, F_OK) == 0;
}

static bool is_daemon_there(void)
{
	const char *home = environment_get("LTTNG_HOME");

	return has_socket("", FOLDER_OF_ROOT) ||
	       has_socket(home ? home : environment_get("HOME"), FOLDER_OF_USER) ||
	       has_socket(environment_get("LTTNG_UST_APP_PATH"), "/");
}

bool recorder_is_wanted(void)
{
	const char *answer = environment_get(VADTRACE_ENV_RECORD);
	int saved_errno = errno;
	bool is_wanted;

	if (answer && (!strcmp(answer, "0") || !strcmp(answer, "1")))
		return *answer == '1';
	is_wanted = config_get()->session[0] || config_get()->check != CHECKED_NOT ||
		    real_is_loaded(RECORD_OBJECT) || is_daemon_there();
	errno = saved_errno;
	return is_wanted;
}

/* --- Loading --------------------------------------------------------------------------------- */

/* The object beside this one's file. */
static bool find_path(char path[PATH_MAX])
{
	struct dl_find_object own;
	char *name;

	if (_dl_find_object((void *)&nobody, &own) != 0 ||
	    !realpath(own.dlfo_link_map->l_name, path))
		return false;
	name = strrchr(path, '/') + 1;
	if ((size_t)(name - path) + sizeof(RECORD_OBJECT) > PATH_MAX)
		return false;
	strcpy(name, RECORD_OBJECT);
	return true;
}

/* NULL when there is none, or it is another version's. */
static const struct record *load(void)
{
	const struct record *found;
	char path[PATH_MAX];
	void *object;

	if (!find_path(path) ||
	    (!real_is_loaded(RECORD_OBJECT) && real_is_malloc_foreign(config_get()->observe)))
		return NULL;
	if (!real.lttng_ust_add_fd_to_tracker && (object = dlopen(REAL_LTTNG_COMMON, RTLD_NOW)))
		real_resolve_tracker(object);
	(void)dlopen(UNWINDER, RTLD_NOW | RTLD_NODELETE);
	object = dlopen(path, RTLD_NOW | RTLD_NODELETE);
	found = object ? dlsym(object, RECORD_SYMBOL) : NULL;
	return found && !strcmp(found->version, PACKAGE_VERSION) ? found : NULL;
}

/* A message of the loader's would be the program's first dlerror. */
bool recorder_load(void)
{
	int saved_errno = errno;

	if (record)
		return true;
	record = load();
	if (record)
		tracer = record->trace;
	(void)dlerror();
	errno = saved_errno;
	return record != NULL;
}

void recorder_plan_dll(const struct pe_image *image, const char *name, struct plan *plans)
{
	if (record) {
		record->plan_dll(image, name, plans);
		return;
	}
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (!strcmp(hook_at(i)->dll, name))
			plans[i] = (struct plan){ .state = HOOK_LEFT,
						  .reason = RECORD_OBJECT " is missing" };
}
