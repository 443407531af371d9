/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* For unit tests that link os_fake.c instead of os_linux.c: the real system, which refuses the call
 * that the test names. */

#ifndef VADTRACE_CORE_OS_OS_FAKE_H
#define VADTRACE_CORE_OS_OS_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every function of os.h, os_process.h and os_watch.h is in one of these lists, by its name without
 * "os_" (tests/checks/refusals.sh). Those that can fail: */
#define OS_FAKE_MEMORY_CALLS(X) \
	X(map)                  \
	X(unmap)                \
	X(protect)              \
	X(advise)               \
	X(remap)                \
	X(break)                \
	X(shm_attach)           \
	X(shm_detach)           \
	X(lock_pages)           \
	X(unlock_pages)         \
	X(sync_pages)           \
	X(prefer_nodes)         \
	X(node_of_page)         \
	X(signal_action)        \
	X(signal_raise)         \
	X(open)                 \
	X(read)                 \
	X(read_at)              \
	X(write)                \
	X(close)                \
	X(watch_open)           \
	X(watch_register)       \
	X(written_open)         \
	X(written_scan)
#define OS_FAKE_PROCESS_CALLS(X) \
	X(process_read)          \
	X(process_write)         \
	X(process_find)          \
	X(socket)                \
	X(socket_bind)           \
	X(socket_listen)         \
	X(socket_accept)         \
	X(socket_connect)        \
	X(socket_peer)           \
	X(socket_send)           \
	X(socket_receive)        \
	X(poll)                  \
	X(descriptors_leave)     \
	X(thread_name)           \
	X(read_link)
/* Those that cannot, with the reason: */
#define OS_FAKE_SURE_CALLS(X)                                                \
	X(can_read, "a question: the answer is no where the system cannot")  \
	X(futex_wait, "may return early for any reason, callers look again") \
	X(futex_wake, "the system refuses only what is no address")          \
	X(barrier_everywhere, "waits where the system has no such call")     \
	X(sleep, "may end early, nobody counts on it")                       \
	X(thread_id, "always there")                                         \
	X(process_id, "always there")                                        \
	X(user_id, "always there")                                           \
	X(signals_block, "the system refuses only what is no address")       \
	X(signals_restore, "the system refuses only what is no address")     \
	X(signals_unblock, "the system refuses only what is no address")     \
	X(clock_ns, "always there")                                          \
	X(abort, "does not return")                                          \
	X(watch_close, "gives up a number, whatever the system says")        \
	X(tracers_allow, "a wish; where it is not granted, copying is refused")

enum os_fake_call {
	OS_FAKE_NONE,
#define OS_FAKE_NUMBER(name) OS_FAKE_##name,
	OS_FAKE_MEMORY_CALLS(OS_FAKE_NUMBER) OS_FAKE_PROCESS_CALLS(OS_FAKE_NUMBER)
#undef OS_FAKE_NUMBER
		OS_FAKE_COUNT
};

/* From now on the `number`-th call (1 is the next one) that can fail answers `error` (-errno) and
 * does nothing; os_protect, os_lock_pages and os_unlock_pages do their first page, as the system
 * may, os_close closes, and os_break answers where the break is. 0: no call fails. */
void os_fake_fail(int number, int error);
/* The same, and all calls behind it. */
void os_fake_fail_from(int number, int error);
/* os_fake_fail of the calls of this one function. */
void os_fake_fail_one(enum os_fake_call call, int number, int error);
/* Files of /proc and /sys are looked for in this folder from now on; NULL: in the system's. */
void os_fake_root(const char *folder);
/* For os_process_fake.c: counts a call that can fail. The error if it is the one to be refused,
 * else 0. */
int os_fake_refusal(enum os_fake_call call);
/* From now on calls are counted together with those of processes that are forked. */
void os_fake_share(void);
/* Calls that can fail since os_fake_fail; those of the one function since os_fake_fail_one. */
int os_fake_calls(void);
/* What the last call of os_prefer_nodes asked for, whether it was refused or not. */
struct os_fake_preference {
	void *address;
	size_t size_bytes;
	uint64_t nodes;
};
extern struct os_fake_preference os_fake_preference;
/* Calls of this function that were ever refused. */
int os_fake_refusals(enum os_fake_call call);

#endif
