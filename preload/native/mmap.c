/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The POSIX memory calls: performed and accounted by core, with the kernel's errno.
 *
 * The program break is known to two parties: the kernel, and the C library's own sbrk, which keeps
 * it in __curbrk and is what its malloc calls. brk and sbrk here keep that word true. */

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "core/os/os.h"
#include "core/vm/posix.h"
#include "preload/native/real.h"
#include "preload/pe/modules.h"
#include "preload/process.h"
#include "preload/start.h"
#include "preload/recorder.h"

extern void *__curbrk;

/* Whether core may keep accounts of a call from `caller`. The tracer's own are the system's affair:
 * the thread may hold vm_lock there. So are those of Wine's ELF half: they perform what a Windows
 * call has asked for, which may be one of core's. Also notices a child that is not to be traced. */
static bool is_accounted_for(const void *caller)
{
	if (serve_now() == SERVE_NONE || tracer->is_inside() || pe_is_wine_code(caller))
		return false;
	(void)process_is_traced();
	return true;
}

/* For the functions that the program calls. */
#define is_accounted() is_accounted_for(__builtin_return_address(0))

/* A system call's result as the C library gives it. */
static intptr_t answer(intptr_t result)
{
	if (likely((uintptr_t)result < (uintptr_t)-4095))
		return result;
	errno = (int)-result;
	return -1;
}

/* API_NONE: without accounts. */
static intptr_t try_map(void *address, size_t size, int prot, int flags, int fd, off_t offset,
			enum api api)
{
	if (api == API_NONE)
		return os_map(address, size, prot, flags, fd, offset);
	return posix_mmap(address, size, prot, flags, fd, offset, api);
}

static void *map(void *address, size_t size, int prot, int flags, int fd, off_t offset,
		 enum api api)
{
	void *mapped = (void *)answer(try_map(address, size, prot, flags, fd, offset, api));

	if (mapped != MAP_FAILED)
		pe_map_noticed(mapped, size, fd, offset);
	return mapped;
}

CORE_API void *mmap(void *address, size_t size, int prot, int flags, int fd, off_t offset)
{
	return map(address, size, prot, flags, fd, offset, is_accounted() ? API_mmap : API_NONE);
}

CORE_API void *mmap64(void *address, size_t size, int prot, int flags, int fd, off64_t offset)
{
	return map(address, size, prot, flags, fd, offset, is_accounted() ? API_mmap64 : API_NONE);
}

CORE_API int munmap(void *address, size_t size)
{
	if (!is_accounted())
		return (int)answer(os_unmap(address, size));
	return (int)answer(posix_munmap(address, size, API_munmap));
}

CORE_API void *mremap(void *address, size_t old_size, size_t new_size, int flags, ...)
{
	void *new_address;
	va_list arguments;

	va_start(arguments, flags);
	new_address = va_arg(arguments, void *);
	va_end(arguments);
	if (!is_accounted())
		return (void *)answer(os_remap(address, old_size, new_size, flags, new_address));
	return (void *)answer(
		posix_mremap(address, old_size, new_size, flags, new_address, API_mremap));
}

CORE_API int mprotect(void *address, size_t size, int prot)
{
	pe_protect_coming(address, size, prot);
	if (!is_accounted())
		return (int)answer(os_protect(address, size, prot));
	return (int)answer(posix_mprotect(address, size, prot, API_mprotect));
}

CORE_API int madvise(void *address, size_t size, int advice)
{
	if (!is_accounted())
		return (int)answer(os_advise(address, size, advice));
	return (int)answer(posix_advise(address, size, advice, API_madvise));
}

/* Moves the break. The kernel answers with the break as it is, so a refusal shows by comparison. */
static int move_break(void *address, bool has_account, enum api api)
{
	void *now = (void *)(has_account ? posix_brk(address, api) : os_break(address));

	__curbrk = now;
	if (now >= address)
		return 0;
	errno = ENOMEM;
	return -1;
}

CORE_API int brk(void *address)
{
	return move_break(address, is_accounted(), API_brk);
}

CORE_API void *sbrk(intptr_t increment)
{
	void *before;
	uintptr_t after;

	if (!__curbrk && move_break(NULL, is_accounted(), API_sbrk) != 0)
		return (void *)-1;
	before = __curbrk;
	if (increment == 0)
		return before;
	after = (uintptr_t)before + (uintptr_t)increment;
	if ((increment > 0) != (after > (uintptr_t)before)) {
		errno = ENOMEM;
		return (void *)-1;
	}
	return move_break((void *)after, is_accounted(), API_sbrk) == 0 ? before : (void *)-1;
}

CORE_API void *shmat(int id, const void *address, int flags)
{
	if (!is_accounted())
		return (void *)answer(os_shm_attach(id, address, flags));
	return (void *)answer(posix_shmat(id, address, flags, API_shmat));
}

CORE_API int shmdt(const void *address)
{
	if (!is_accounted())
		return (int)answer(os_shm_detach(address));
	return (int)answer(posix_shmdt(address, API_shmdt));
}

/* These change no VAD. The C library's own serve, because msync is a point of cancellation. */
CORE_API int mlock(const void *address, size_t size)
{
	return serve_now() == SERVE_NONE ? os_lock_pages(address, size) : real.mlock(address, size);
}

CORE_API int munlock(const void *address, size_t size)
{
	return serve_now() == SERVE_NONE ? os_unlock_pages(address, size)
					 : real.munlock(address, size);
}

CORE_API int msync(void *address, size_t size, int flags)
{
	return serve_now() == SERVE_NONE ? os_sync_pages(address, size, flags)
					 : real.msync(address, size, flags);
}
