/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Two threads, because of file descriptors:
 *
 *   porter   has a table of descriptors of its own: the program cannot close, count or inherit what
 *            is in there. It takes connections, looks who comes, receives, replies.
 *     | hand.turn: FREE -> ASKED -> ANSWERED -> FREE
 *   worker   does what was asked. It shares the program's descriptors: a listener's event may need
 *            to write to one.
 *
 * A connection that has said nothing is one row of the porter's table, so that nobody waits for a
 * caller that was stopped; it is closed when its time is over, or the table is full and it is the
 * oldest: who asks does so at once. Both threads block all signals but
 * the C library's own, and live until the process ends. */

#include "core/process/agent.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/os/os.h"
#include "core/os/os_process.h"
#include "core/process/identity.h"
#include "core/process/perform.h"
#include "core/process/text.h"

#define STACK_BYTES ((size_t)256 * 1024)
#define WAITING_CONNECTIONS 256
#define CLIENTS_MAX 128
#define NANOSECONDS_PER_MS UINT64_C(1000000)

enum { STATE_IDLE = 0, STATE_STARTING, STATE_SERVING };
enum { TURN_FREE = 0, TURN_ASKED, TURN_ANSWERED };

/* A connection that has not asked yet. */
struct client {
	int fd;
	uint64_t deadline_ns;
};

/* The porter's own. clients[0 .. client_count) are open. */
struct porter {
	int listener;
	size_t client_count;
	struct client clients[CLIENTS_MAX];
};

/* What the porter tells the worker of its start; gone when is_over is true. */
struct start {
	uint32_t is_over; /* a futex */
	NTSTATUS status;
};

/* What goes between the two. The one whose turn it is has the rest to itself. */
static struct {
	uint32_t turn;
	size_t size_bytes;
	/* One byte more than a request, so that what is too long is seen to be. */
	_Alignas(8) unsigned char message[sizeof(struct protocol_request) + 1];
	struct protocol_reply reply;
} hand;

static uint32_t state;        /* one of STATE_*; a futex */
static NTSTATUS start_status; /* of the last start that is over */

static void wait_for(uint32_t *word, uint32_t value)
{
	uint32_t now;

	while ((now = __atomic_load_n(word, __ATOMIC_ACQUIRE)) != value)
		os_futex_wait(word, now);
}

static void set(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	os_futex_wake(word, INT32_MAX);
}

/* --- Porter ---------------------------------------------------------------------------------- */

/* The connection's end of its own goes with it: order does not matter. */
static void dismiss(struct porter *porter, size_t index)
{
	os_close(porter->clients[index].fd);
	porter->clients[index] = porter->clients[--porter->client_count];
}

static bool is_welcome(int fd)
{
	uint32_t id, user;

	return os_socket_peer(fd, &id, &user) == 0 && user == os_user_id() && id != 0 &&
	       identity_is_same_user(id);
}

static size_t find_oldest(const struct porter *porter)
{
	size_t oldest = 0;

	for (size_t i = 1; i < porter->client_count; i++)
		if (porter->clients[i].deadline_ns < porter->clients[oldest].deadline_ns)
			oldest = i;
	return oldest;
}

static void admit(struct porter *porter)
{
	int fd = os_socket_accept(porter->listener);

	if (fd < 0)
		return;
	if (!is_welcome(fd)) {
		os_close(fd);
		return;
	}
	if (porter->client_count == CLIENTS_MAX)
		dismiss(porter, find_oldest(porter));
	porter->clients[porter->client_count++] = (struct client){
		.fd = fd,
		.deadline_ns = os_clock_ns() + PROTOCOL_PATIENCE_MS * NANOSECONDS_PER_MS,
	};
}

/* A caller that has left, its request unread, has been told that it was not done; so that is looked
 * at last. A reply that nobody waits for any more is lost, and what was done stays done. */
static void answer(int fd)
{
	struct pollfd poll = { .fd = fd, .events = POLLIN };
	ssize_t size_bytes;

	if (os_poll(&poll, 1, 0) != 1 || poll.revents != POLLIN)
		return;
	size_bytes = os_socket_receive(fd, hand.message, sizeof hand.message);
	if (size_bytes <= 0)
		return;
	hand.size_bytes = (size_t)size_bytes;
	set(&hand.turn, TURN_ASKED);
	wait_for(&hand.turn, TURN_ANSWERED);
	os_socket_send(fd, &hand.reply, sizeof hand.reply);
	set(&hand.turn, TURN_FREE);
}

static void attend(struct porter *porter, size_t index, short events, uint64_t now_ns)
{
	if (!events && now_ns < porter->clients[index].deadline_ns)
		return;
	if (events)
		answer(porter->clients[index].fd);
	dismiss(porter, index);
}

/* Until the first client's time is over; -1: there is none. */
static int patience_ms(const struct porter *porter)
{
	uint64_t now_ns = os_clock_ns(), first_ns;

	if (porter->client_count == 0)
		return -1;
	first_ns = porter->clients[find_oldest(porter)].deadline_ns;
	return first_ns > now_ns ? (int)((first_ns - now_ns) / NANOSECONDS_PER_MS) + 1 : 0;
}

static void serve_once(struct porter *porter)
{
	struct pollfd polls[CLIENTS_MAX + 1] = { { .fd = porter->listener, .events = POLLIN } };
	size_t count = porter->client_count;
	uint64_t now_ns;

	for (size_t i = 0; i < count; i++)
		polls[i + 1] = (struct pollfd){ .fd = porter->clients[i].fd, .events = POLLIN };
	if (os_poll(polls, count + 1, patience_ms(porter)) < 0)
		return;
	now_ns = os_clock_ns();
	/* From the end: who is dismissed is replaced by one that was seen already. */
	while (count-- > 0)
		attend(porter, count, polls[count + 1].revents, now_ns);
	if (polls[0].revents)
		admit(porter);
}

static NTSTATUS open_door(struct porter *porter)
{
	char name[TEXT_BYTES_MAX];
	int error = os_descriptors_leave();

	text_serving_name(name, os_process_id());
	if (error < 0 || !*name)
		return STATUS_NOT_SUPPORTED;
	porter->listener = os_socket();
	if (porter->listener < 0)
		return status_from_os(porter->listener);
	error = os_socket_bind(porter->listener, name);
	if (error == 0)
		error = os_socket_listen(porter->listener, WAITING_CONNECTIONS);
	if (error < 0)
		os_close(porter->listener);
	return status_from_os(error);
}

static void *carry(void *argument)
{
	static struct porter porter;
	struct start *start = argument;
	bool is_open;

	os_thread_name(AGENT_THREAD_NAME);
	porter.client_count = 0;
	start->status = open_door(&porter);
	is_open = status_is_success(start->status);
	set(&start->is_over, true);
	while (is_open)
		serve_once(&porter);
	return NULL;
}

/* --- Worker ---------------------------------------------------------------------------------- */

static bool start_thread(void *(*function)(void *), void *argument)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int error = pthread_attr_init(&attributes);

	if (error)
		return false;
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
	error = pthread_create(&thread, &attributes, function, argument);
	(void)pthread_attr_destroy(&attributes);
	return error == 0;
}

static bool settle(NTSTATUS status)
{
	bool is_serving = status_is_success(status);

	__atomic_store_n(&start_status, status, __ATOMIC_RELAXED);
	set(&state, is_serving ? STATE_SERVING : STATE_IDLE);
	return is_serving;
}

/* The state once nobody is starting. */
static uint32_t settled_state(void)
{
	uint32_t now;

	while ((now = __atomic_load_n(&state, __ATOMIC_ACQUIRE)) == STATE_STARTING)
		os_futex_wait(&state, now);
	return now;
}

/* The porter comes from here, so that what it allocates is not the program's thread's. */
static NTSTATUS start_porter(void)
{
	struct start start = { .is_over = false, .status = STATUS_NO_MEMORY };

	if (start_thread(carry, &start))
		wait_for(&start.is_over, true);
	return start.status;
}

static void *work(void *unused)
{
	os_thread_name(AGENT_THREAD_NAME);
	if (!settle(start_porter()))
		return unused;
	os_tracers_allow();
	for (;;) {
		wait_for(&hand.turn, TURN_ASKED);
		perform(hand.message, hand.size_bytes, &hand.reply);
		set(&hand.turn, TURN_ANSWERED);
	}
	return unused;
}

/* New threads have the mask of their maker. The C library leaves out its own two signals, without
 * which setuid and pthread_cancel would wait for ever. */
static bool start_worker(void)
{
	sigset_t all, before;
	bool is_started;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	is_started = start_thread(work, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return is_started;
}

NTSTATUS agent_start(void)
{
	uint32_t expected = STATE_IDLE;

	if (__atomic_compare_exchange_n(&state, &expected, STATE_STARTING, /* weak */ false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) &&
	    !start_worker())
		(void)settle(STATUS_NO_MEMORY);
	return settled_state() == STATE_SERVING ? STATUS_SUCCESS
						: __atomic_load_n(&start_status, __ATOMIC_RELAXED);
}

void agent_fork_child(void)
{
	state = STATE_IDLE;
	hand.turn = TURN_FREE;
}
