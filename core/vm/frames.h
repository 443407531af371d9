/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Physical pages that a program holds (AllocateUserPhysicalPages): pages of shared memory, which
 * can be mapped anywhere, and keep their contents while they are mapped nowhere. Each has a number,
 * never 0, by which the program names it. Called with vm_lock held, but for frames_populate. */

#ifndef VADTRACE_CORE_VM_FRAMES_H
#define VADTRACE_CORE_VM_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One frame's record. */
typedef uintptr_t frame_word;
#define FRAME_IS_TAKEN ((frame_word)1)
/* For the caller's own use while it holds the lock. */
#define FRAME_MARK ((frame_word)2)

/* The address that a frame is mapped at; 0: it is not. */
static inline uintptr_t frame_mapped_at(frame_word word)
{
	return word & ~(FRAME_IS_TAKEN | FRAME_MARK);
}

/* Takes up to `count` frames and writes their numbers, in rising runs as long as can be; returns
 * how many there were. They have no memory yet. */
size_t frames_take(uintptr_t *numbers, size_t count);
/* Gives frames of consecutive numbers back; their contents are gone. */
void frames_give_back(uintptr_t first_number, size_t count);
/* The record of a frame that is taken; NULL: no such number, or it is free. */
frame_word *frames_find(uintptr_t number);
/* Whether two frames lie side by side, so that one mapping can have both. */
bool frames_are_neighbours(uintptr_t number, uintptr_t next_number);

/* Gets memory for frames of consecutive numbers that are taken; 0 or -errno. */
int frames_populate(uintptr_t first_number, size_t count);
/* Maps frames of consecutive numbers over what is at `address`, or fails and changes nothing. */
int frames_map(uintptr_t first_number, size_t count, void *address);
/* The system's memory of the frames: for its wishes about nodes. */
uintptr_t frames_address(uintptr_t number);

/* Frames that are taken. */
size_t frames_count(void);
/* Forgets all frames, and leaves those of the parent alone: in a forked child. */
void frames_forget(void);
void frames_check(void);

#endif
