/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The calling thread's environment block, as Windows programs on x86-64 see it at gs:0. Nothing
 * else reads gs. Only for threads of the program, which have one. */

#ifndef VADTRACE_PRELOAD_WINE_TEB_H
#define VADTRACE_PRELOAD_WINE_TEB_H

#include <stddef.h>
#include <stdint.h>

/* A register names no memory: volatile, because the thread may change between two reads. */
#define TEB_READ(type, offset)                                                        \
	__extension__({                                                               \
		type teb_value;                                                       \
		__asm__ volatile("mov %%gs:%c1, %0" : "=r"(teb_value) : "i"(offset)); \
		teb_value;                                                            \
	})
#define TEB_WRITE(value, offset) \
	__asm__ volatile("mov %0, %%gs:%c1" : : "r"(value), "i"(offset) : "memory")

/* The stack that the thread runs on is [limit, base). */
static inline uintptr_t teb_stack_base(void)
{
	return TEB_READ(uintptr_t, 0x08);
}

static inline uintptr_t teb_stack_limit(void)
{
	return TEB_READ(uintptr_t, 0x10);
}

static inline uint64_t teb_thread_id(void)
{
	return TEB_READ(uint64_t, 0x48);
}

static inline uint32_t teb_last_error(void)
{
	return TEB_READ(uint32_t, 0x68);
}

/* GetLastError's value, and that of RtlGetLastNtStatus. */
static inline void teb_set_last_error(uint32_t error)
{
	TEB_WRITE(error, 0x68);
}

static inline void teb_set_last_status(int32_t status)
{
	TEB_WRITE(status, 0x1250);
}

static inline int32_t teb_last_status(void)
{
	return TEB_READ(int32_t, 0x1250);
}

/* RtlGetNtGlobalFlags' value. */
static inline uint32_t teb_global_flags(void)
{
	const char *peb = TEB_READ(const char *, 0x60);

	return *(const uint32_t *)(peb + 0xbc);
}

/* GetProcessHeap's value; NULL: it has not been made. */
static inline void *teb_process_heap(void)
{
	const char *peb = TEB_READ(const char *, 0x60);

	return *(void *const *)(peb + 0x30);
}

/* The last characters of the program's path, as many as fit, with a NUL; others than ASCII as '?'.
 */
void teb_read_image_name(char *name, size_t size_bytes);

#endif
