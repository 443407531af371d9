/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The contract with the machine, on Linux: raw system calls, one function each. Knows no memory
 * semantics, holds no state and no lock. */

#include "core/os/os.h"

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include "core/os/syscall.h"

intptr_t os_map(void *address, size_t size_bytes, int prot, int flags, int fd, off_t offset)
{
	return system_call6(SYS_mmap, (long)address, (long)size_bytes, prot, flags, fd, offset);
}

int os_unmap(void *address, size_t size_bytes)
{
	return (int)system_call3(SYS_munmap, (long)address, (long)size_bytes, 0);
}

int os_protect(void *address, size_t size_bytes, int prot)
{
	return (int)system_call3(SYS_mprotect, (long)address, (long)size_bytes, prot);
}

int os_advise(void *address, size_t size_bytes, int advice)
{
	return (int)system_call3(SYS_madvise, (long)address, (long)size_bytes, advice);
}

intptr_t os_remap(void *address, size_t old_size_bytes, size_t new_size_bytes, int flags,
		  void *new_address)
{
	return system_call6(SYS_mremap, (long)address, (long)old_size_bytes, (long)new_size_bytes,
			    flags, (long)new_address, 0);
}

intptr_t os_break(void *address)
{
	return system_call3(SYS_brk, (long)address, 0, 0);
}

intptr_t os_shm_attach(int id, const void *address, int flags)
{
	return system_call3(SYS_shmat, id, (long)address, flags);
}

int os_shm_detach(const void *address)
{
	return (int)system_call3(SYS_shmdt, (long)address, 0, 0);
}

int os_lock_pages(const void *address, size_t size_bytes)
{
	return (int)system_call3(SYS_mlock, (long)address, (long)size_bytes, 0);
}

int os_unlock_pages(const void *address, size_t size_bytes)
{
	return (int)system_call3(SYS_munlock, (long)address, (long)size_bytes, 0);
}

int os_sync_pages(void *address, size_t size_bytes, int flags)
{
	return (int)system_call3(SYS_msync, (long)address, (long)size_bytes, flags);
}

int os_prefer_nodes(void *address, size_t size_bytes, uint64_t nodes)
{
	/* The system takes the number of bits for one more than it is. */
	return (int)system_call6(SYS_mbind, (long)address, (long)size_bytes, MPOL_PREFERRED,
				 (long)&nodes, 8 * sizeof nodes + 1, /* flags */ 0);
}

int os_node_of_page(const void *address)
{
	int node = -1;
	long error = system_call6(SYS_move_pages, /* pid */ 0, /* count */ 1, (long)&address,
				  /* nodes */ 0, (long)&node, /* flags */ 0);

	return error < 0 ? (int)error : node;
}

/* A set of no signals, to be blocked. */
bool os_can_read(const void *address)
{
	return system_call4(SYS_rt_sigprocmask, SIG_BLOCK, (long)address, 0, sizeof(uint64_t)) == 0;
}

void os_futex_wait(const uint32_t *word, uint32_t expected)
{
	system_call4(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, expected, 0);
}

void os_futex_wake(const uint32_t *word, int threads)
{
	system_call4(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, threads, 0);
}

static int barrier(int command)
{
	return (int)system_call3(SYS_membarrier, command, 0, 0);
}

/* A kernel that has none of these is given the time that a processor's store buffer cannot take. */
void os_barrier_everywhere(void)
{
	if (barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0)
		return;
	if (barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0 &&
	    barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0)
		return;
	if (barrier(MEMBARRIER_CMD_GLOBAL) != 0)
		os_sleep(1000000);
}

void os_sleep(uint64_t nanoseconds)
{
	struct timespec time = { .tv_sec = (time_t)(nanoseconds / 1000000000u),
				 .tv_nsec = (long)(nanoseconds % 1000000000u) };

	system_call3(SYS_nanosleep, (long)&time, 0, 0);
}

uint32_t os_thread_id(void)
{
	return (uint32_t)system_call3(SYS_gettid, 0, 0, 0);
}

uint32_t os_process_id(void)
{
	return (uint32_t)system_call3(SYS_getpid, 0, 0, 0);
}

void os_signals_block(uint64_t *saved_mask)
{
	static const uint64_t all = ~UINT64_C(0);

	system_call4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)saved_mask, sizeof all);
}

void os_signals_restore(uint64_t saved_mask)
{
	system_call4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&saved_mask, 0, sizeof saved_mask);
}

uint64_t os_clock_ns(void)
{
	struct timespec now = { 0, 0 };

	system_call3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int os_open(const char *path, int flags, int mode)
{
	return (int)system_call3(SYS_open, (long)path, flags, mode);
}

ssize_t os_read(int fd, void *buffer, size_t size_bytes)
{
	return system_call3(SYS_read, fd, (long)buffer, (long)size_bytes);
}

ssize_t os_read_at(int fd, void *buffer, size_t size_bytes, off_t offset)
{
	return system_call4(SYS_pread64, fd, (long)buffer, (long)size_bytes, offset);
}

ssize_t os_write(int fd, const void *buffer, size_t size_bytes)
{
	return system_call3(SYS_write, fd, (long)buffer, (long)size_bytes);
}

int os_close(int fd)
{
	return (int)system_call3(SYS_close, fd, 0, 0);
}

/* The signal is set to its default action, unblocked and sent to this very thread. */
_Noreturn void os_abort(void)
{
	/* As the kernel has it: handler, flags, restorer, mask. */
	static const uint64_t default_action[4];
	uint64_t abort_mask = UINT64_C(1) << (SIGABRT - 1);

	system_call4(SYS_rt_sigaction, SIGABRT, (long)default_action, 0, sizeof abort_mask);
	system_call4(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&abort_mask, 0, sizeof abort_mask);
	system_call3(SYS_tgkill, os_process_id(), os_thread_id(), SIGABRT);
	for (;;)
		system_call3(SYS_exit_group, 134, 0, 0);
}
