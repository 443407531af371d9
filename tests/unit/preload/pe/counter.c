/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The hooks alone, to be preloaded into Wine: a dispatcher that lets every call pass and counts it.
 * At the end it writes a line for each hook to the file that PE_COUNTS names:
 *
 *   DLL EXPORT STATE ENTERED LEFT ADDRESS REASON
 *
 * PE_SERVE names an export whose calls do not pass: they give 0x5e4e. PE_RAISE names one whose
 * calls raise STATUS_NO_MEMORY. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/hints.h"
#include "core/os/os.h"
#include "preload/pe/call.h"
#include "preload/pe/modules.h"
#include "preload/pe/plan/plan.h"
#include "preload/recorder.h"

static unsigned int entered[HOOK_COUNT], left[HOOK_COUNT];
static const char *served, *raising;
static pid_t own_pid;

static bool is_named(const struct hook_call *call, const char *name)
{
	return name && strcmp(name, call->hook->export) == 0;
}

static size_t index_of(const struct hook_call *call)
{
	return (size_t)(call->hook - hook_at(0));
}

/* There is no recorder here: what it would plan is planned at once. */
void recorder_plan_dll(const struct pe_image *image, const char *name, struct plan *plans)
{
	plan_dll(image, name, plans);
}

HOOK_ABI bool dispatch_enter(struct hook_call *call)
{
	static _Atomic bool has_registered;

	/* Any call of kernel32's comes after the process's heap has been made. */
	if (strcmp(call->hook->dll, "kernelbase") == 0 && !has_registered) {
		has_registered = true;
		hook_register_unwind();
	}
	__atomic_add_fetch(&entered[index_of(call)], 1, __ATOMIC_RELAXED);
	call->result = 0x5e4e;
	call->note[0] = ~(uint64_t)(uintptr_t)call;
	call->raise = is_named(call, raising) ? 0xc0000017 : 0;
	return is_named(call, served) || is_named(call, raising);
}

HOOK_ABI void dispatch_leave(struct hook_call *call)
{
	if (call->note[0] != ~(uint64_t)(uintptr_t)call)
		abort();
	__atomic_add_fetch(&left[index_of(call)], 1, __ATOMIC_RELAXED);
}

static intptr_t answer(intptr_t result)
{
	if (result >= 0 || result < -4095)
		return result;
	errno = (int)-result;
	return -1;
}

CORE_API void *mmap(void *address, size_t size, int prot, int flags, int fd, off_t offset)
{
	void *mapped = (void *)answer(os_map(address, size, prot, flags, fd, offset));

	if (mapped != MAP_FAILED)
		pe_map_noticed(mapped, size, fd, offset);
	return mapped;
}

CORE_API void *mmap64(void *address, size_t size, int prot, int flags, int fd, off64_t offset)
{
	return mmap(address, size, prot, flags, fd, offset);
}

CORE_API int mprotect(void *address, size_t size, int prot)
{
	pe_protect_coming(address, size, prot);
	return (int)answer(os_protect(address, size, prot));
}

/* Preferred bases of Wine 8.0. */
static void occupy(void)
{
	static const uintptr_t bases[] = { 0x170000000, 0x7b000000, 0x7b600000 };

	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
		(void)os_map((void *)bases[i], 4096, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

__attribute__((constructor)) static void start(void)
{
	if (getenv("PE_OCCUPY"))
		occupy();
	if (!getenv("PE_COUNTS"))
		return;
	served = getenv("PE_SERVE");
	raising = getenv("PE_RAISE");
	own_pid = getpid();
	hook_set_dispatch(dispatch_enter, dispatch_leave);
}

__attribute__((destructor)) static void finish(void)
{
	static const char *const states[] = { "waits", "set", "absent", "left" };
	const char *path = getenv("PE_COUNTS");
	FILE *file = path && own_pid == getpid() ? fopen(path, "w") : NULL;

	for (size_t i = 0; file && i < HOOK_COUNT; i++) {
		const struct hook *hook = hook_at(i);
		struct hook_place place = hook_place_at(i);

		fprintf(file, "%s %s %s %u %u %llx %s\n", hook->dll, hook->export,
			states[place.state], entered[i], left[i], (unsigned long long)place.address,
			place.reason);
	}
	if (file)
		fclose(file);
}
