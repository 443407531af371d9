/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Looks up the next symbols: only names that are there. A lookup that fails would leave its
 * message for the program's first dlerror(), and ask malloc for it, maybe in the middle of one. */

#include "preload/native/real.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

struct real real;

/* The one that the program finds first. */
static void *first_malloc;

/* clang-format off */
#define ROW(name) { #name, (void **)&real.name }
/* clang-format on */

static const struct {
	const char *name;
	void **function;
} rows[] = {
	ROW(malloc),         ROW(free),
	ROW(calloc),         ROW(realloc),
	ROW(memalign),       ROW(aligned_alloc),
	ROW(posix_memalign), ROW(valloc),
	ROW(pvalloc),        ROW(malloc_usable_size),
	ROW(malloc_trim),    ROW(mallopt),
	ROW(mallinfo),       ROW(mallinfo2),
	ROW(malloc_info),    ROW(malloc_stats),
	ROW(mlock),          ROW(munlock),
	ROW(msync),          ROW(pthread_sigmask),
	ROW(sigprocmask),    ROW(sigaction),
	ROW(signal),         ROW(sysv_signal),
	ROW(dlclose),        ROW(dl_iterate_phdr),
	ROW(execve),         ROW(execvpe),
	ROW(fexecve),        ROW(execveat),
	ROW(posix_spawn),    ROW(posix_spawnp),
	ROW(_exit),          ROW(fork),
	ROW(forkpty),        ROW(daemon),
	ROW(close),          ROW(close_range),
	ROW(dup2),           ROW(dup3),
	ROW(sendmsg),
};

void real_forget_failure(void)
{
	(void)dlsym(RTLD_DEFAULT, "malloc");
}

/* The next one; the first one when the C library stands before us in the list of preloads. */
static void *find(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (!function) {
		function = dlsym(RTLD_DEFAULT, name);
		(void)dlerror();
	}
	return function;
}

/* Where the object begins that holds this address. */
static const void *object_of(const void *address)
{
	struct dl_find_object found;

	return _dl_find_object((void *)address, &found) == 0 ? found.dlfo_map_start : NULL;
}

bool real_is_malloc_foreign(bool observe)
{
	const void *first = object_of(first_malloc), *libc = object_of((void *)real._exit);

	if (first == object_of(&real))
		return observe && object_of((void *)real.malloc) != libc;
	return first != libc;
}

bool real_is_of_next_malloc(const void *function)
{
	const void *object = object_of((void *)real.malloc);

	return object && object == object_of(function) && object != object_of((void *)real._exit);
}

void real_resolve_first(void)
{
	real.__register_atfork = (int (*)(void (*)(void), void (*)(void), void (*)(void),
					  void *))find("__register_atfork");
}

void real_resolve_tracker(void *library)
{
	real.lttng_ust_add_fd_to_tracker =
		(int (*)(int))dlsym(library, "lttng_ust_add_fd_to_tracker");
	real.lttng_ust_delete_fd_from_tracker =
		(void (*)(int))dlsym(library, "lttng_ust_delete_fd_from_tracker");
}

bool real_is_loaded(const char *name)
{
	for (const struct link_map *map = _r_debug.r_map; map; map = map->l_next) {
		const char *end = strrchr(map->l_name, '/');

		if (end && strcmp(end + 1, name) == 0)
			return true;
	}
	return false;
}

void real_resolve(void)
{
	first_malloc = dlsym(RTLD_DEFAULT, "malloc");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		*rows[i].function = find(rows[i].name);
	if (real_is_loaded(REAL_LTTNG_COMMON))
		real_resolve_tracker(RTLD_NEXT);
}
