/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What the tracer asks of the system, by raw system calls: nothing here can be interposed, is a
 * cancellation point, or touches errno. Results are a value or -errno. */

#ifndef VADTRACE_TRACE_SYSTEM_H
#define VADTRACE_TRACE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

static inline long system_call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static inline long system_call4(long number, long a, long b, long c, long d)
{
	return system_call6(number, a, b, c, d, 0, 0);
}

/* The calling thread's mask, before all signals were blocked. */
static inline uint64_t system_block_signals(void)
{
	const uint64_t all = ~UINT64_C(0);
	uint64_t before = 0;

	system_call4(SYS_rt_sigprocmask, /* SIG_SETMASK */ 2, (long)&all, (long)&before,
		     sizeof(all));
	return before;
}

static inline void system_restore_signals(uint64_t mask)
{
	system_call4(SYS_rt_sigprocmask, /* SIG_SETMASK */ 2, (long)&mask, 0, sizeof(mask));
}

/* The same clock as LTTng's. */
static inline uint64_t system_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint32_t system_tid(void)
{
	return (uint32_t)system_call4(SYS_gettid, 0, 0, 0, 0);
}

static inline uint32_t system_pid(void)
{
	return (uint32_t)system_call4(SYS_getpid, 0, 0, 0, 0);
}

static inline void system_yield(void)
{
	system_call4(SYS_sched_yield, 0, 0, 0, 0);
}

static inline void system_sleep_ns(long ns)
{
	const struct timespec time = { 0, ns };

	system_call4(SYS_nanosleep, (long)&time, 0, 0, 0);
}

/* Whether the 8 bytes at `address` can be read. The kernel looks at the mask before it refuses the
 * impossible request. */
static inline bool system_can_read(uintptr_t address)
{
	return system_call4(SYS_rt_sigprocmask, -1, (long)address, 0, sizeof(uint64_t)) == -22;
}

/* Copies memory of this process; false, when not all of it can be read. */
bool system_read_memory(uint64_t address, void *to, size_t size_bytes);

/* The calling thread's name. */
void system_thread_name(char name[16]);

/* The start of a file's contents, 0-terminated; the number of bytes read or -errno. */
long system_read_file(const char *path, char *text, size_t capacity);

/* The target of a symbolic link, 0-terminated; its length or -errno. */
long system_read_link(const char *path, char *text, size_t capacity);

#endif
