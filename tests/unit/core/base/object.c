/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Handles: their values, access, references, the end of an object, many at once, threads, fork. */

#include "core/base/object.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/status.h"
#include "core/host.h"

#include "tests/lib/tap.h"

#define READ 0x1u
#define WRITE 0x2u
#define MANY 1000
#define THREADS 8
#define ROUNDS 2000

struct body {
	struct object object;
	int ends;
};

static void count_end(void *body)
{
	__atomic_fetch_add(&((struct body *)body)->ends, 1, __ATOMIC_RELAXED);
}

static HANDLE open_one(struct body *body, uint32_t access)
{
	body->object.destroy = count_end;
	return object_open(OBJECT_PROCESS, body, access);
}

static NTSTATUS get(HANDLE handle, enum object_type type, uint32_t access)
{
	void *body = NULL;
	NTSTATUS status = object_get(handle, type, access, &body);

	if (status_is_success(status))
		object_put(body);
	return status;
}

static void test_one(void)
{
	struct body body = { .ends = 0 };
	HANDLE handle = open_one(&body, READ);
	void *got = NULL;

	ok(handle && (uintptr_t)handle % 8 == 4, "a handle is a multiple of 4, and of no more");
	ok(object_get(handle, OBJECT_PROCESS, READ, &got) == STATUS_SUCCESS && got == &body,
	   "it leads to its object");
	ok(get((HANDLE)((uintptr_t)handle | 3), OBJECT_PROCESS, READ) == STATUS_SUCCESS,
	   "the two lowest bits are the program's");
	ok(object_close(handle) == STATUS_SUCCESS && body.ends == 0,
	   "a closed object that is in use lives");
	ok(get(handle, OBJECT_PROCESS, 0) == STATUS_INVALID_HANDLE, "nobody finds it");
	object_put(got);
	ok(body.ends == 1, "then it ends, once");
	ok(object_close(handle) == STATUS_INVALID_HANDLE, "a handle is closed once");
	object_check();
}

static void test_access(void)
{
	struct body body = { .ends = 0 };
	HANDLE handle = open_one(&body, READ);

	ok(get(handle, OBJECT_PROCESS, READ | WRITE) == STATUS_ACCESS_DENIED,
	   "all of the access is needed");
	ok(get(handle, OBJECT_PROCESS, 0) == STATUS_SUCCESS, "none is always there");
	ok(get(handle, OBJECT_NOTIFICATION, 0) == STATUS_OBJECT_TYPE_MISMATCH, "another type");
	object_close(handle);
}

static void test_nowhere(void)
{
	static const uintptr_t values[] = {
		0, 1, 4, 8, 12, 0xbad0, 0x7ffff000, UINTPTR_MAX, UINTPTR_MAX - 1, UINTPTR_MAX - 3,
	};

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		ok(get((HANDLE)values[i], OBJECT_PROCESS, 0) == STATUS_INVALID_HANDLE,
		   "row %zu: no handle is found", i);
		ok(object_close((HANDLE)values[i]) == STATUS_INVALID_HANDLE, "row %zu: nor closed",
		   i);
	}
}

static void test_duplicate(void)
{
	struct body body = { .ends = 0 };
	HANDLE first = open_one(&body, READ), same = NULL, other = NULL;
	uint32_t access = WRITE;

	ok(object_duplicate(first, NULL, &same) == STATUS_SUCCESS && same != first,
	   "a duplicate has another value");
	ok(get(same, OBJECT_PROCESS, WRITE) == STATUS_ACCESS_DENIED &&
		   get(same, OBJECT_PROCESS, READ) == STATUS_SUCCESS,
	   "and the same access");
	ok(object_duplicate(first, &access, &other) == STATUS_SUCCESS &&
		   get(other, OBJECT_PROCESS, READ) == STATUS_ACCESS_DENIED &&
		   get(other, OBJECT_PROCESS, WRITE) == STATUS_SUCCESS,
	   "or the one asked for");
	object_close(first);
	object_close(same);
	ok(body.ends == 0, "the last handle keeps the object");
	object_close(other);
	ok(body.ends == 1, "and ends it");
	ok(object_duplicate(first, NULL, &other) == STATUS_INVALID_HANDLE,
	   "a closed handle is not duplicated");
}

/* A program that uses a handle after its end must not meet another object soon. */
static void test_reuse(void)
{
	struct body body = { .ends = 0 };
	HANDLE keeper = open_one(&body, READ), old = open_one(&body, READ), next;
	int rounds = 0;

	object_close(old);
	do {
		next = open_one(&body, READ);
		object_close(next);
		rounds++;
	} while (next != old && rounds < MANY);
	ok(rounds > 60, "a value comes back after %d others", rounds);
	object_close(keeper);
}

static void test_many(void)
{
	static struct body bodies[MANY];
	static HANDLE handles[MANY];
	uint32_t before = object_count();
	int wrong = 0;
	void *got;

	for (int i = 0; i < MANY; i++)
		handles[i] = open_one(&bodies[i], READ);
	ok(object_count() == before + MANY, "%d are open", MANY);
	object_check();
	for (int i = 0; i < MANY; i++) {
		wrong += object_get(handles[i], OBJECT_PROCESS, READ, &got) != STATUS_SUCCESS ||
			 got != &bodies[i];
		object_put(got);
	}
	ok(wrong == 0, "each leads to its own");
	for (int i = 0; i < MANY; i++)
		object_close(handles[i]);
	for (int i = 0; i < MANY; i++)
		wrong += bodies[i].ends != 1;
	ok(wrong == 0 && object_count() == before, "all are closed");
	object_check();
}

static struct body shared;
static HANDLE shared_handle;

static void *use(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		HANDLE mine;

		if (object_duplicate(shared_handle, NULL, &mine) != STATUS_SUCCESS ||
		    get(mine, OBJECT_PROCESS, READ) != STATUS_SUCCESS ||
		    object_close(mine) != STATUS_SUCCESS)
			return &shared;
	}
	return unused;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];
	void *result, *any = NULL;

	shared_handle = open_one(&shared, READ);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, use, NULL);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		any = result ? result : any;
	}
	ok(!any, "threads that open and close do not meet");
	ok(object_close(shared_handle) == STATUS_SUCCESS && shared.ends == 1,
	   "the object ends once");
	object_check();
}

static void test_fork(void)
{
	struct body body = { .ends = 0 };
	HANDLE handle = open_one(&body, READ);
	int status = 0;
	pid_t child;

	core_fork_prepare();
	child = fork();
	if (child == 0) {
		core_fork_child();
		_exit(get(handle, OBJECT_PROCESS, READ) == STATUS_SUCCESS &&
				      object_close(handle) == STATUS_SUCCESS
			      ? 0
			      : 1);
	}
	core_fork_parent();
	waitpid(child, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a child has its parent's handles");
	ok(object_close(handle) == STATUS_SUCCESS, "and its own of them");
}

int main(void)
{
	test_nowhere();
	test_one();
	test_access();
	test_nowhere();
	test_duplicate();
	test_reuse();
	test_many();
	test_threads();
	test_fork();
	return tap_done();
}
