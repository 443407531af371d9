/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Blocks that threads freed to pages of others.
 *
 *   NULL --push: tell the front--> block -> ... --owner takes them--> REMOTE_NONE --push--> block
 * ...
 *     ^---- owner takes the page from its notified stack, and the blocks ----------------/
 *
 * The list's word and the sum of its addresses change together: so the owner needs not follow the
 * list, each of whose blocks is in the cache of who freed it, to know what is no longer live. */

#ifndef VADTRACE_CORE_HEAP_REMOTE_H
#define VADTRACE_CORE_HEAP_REMOTE_H

#include "core/base/hints.h"
#include "core/event.h"
#include "core/heap/layout.h"

/* No blocks, but the page is in its front's notified stack already. */
#define REMOTE_NONE ((struct block *)1)

static inline struct page_remote *page_remote(const struct page *page)
{
	struct segment *segment = segment_of_page(page);

	return &segment->remotes[page - segment->pages];
}

/* For a page whose front the caller has entered: nobody else ends this. */
static inline bool page_is_notified(const struct page *page)
{
	return __atomic_load_n(&page_remote(page)->list.first, __ATOMIC_RELAXED) != NULL;
}

/* What was here when it was no list may be of two moments: remote_exchange tells. */
static inline struct remote_list remote_read(const struct page_remote *remote)
{
	return (struct remote_list){
		.first = __atomic_load_n(&remote->list.first, __ATOMIC_RELAXED),
		.sum = __atomic_load_n(&remote->list.sum, __ATOMIC_RELAXED),
	};
}

#ifdef __SANITIZE_THREAD__
__extension__ typedef unsigned __int128 remote_words;

/* The race checker has to see what happens. */
static inline bool remote_exchange(struct page_remote *remote, struct remote_list *seen,
				   struct remote_list wanted)
{
	remote_words old = (remote_words)seen->sum << 64 | (uintptr_t)seen->first;
	remote_words new = (remote_words)wanted.sum << 64 | (uintptr_t)wanted.first;
	bool is_done =
		__atomic_compare_exchange_n((remote_words *)(void *)&remote->list, &old, new,
					    /* weak */ false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);

	seen->first = (struct block *)(uintptr_t)old;
	seen->sum = (uintptr_t)(old >> 64);
	return is_done;
}
#else
/* Makes the list `wanted` if it is as it was seen; else it has been seen anew. */
static inline bool remote_exchange(struct page_remote *remote, struct remote_list *seen,
				   struct remote_list wanted)
{
	bool is_done;

	__asm__ volatile("lock cmpxchg16b %1"
			 : "=@ccz"(is_done), "+m"(remote->list), "+a"(seen->first), "+d"(seen->sum)
			 : "b"(wanted.first), "c"(wanted.sum)
			 : "memory");
	return is_done;
}
#endif

/* Adds a block. Whether it is for the caller to put the page into its front's notified stack: until
 * then nobody can make the list NULL, nor return the page. */
static inline bool remote_push(struct page_remote *remote, struct block *block)
{
	struct remote_list seen = remote_read(remote);

	do {
		block_link(block, seen.first == REMOTE_NONE ? NULL : seen.first);
	} while (!remote_exchange(
		remote, &seen,
		(struct remote_list){ .first = block, .sum = seen.sum + (uintptr_t)block }));
	return !seen.first;
}

/* Takes all blocks, and leaves `left`, which is REMOTE_NONE or NULL; `first` is NULL when there
 * were none. */
static inline struct remote_list remote_take(struct page_remote *remote, struct block *left)
{
	struct remote_list seen = remote_read(remote);

	while (!remote_exchange(remote, &seen, (struct remote_list){ .first = left, .sum = 0 }))
		;
	/* Whoever reads the processor's counter from now on, to tell of these blocks, reads it
	 * later than those who freed them. */
	if (event_is_wanted())
		__asm__ volatile("lfence" ::: "memory");
	if (seen.first == REMOTE_NONE)
		seen.first = NULL;
	return seen;
}

#endif
