/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The contract with the machine: all that core asks of the system. Answers are a value, 0, or
 * -errno; errno is never touched. Nothing here goes through libc, so nothing here can be interposed
 * and everything may be called at any moment: inside the loader, in a signal handler, after fork.
 */

#ifndef VADTRACE_CORE_OS_OS_H
#define VADTRACE_CORE_OS_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define OS_PAGE_SIZE ((size_t)4096)
/* One past the last address that a program may have. */
#define OS_USER_END ((uintptr_t)0x7ffffffff000)

/* Memory. Flags and advice are the system's own (sys/mman.h). */
intptr_t os_map(void *address, size_t size_bytes, int prot, int flags, int fd, off_t offset);
int os_unmap(void *address, size_t size_bytes);
int os_protect(void *address, size_t size_bytes, int prot);
int os_advise(void *address, size_t size_bytes, int advice);
intptr_t os_remap(void *address, size_t old_size_bytes, size_t new_size_bytes, int flags,
		  void *new_address);
/* The program break as it is after the call; the system does not say whether it agreed. */
intptr_t os_break(void *address);
intptr_t os_shm_attach(int id, const void *address, int flags);
int os_shm_detach(const void *address);
int os_lock_pages(const void *address, size_t size_bytes);
int os_unlock_pages(const void *address, size_t size_bytes);
int os_sync_pages(void *address, size_t size_bytes, int flags);
/* Pages that come to be there are taken from one of the nodes (a bit each) while it has any. */
int os_prefer_nodes(void *address, size_t size_bytes, uint64_t nodes);
/* The NUMA node of a page that is in memory; -ENOENT when it is not, -ENOSYS without nodes. */
int os_node_of_page(const void *address);
/* Whether the system reads there for the calling thread; looks at 8 bytes, which are zero or cannot
 * be read. */
bool os_can_read(const void *address);

/* Waits while *word is `expected`; may return early for any reason. */
void os_futex_wait(const uint32_t *word, uint32_t expected);
void os_futex_wake(const uint32_t *word, int threads);

/* Every thread of the process that runs now has seen what was written before, and what it wrote
 * can be seen, when this returns. */
void os_barrier_everywhere(void);
void os_sleep(uint64_t nanoseconds);

uint32_t os_thread_id(void);
uint32_t os_process_id(void);
/* Something that differs between the threads that are alive, and stays over fork; costs nothing. */
static inline uintptr_t os_thread_token(void)
{
	return (uintptr_t)__builtin_thread_pointer();
}

/* Blocks every signal of the calling thread, the C library's own too. */
void os_signals_block(uint64_t *saved_mask);
void os_signals_restore(uint64_t saved_mask);

/* Lets these signals through again; those that are pending are delivered before it returns. */
void os_signals_unblock(uint64_t mask);

/* What a signal does, as the kernel keeps it. Masks are its own: one bit for each signal, from 1.
 */
struct os_signal_action {
	void *handler; /* a function, SIG_DFL or SIG_IGN */
	uint64_t flags;
	void *restorer;
	uint64_t mask;
};

static inline uint64_t os_signal_bit(int signal)
{
	return UINT64_C(1) << (signal - 1);
}

/* Sets what a signal does, unless `action` is NULL; *old, when not NULL, is what it did. The
 * restorer is put in. 0 or -errno. */
int os_signal_action(int signal, const struct os_signal_action *action,
		     struct os_signal_action *old);
/* Sends the calling thread a signal with a siginfo_t as it is given. 0 or -errno. */
int os_signal_raise(int signal, const void *info);

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t os_clock_ns(void);

int os_open(const char *path, int flags, int mode);
ssize_t os_read(int fd, void *buffer, size_t size_bytes);
ssize_t os_read_at(int fd, void *buffer, size_t size_bytes, off_t offset);
ssize_t os_write(int fd, const void *buffer, size_t size_bytes);
int os_close(int fd);

/* Ends the process by SIGABRT, whatever its handlers are. */
_Noreturn void os_abort(void);

#endif
