/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The kernel's account of pages that were written, by whomever: the program, or the kernel itself
 * on its behalf. Two file descriptors: a watch, for which ranges are registered as long as it is
 * open (userfaultfd that protects against writing and asks nobody: Linux 6.7), and a list of this
 * process's pages, open for one reading. Answers are a value, 0, or -errno. */

#ifndef VADTRACE_CORE_OS_OS_WATCH_H
#define VADTRACE_CORE_OS_OS_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pages side by side. Laid out as the kernel writes it. */
struct os_written_run {
	uint64_t base;
	uint64_t end;
	uint64_t categories;
};

/* One reading of the list. */
struct os_scan {
	uintptr_t base;
	uintptr_t end;
	size_t page_count; /* at most so many are listed; 0: any number */
	bool resets;       /* what is listed counts as not written from the same moment on */
	struct os_written_run *runs; /* NULL: nothing is listed, all is reset */
	size_t run_count;            /* in: room; out: how many are filled, in rising order */
	uintptr_t read_end;          /* out: all up to there has been read */
};

/* A watch, its number out of the program's way. */
int os_watch_open(void);
/* Pages of the range, which no other watch has, are written when they differ from zero or were
 * written since the last reset. Huge pages are no longer used there. */
int os_watch_register(int watch, uintptr_t base, size_t size_bytes);
/* Closes a watch; a number that has become something else's is left alone. */
void os_watch_close(int watch);
int os_written_open(void);
/* -EPERM: a part of the range is not registered. On failure nothing was reset. */
int os_written_scan(int list, struct os_scan *scan);

#endif
