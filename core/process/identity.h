/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Which process a number names. Numbers are given out again; with the time of its start it is one
 * process for ever. Nothing is kept open for that. */

#ifndef VADTRACE_CORE_PROCESS_IDENTITY_H
#define VADTRACE_CORE_PROCESS_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/types.h"

/* One process, by its number here and the system's count of ticks when it began. */
struct identity {
	uint32_t id;
	uint64_t start_ticks;
};

/* STATUS_INVALID_CID when there is no such process (a thread is none, nor is one that has ended);
 * STATUS_ACCESS_DENIED when it is another user's. */
NTSTATUS identity_find(uint32_t id, struct identity *identity);
/* The calling process, whoever it acts for. */
void identity_of_own(struct identity *identity);
/* Whether the process still runs. */
bool identity_is_alive(const struct identity *identity);
/* Whether it is certain that the process has ended: all its threads have, or another has its
 * number. While /proc cannot be read nothing is. */
bool identity_has_ended(const struct identity *identity);
/* Whether all the users that process `id` acts for are ours, in our user namespace, and the system
 * lets us look at it. */
bool identity_is_same_user(uint32_t id);

#endif
