/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Looks up the next symbols. Only names that every C library we run on has, or LTTng's: a lookup
 * that fails would leave its message for the program's first dlerror(). */

#include "preload/native/real.h"

#include <dlfcn.h>

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
	ROW(malloc),
	ROW(free),
	ROW(calloc),
	ROW(realloc),
	ROW(memalign),
	ROW(aligned_alloc),
	ROW(posix_memalign),
	ROW(valloc),
	ROW(pvalloc),
	ROW(malloc_usable_size),
	ROW(malloc_trim),
	ROW(mallopt),
	ROW(mallinfo),
	ROW(mallinfo2),
	ROW(malloc_info),
	ROW(malloc_stats),
	ROW(mlock),
	ROW(munlock),
	ROW(msync),
	ROW(pthread_sigmask),
	ROW(sigprocmask),
	ROW(sigaction),
	ROW(signal),
	ROW(sysv_signal),
	ROW(dlclose),
	ROW(dl_iterate_phdr),
	ROW(execve),
	ROW(execvpe),
	ROW(fexecve),
	ROW(execveat),
	ROW(posix_spawn),
	ROW(posix_spawnp),
	ROW(_exit),
	ROW(fork),
	ROW(forkpty),
	ROW(daemon),
	ROW(close),
	ROW(close_range),
	ROW(dup2),
	ROW(dup3),
	ROW(sendmsg),
	ROW(lttng_ust_add_fd_to_tracker),
	ROW(lttng_ust_delete_fd_from_tracker),
};

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

void real_resolve(void)
{
	first_malloc = dlsym(RTLD_DEFAULT, "malloc");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		*rows[i].function = find(rows[i].name);
}
