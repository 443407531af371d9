/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What a program did wrong with a block, and its end when it did so through the malloc face. */

#ifndef VADTRACE_CORE_HEAP_MISUSE_H
#define VADTRACE_CORE_HEAP_MISUSE_H

enum misuse {
	MISUSE_NONE = 0,
	MISUSE_FOREIGN,     /* no block starts here, or none of ours */
	MISUSE_INTERIOR,    /* inside a block */
	MISUSE_DOUBLE_FREE, /* the block is free already */
	MISUSE_OVERRUN,     /* what lies behind the block was written over */
};

/* Writes "vadtrace: TEXT0xADDRESS" with one system call and aborts. */
_Noreturn void misuse_abort(const char *text, const void *address);

/* The same for a block handed to a function of the malloc family ("free", "realloc"). */
_Noreturn void misuse_abort_in(const char *function, enum misuse misuse, const void *address);

#endif
