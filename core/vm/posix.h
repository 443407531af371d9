/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The POSIX memory calls: performed by the system to the letter, and accounted as VADs.
 *
 *  PROT_NONE anonymous = reserved; mprotect to accessible = committed, back to PROT_NONE =
 *  decommitted; MADV_DONTNEED = reset; a file map = a committed MEM_MAPPED view. munmap, MAP_FIXED
 *  and mremap may take any page range: they cut VADs to pieces.
 *
 * Results are the system call's: a value, or -errno. errno is not touched. */

#ifndef VADTRACE_CORE_VM_POSIX_H
#define VADTRACE_CORE_VM_POSIX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/event.h"

intptr_t posix_mmap(void *address, size_t size_bytes, int prot, int flags, int fd, off_t offset,
		    enum api api);
int posix_munmap(void *address, size_t size_bytes, enum api api);
intptr_t posix_mremap(void *address, size_t old_size_bytes, size_t new_size_bytes, int flags,
		      void *new_address, enum api api);
int posix_mprotect(void *address, size_t size_bytes, int prot, enum api api);
/* madvise; the C library has a posix_madvise of its own. */
int posix_advise(void *address, size_t size_bytes, int advice, enum api api);
/* The program break becomes `address` if the system agrees; returns the break as it is then. */
intptr_t posix_brk(void *address, enum api api);
intptr_t posix_shmat(int id, const void *address, int flags, enum api api);
int posix_shmdt(const void *address, enum api api);

/* Takes in the ranges that exist already, from the system's own list, as foreign VADs; called once
 * when tracing starts, and whenever the model is compared with the system. What the model holds
 * already but the listener was not told, because it did not listen yet, is told now. Returns 0 or
 * -errno. */
int posix_take_in_maps(void);

#endif
