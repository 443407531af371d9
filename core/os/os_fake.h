/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* For unit tests that link os_fake.c instead of os_linux.c: the real system, which refuses the call
 * that the test names. */

#ifndef VADTRACE_CORE_OS_OS_FAKE_H
#define VADTRACE_CORE_OS_OS_FAKE_H

#include <stdbool.h>

/* From now on the `number`-th call (1 is the next one) that can fail answers `error` (-errno) and
 * does nothing; os_protect does its first page, as the system may. 0: no call fails. */
void os_fake_fail(int number, int error);
/* Files of /proc and /sys are looked for in this folder from now on; NULL: in the system's. */
void os_fake_root(const char *folder);
/* For os_process_fake.c: counts a call that can fail. The error if it is the one to be refused,
 * else 0. */
int os_fake_refusal(void);
/* Calls that can fail since os_fake_fail. */
int os_fake_calls(void);

#endif
