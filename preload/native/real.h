/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The next implementations in line: what the program would call if we were absent. */

#ifndef VADTRACE_PRELOAD_NATIVE_REAL_H
#define VADTRACE_PRELOAD_NATIVE_REAL_H

#include <malloc.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

struct dl_phdr_info;
struct msghdr;
struct termios;
struct winsize;

/* Pointers to functions; written once by real_resolve, before any other thread exists. */
struct real {
	void *(*malloc)(size_t);
	void (*free)(void *);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void *(*memalign)(size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*valloc)(size_t);
	void *(*pvalloc)(size_t);
	size_t (*malloc_usable_size)(void *);
	int (*malloc_trim)(size_t);
	int (*mallopt)(int, int);
	struct mallinfo (*mallinfo)(void);
	struct mallinfo2 (*mallinfo2)(void);
	int (*malloc_info)(int, FILE *);
	void (*malloc_stats)(void);
	int (*mlock)(const void *, size_t);
	int (*munlock)(const void *, size_t);
	int (*msync)(void *, size_t, int);
	int (*pthread_sigmask)(int, const sigset_t *, sigset_t *);
	int (*sigprocmask)(int, const sigset_t *, sigset_t *);
	int (*sigaction)(int, const struct sigaction *, struct sigaction *);
	void (*(*signal)(int, void (*)(int)))(int);
	void (*(*sysv_signal)(int, void (*)(int)))(int);
	int (*dlclose)(void *);
	int (*dl_iterate_phdr)(int (*)(struct dl_phdr_info *, size_t, void *), void *);
	int (*execve)(const char *, char *const[], char *const[]);
	int (*execvpe)(const char *, char *const[], char *const[]);
	int (*fexecve)(int, char *const[], char *const[]);
	int (*execveat)(int, const char *, char *const[], char *const[], int);
	int (*posix_spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *,
			   const posix_spawnattr_t *, char *const[], char *const[]);
	int (*posix_spawnp)(pid_t *, const char *, const posix_spawn_file_actions_t *,
			    const posix_spawnattr_t *, char *const[], char *const[]);
	void (*_exit)(int);
	int (*__register_atfork)(void (*)(void), void (*)(void), void (*)(void), void *);
	pid_t (*fork)(void);
	int (*forkpty)(int *, char *, const struct termios *, const struct winsize *);
	int (*daemon)(int, int);
	int (*close)(int);
	int (*close_range)(unsigned int, unsigned int, int);
	int (*dup2)(int, int);
	int (*dup3)(int, int, int);
	ssize_t (*sendmsg)(int, const struct msghdr *, int);
	int (*lttng_ust_add_fd_to_tracker)(int);
	void (*lttng_ust_delete_fd_from_tracker)(int);
};

/* LTTng's library that keeps its file descriptors, from its constructor on. */
#define REAL_LTTNG_COMMON "liblttng-ust-common.so.1"

extern struct real real __attribute__((visibility("hidden")));

/* Looks all of them up. The lookup may allocate; it must not find us at work when it does. */
void real_resolve(void);

/* The two of LTTng's in `library`, a handle of the dynamic loader's; NULL where it has none. */
void real_resolve_tracker(void *library);

/* Takes away what a failed lookup has left for dlerror. glibc does so at each one that succeeds;
 * dlerror itself would put the message into words, which takes stdio's and gettext's pages. */
void real_forget_failure(void);

/* Whether an object with this file name is loaded. For the process's start. */
bool real_is_loaded(const char *name);

/* Only __register_atfork, before that. */
void real_resolve_first(void);

/* Whether blocks for other libraries, LTTng's among them, come from an allocator that is neither
 * ours nor the C library's: it stands before us, or after us and we only observe. */
bool real_is_malloc_foreign(bool observe);

/* Whether `function` belongs to an allocator after us: not the C library, and the next malloc is of
 * the same object. */
bool real_is_of_next_malloc(const void *function);

#endif
