/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* For tests that are native programs and Windows programs alike: whether memory can be touched.
 *
 *   ok(can_write(base) && !can_write(base + PAGE), "one page is committed");
 */

#ifndef VADTRACE_TESTS_CONFORMANCE_BOTH_H
#define VADTRACE_TESTS_CONFORMANCE_BOTH_H

#ifdef _WIN32
#include "tests/conformance/pe.h"

__attribute__((unused)) static BOOL can_read(const void *address)
{
	return !exception_of(read_byte, (void *)address);
}

/* Writes what is there already, when it can be read. */
__attribute__((unused)) static void rewrite_byte(void *address)
{
	*(volatile char *)address |= 0;
}

__attribute__((unused)) static BOOL can_write(void *address)
{
	return !exception_of(rewrite_byte, address);
}
#else
#include <unistd.h>

#include "tests/conformance/common.h"

/* The system copies for us: it says EFAULT where a program would die. */
static int touch_pipe[2];

__attribute__((unused)) static BOOL send_byte(const void *address)
{
	return (touch_pipe[1] || pipe(touch_pipe) == 0) && write(touch_pipe[1], address, 1) == 1;
}

__attribute__((unused)) static BOOL receive_byte(void *address)
{
	return read(touch_pipe[0], address, 1) == 1;
}

__attribute__((unused)) static BOOL can_read(const void *address)
{
	char byte;

	return send_byte(address) && receive_byte(&byte);
}

/* Writes what is there already, when it can be read. */
__attribute__((unused)) static BOOL can_write(void *address)
{
	char byte;

	if (!send_byte(address) && !send_byte(""))
		return FALSE;
	return receive_byte(address) || (receive_byte(&byte), FALSE);
}
#endif

#endif
