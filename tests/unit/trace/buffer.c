/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Buffers and brackets, alone: what would go to LTTng is kept here and looked at. */

#include "trace/buffer.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/event.h"
#include "tests/lib/tap.h"
#include "trace/bracket.h"
#include "trace/live.h"
#include "trace/provider/provider.h"
#include "trace/system.h"

#define WRITERS 4
#define RECORDS 100000
#define PLAIN_EVENTS 5000
#define KEPT_MAX (WRITERS * RECORDS + 100000)

/* What was emitted, in order. */
struct kept {
	uint64_t time_ns, heap;
	struct record record;
	uint32_t tid;
};

static struct kept kept[KEPT_MAX];
static uint32_t kept_count, late, settled_count, single_count, batch_count, thread_count;
static uint32_t plain_count;
static uint64_t settled_ns;
static pthread_mutex_t keep_lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int is_writing;

static void keep(uint32_t tid, uint64_t begin_ns, uint64_t heap, const uint64_t *words)
{
	struct kept *next = &kept[kept_count++ % KEPT_MAX];

	record_decode(&next->record, words);
	next->tid = tid;
	next->heap = heap;
	next->time_ns = begin_ns + next->record.delta_ns;
	late += next->time_ns <= settled_ns;
}

void provider_batch(const struct live_slot *slot)
{
	uint64_t heap = 0;

	pthread_mutex_lock(&keep_lock);
	batch_count++;
	for (uint32_t i = 0; i < slot->header.used_words; i += RECORD_WORDS) {
		if (slot->words[i + 1] >> 56 == RECORD_KIND_HEAP)
			heap = slot->words[i] & RECORD_ADDRESS_MASK;
		else
			keep(slot->header.tid, slot->header.begin_ns, heap, slot->words + i);
	}
	pthread_mutex_unlock(&keep_lock);
}

void provider_record(const struct provider_record *record)
{
	pthread_mutex_lock(&keep_lock);
	single_count++;
	keep(record->tid, record->time_ns, record->heap, record->words);
	pthread_mutex_unlock(&keep_lock);
}

void provider_block(const struct provider_block *block)
{
	pthread_mutex_lock(&keep_lock);
	__atomic_fetch_add(&plain_count, 1, __ATOMIC_RELAXED);
	late += block->time_ns <= settled_ns;
	pthread_mutex_unlock(&keep_lock);
}

void provider_settled(uint64_t until_ns)
{
	pthread_mutex_lock(&keep_lock);
	settled_count++;
	settled_ns = until_ns;
	pthread_mutex_unlock(&keep_lock);
}

void provider_thread(uint32_t tid, const char *name)
{
	__atomic_fetch_add(&thread_count, 1, __ATOMIC_SEQ_CST);
}

static void forget(void)
{
	kept_count = late = settled_count = single_count = batch_count = thread_count = 0;
	plain_count = 0;
	settled_ns = 0;
}

/* One event of the calling thread, as the sink does it. Returns its level, or -1. */
__attribute__((noinline)) static int send(uint64_t address, uint64_t heap)
{
	struct buffer_entry entry = {
		.record = { .kind = EVENT_ALLOCATE, .address = address, .size_bytes = 1 },
		.heap = heap,
		.is_own = address % 2,
	};
	struct bracket bracket;

	if (!bracket_open(&bracket, (uintptr_t)__builtin_frame_address(0)))
		return -1;
	buffer_write(bracket.thread, bracket.level, &entry);
	bracket_close(&bracket);
	return (int)bracket.level;
}

static void test_batches(void)
{
	uint32_t wrong = 0, back = 0, passes;

	for (uint32_t i = 0; i < 1000; i++)
		send(i + 1, i % 10 == 9 ? 0x770000 : 0);
	passes = settled_count; /* where the thread had to wait for a processor */
	buffer_flush();
	for (uint32_t i = 0; i < kept_count; i++) {
		wrong += kept[i].record.address != i + 1 ||
			 kept[i].heap != (i % 10 == 9 ? 0x770000 : 0);
		back += i > 0 && kept[i].time_ns < kept[i - 1].time_ns;
	}
	ok_equal(kept_count, 1000, "each record comes out once");
	ok_equal(wrong, 0, "in order, with its heap");
	ok_equal(back, 0, "in order of time");
	ok(batch_count >= 6 && batch_count < 20 && single_count == 0, "in full batches");
	ok_equal(settled_count, passes + 1, "a flush settles");
	ok_equal(thread_count, 1, "the thread is told once");
	forget();
	buffer_flush();
	ok(batch_count == 0 && settled_count == 1, "empty slots are not emitted");
}

static void *write_many(void *index)
{
	for (uint64_t i = 0; i < RECORDS; i++)
		send(((uintptr_t)index + 1) << 32 | i, 0);
	buffer_flush_own(bracket_own_thread());
	bracket_thread_exit();
	send(((uintptr_t)index + 1) << 32 | RECORDS, 0);
	__atomic_fetch_sub(&is_writing, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void count_records(const char *how)
{
	uint64_t next[WRITERS] = { 0 };
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < kept_count; i++)
		next[(kept[i].record.address >> 32) - 1]++;
	for (int i = 0; i < WRITERS; i++)
		wrong += next[i] != RECORDS + 1;
	ok_equal(wrong, 0, "%s: each thread's records, once", how);
}

static void test_threads(const char *how)
{
	pthread_t writers[WRITERS];

	forget();
	is_writing = WRITERS;
	for (uintptr_t i = 0; i < WRITERS; i++)
		pthread_create(&writers[i], NULL, write_many, (void *)i);
	while (__atomic_load_n(&is_writing, __ATOMIC_SEQ_CST) != 0)
		buffer_flush();
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	buffer_flush();
	ok_equal(kept_count, WRITERS * (RECORDS + 1), "%s: no record is lost", how);
	count_records(how);
	ok_equal(late, 0, "%s: settled times hold", how);
	ok(settled_count > 0, "%s: %u times settled", how, settled_count);
	ok_equal(thread_count, WRITERS, "%s: each thread told once", how);
}

/* A record that stays in its slot: no pass was due. */
static void send_quietly(uint64_t address)
{
	do {
		forget();
		send(address, 0);
	} while (kept_count != 0);
}

/* A thread that was stopped in the middle of a record. */
static void test_stuck(void)
{
	struct thread *thread = bracket_own_thread();

	send_quietly(1);
	thread->lock.level = 1;
	buffer_flush();
	ok(kept_count == 0 && settled_count == 0,
	   "a slot in use is left alone, nothing is settled");
	buffer_write(thread, 1, &(struct buffer_entry){ .record = { .address = 2 }, .heap = 5 });
	ok(single_count == 1 && kept[0].heap == 5, "a handler's record goes out on its own");
	buffer_release_level(thread, 1);
	ok_equal(thread->lock.level, 1, "the lock of an outer level stays");
	buffer_release_level(thread, 0);
	buffer_flush();
	ok(kept_count == 2 && settled_count == 1, "released, it is emitted");
}

static int handler_levels[4];
static sigjmp_buf escape;
static int jump_at = -1;

/* Opens a bracket and raises the next signal in it. */
__attribute__((noinline)) static void enter(int number)
{
	struct bracket bracket;
	bool is_open = bracket_open(&bracket, (uintptr_t)__builtin_frame_address(0));

	handler_levels[number] = is_open ? (int)bracket.level : -1;
	if (jump_at == number)
		siglongjmp(escape, 1);
	if (is_open && number < 3)
		raise(SIGUSR1);
	if (is_open)
		bracket_close(&bracket);
}

static int handler_depth;

static void handle(int signal_number)
{
	handler_depth++;
	enter(handler_depth);
	handler_depth--;
}

static void check_levels(const char *where)
{
	memset(handler_levels, 0x55, sizeof(handler_levels));
	handler_depth = 0;
	jump_at = -1;
	enter(0);
	ok(handler_levels[0] == 0 && handler_levels[1] == 1 && handler_levels[2] == 2 &&
		   handler_levels[3] == 3,
	   "%s: handlers nest: %d %d %d %d", where, handler_levels[0], handler_levels[1],
	   handler_levels[2], handler_levels[3]);
	ok_equal(send(3, 0), 0, "%s: all brackets are closed", where);
}

static void jump_out(int from, const char *where)
{
	handler_depth = 0;
	jump_at = from;
	if (sigsetjmp(escape, 1) == 0)
		enter(0);
	jump_at = -1;
	ok_equal(send(3, 0), 0, "%s: jumped out of level %d, the next event is at level 0", where,
		 from);
	ok_equal(send(3, 0), 0, "%s: and so the one after it", where);
}

__attribute__((noinline)) static int send_deep(unsigned depth)
{
	int level = depth ? send_deep(depth - 1) : send(7, 0);

	__asm__ volatile("");
	return level;
}

/* The thread left the tracer by a jump and goes on further down the stack: nothing tells that from
 * a handler, and nothing is lost. */
static void test_deeper(void)
{
	struct thread *thread = bracket_own_thread();

	buffer_flush();
	forget();
	handler_depth = 0;
	jump_at = 0;
	if (sigsetjmp(escape, 1) == 0)
		enter(0);
	thread->lock.level = 1; /* as if it had been left in the middle of a record */
	ok_equal(send_deep(10), 1, "an event below a bracket that was left is kept");
	ok_equal(send_deep(10), 1, "and so the next");
	ok_equal(single_count, 2, "both went out on their own");
	ok_equal(send(8, 0), 0, "an event above it closes the bracket");
	buffer_flush();
	ok(single_count == 2 && kept_count == 3, "and uses the buffer again");
}

static void test_handlers(int flags, const char *where)
{
	struct sigaction action = { .sa_handler = handle, .sa_flags = SA_NODEFER | flags };

	sigaction(SIGUSR1, &action, NULL);
	check_levels(where);
	for (int level = 0; level < 3; level++)
		jump_out(level, where);
	check_levels(where);
}

/* A library that the tracer calls allocates. */
static void test_inner(void)
{
	uintptr_t before =
		bracket_call_out((uintptr_t)__builtin_frame_address(0), BRACKET_TO_LTTNG);

	ok_equal(send(4, 0), -1, "an event from within LTTng is not the program's");
	bracket_call_ended(before);
	ok_equal(send(4, 0), 0, "after it, events are the program's again");
}

static int count_files(const char *folder, char *name)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	int count = 0;

	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] != '.') {
			snprintf(name, 512, "%s/%s", folder, entry->d_name);
			count++;
		}
	if (directory)
		closedir(directory);
	return count;
}

static void check_live_file(const char *path)
{
	static struct live_slot slot;
	struct live_process process = { 0 };
	FILE *file = fopen(path, "rb");
	int found = 0;

	send(0x1234, 0);
	live_tell_commit(0x567000);
	ok(file && fread(&process, sizeof(process), 1, file) == 1, "the process has a slot");
	ok_equal(process.commit_bytes, 0x567000, "its commit charge is in the live file");
	ok(process.header.magic == LIVE_MAGIC && process.header.tid == 0, "without records");
	if (file)
		rewind(file);
	while (file && fread(&slot, sizeof(slot), 1, file) == 1)
		if (slot.header.magic == LIVE_MAGIC && slot.header.tid == (uint32_t)gettid() &&
		    slot.header.pid == (uint32_t)getpid() && slot.header.used_words >= RECORD_WORDS)
			found += (slot.words[slot.header.used_words - RECORD_WORDS] &
				  RECORD_ADDRESS_MASK) == 0x1234;
	ok_equal(found, 1, "the last record is in the live file");
	if (file)
		fclose(file);
}

static struct thread *stuck;
static uint32_t may_end;

/* A thread that stops in the middle of a record, and goes on when all is over. */
static void *get_stuck(void *unused)
{
	send_quietly(5);
	biased_lock_enter(&bracket_own_thread()->lock, 0);
	__atomic_store_n(&stuck, bracket_own_thread(), __ATOMIC_RELEASE);
	while (!__atomic_load_n(&may_end, __ATOMIC_ACQUIRE))
		system_yield();
	return NULL;
}

static bool was_kept(uint64_t address)
{
	for (uint32_t i = 0; i < kept_count; i++)
		if (kept[i].record.address == address)
			return true;
	return false;
}

/* Every third is a handler's, which has interrupted the tracer, and the last a thread's that has
 * ended. */
static void *write_plain(void *unused)
{
	(void)unused;
	send(1, 0);
	for (int i = 0; i < PLAIN_EVENTS; i++) {
		struct provider_block block = { .event = NULL };
		struct thread *thread = i < PLAIN_EVENTS - 1 ? bracket_own_thread() : NULL;
		bool is_interrupted = thread && i % 3 == 0 && biased_lock_enter(&thread->lock, 0);

		buffer_write_plain(thread, is_interrupted, &block);
		if (is_interrupted)
			biased_lock_leave(&thread->lock);
	}
	return NULL;
}

static void test_plain(void)
{
	pthread_t writers[WRITERS];

	buffer_flush();
	forget();
	for (int i = 0; i < WRITERS; i++)
		pthread_create(&writers[i], NULL, write_plain, NULL);
	while (__atomic_load_n(&plain_count, __ATOMIC_RELAXED) < WRITERS * PLAIN_EVENTS / 2)
		buffer_flush();
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	buffer_flush();
	ok_equal(plain_count, WRITERS * PLAIN_EVENTS, "each plain event is emitted");
	ok_equal(late, 0, "none is older than what was settled");
	ok(settled_count > 0, "and the last flush settles them");
}

static void test_last(void)
{
	pthread_t other;

	pthread_create(&other, NULL, get_stuck, NULL);
	while (!__atomic_load_n(&stuck, __ATOMIC_ACQUIRE))
		system_yield();
	send(9, 0);
	bracket_own_thread()->lock.level = 1;
	buffer_flush_last();
	ok(was_kept(5), "the last flush reads what is in use");
	ok(was_kept(9), "and releases what its own thread will not go on with");
	ok_equal(settled_count, 0, "it does not settle what may still come");
	send(6, 0);
	ok_equal(single_count, 1, "after it, records go out at once");
	__atomic_store_n(&may_end, 1, __ATOMIC_RELEASE);
	pthread_join(other, NULL);
}

int main(void)
{
	static char folder[] = "/tmp/vadtrace-buffer.XXXXXX", name[512];
	struct rlimit limit = { 1 << 20, 1 << 20 };

	biased_lock_start();
	if (!mkdtemp(folder))
		return 1;
	setrlimit(RLIMIT_FSIZE, &limit);
	live_start(folder);
	ok_equal(count_files(folder, name), 0, "no live file before the first event");
	test_batches();
	ok_equal(count_files(folder, name), 1, "one live file");
	check_live_file(name);
	buffer_flush();
	test_threads("plain stores");
	biased_lock_is_plain = false;
	test_threads("atomic stores");
	biased_lock_start();
	test_stuck();
	test_handlers(0, "same stack");
	sigaltstack(&(stack_t){ .ss_sp = malloc(1 << 18), .ss_size = 1 << 18 }, NULL);
	test_handlers(SA_ONSTACK, "other stack");
	test_deeper();
	test_inner();
	test_plain();
	test_last();
	live_remove();
	ok_equal(count_files(folder, name), 0, "the live file is removed");
	rmdir(folder);
	return tap_done();
}
