/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Most pointers lead to the caller's frame, which can be accessed: it lies between our own and the
 * stack's base. Of others the kernel is asked to copy, which fails where we would fault; where it
 * may not be asked, they are followed as Wine would follow them.
 *
 * A system call costs more than most of what is asked of us, and programs give the same variables
 * again and again: pages that were written are remembered until a hooked call changes memory.
 *
 *   written[n]   63 ....... page ....... 29 28 .... generation .... 0 */

#include "preload/wine/guest.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/hints.h"
#include "core/os/os.h"
#include "preload/wine/teb.h"

#define PAGE_BITS 12
#define GENERATION_BITS 29
#define REMEMBERED 64u

static _Atomic uint64_t written[REMEMBERED];
static _Atomic uint64_t generation = 1;

void guest_forget(void)
{
	atomic_fetch_add_explicit(&generation, 1, memory_order_acq_rel);
}

/* What is remembered of a page that can be written now. */
static uint64_t mark_of(uint64_t page)
{
	uint64_t now = atomic_load_explicit(&generation, memory_order_acquire);

	return page << GENERATION_BITS | (now & ((UINT64_C(1) << GENERATION_BITS) - 1));
}

static bool is_one_page(uint64_t address, size_t size_bytes)
{
	return address >> PAGE_BITS == (address + size_bytes - 1) >> PAGE_BITS;
}

static bool is_remembered(uint64_t address, size_t size_bytes)
{
	uint64_t page = address >> PAGE_BITS;

	return is_one_page(address, size_bytes) &&
	       atomic_load_explicit(&written[page % REMEMBERED], memory_order_relaxed) ==
		       mark_of(page);
}

/* `mark` is from before the page was written. */
static void remember(uint64_t address, size_t size_bytes, uint64_t mark)
{
	uint64_t page = address >> PAGE_BITS;

	if (is_one_page(address, size_bytes))
		atomic_store_explicit(&written[page % REMEMBERED], mark, memory_order_relaxed);
}

static bool is_on_stack(uint64_t address, size_t size_bytes)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0), base = teb_stack_base();

	return frame < address && address < base && size_bytes <= base - address &&
	       teb_stack_limit() <= frame;
}

enum answer { COPIED, NOT_ACCESSIBLE, NOT_ALLOWED };

/* Through the kernel; `call` is SYS_process_vm_readv or writev. A sandbox may allow neither. */
static enum answer copy(long call, void *own, uint64_t guest, size_t size_bytes)
{
	struct iovec local = { own, size_bytes }, remote = { (void *)guest, size_bytes };
	int saved_errno = errno;
	long count = syscall(call, os_process_id(), &local, 1, &remote, 1, 0);
	bool is_allowed = count >= 0 || (errno != EPERM && errno != ENOSYS);

	errno = saved_errno;
	if (!is_allowed)
		return NOT_ALLOWED;
	return count == (long)size_bytes ? COPIED : NOT_ACCESSIBLE;
}

bool guest_read(void *to, uint64_t from, size_t size_bytes)
{
	enum answer answer = NOT_ALLOWED;

	if (unlikely(!is_on_stack(from, size_bytes) && !is_remembered(from, size_bytes)))
		answer = copy(SYS_process_vm_readv, to, from, size_bytes);
	if (unlikely(answer != NOT_ALLOWED))
		return answer == COPIED;
	memcpy(to, (const void *)from, size_bytes);
	return true;
}

bool guest_write(uint64_t to, const void *from, size_t size_bytes)
{
	enum answer answer = NOT_ALLOWED;
	uint64_t mark = mark_of(to >> PAGE_BITS);

	if (unlikely(!is_on_stack(to, size_bytes) && !is_remembered(to, size_bytes)))
		answer = copy(SYS_process_vm_writev, (void *)from, to, size_bytes);
	if (answer == COPIED)
		remember(to, size_bytes, mark);
	if (unlikely(answer != NOT_ALLOWED))
		return answer == COPIED;
	memcpy((void *)to, from, size_bytes);
	return true;
}
