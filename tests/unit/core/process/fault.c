/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Each system call of a call on another process refused in turn: the call fails, nothing is left
 * open, and the next one works. The same of a process that begins to serve. */

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#include "core/os/os_fake.h"
#include "core/process/copy.h"
#include "core/process/process.h"
#include "tests/unit/core/process/target.h"

#define CALLS_MAX 200

static int count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static NTSTATUS query_child(HANDLE handle)
{
	MEMORY_BASIC_INFORMATION info;
	static const char byte;

	return process_query(handle, PROCESS_QUERY_INFORMATION, &byte, &info);
}

static NTSTATUS read_child(HANDLE handle)
{
	static char bytes[2 * PAGE];
	char buffer[sizeof bytes];

	return process_read(handle, bytes, buffer, sizeof buffer, NULL);
}

static NTSTATUS write_child(HANDLE handle)
{
	static char bytes[2 * PAGE];

	return process_write(handle, bytes, bytes, sizeof bytes, NULL);
}

static NTSTATUS open_child(HANDLE handle)
{
	uint32_t id;
	HANDLE other;
	NTSTATUS status = process_id(handle, &id);

	if (!status_is_success(status))
		return status;
	status = process_open(PROCESS_ALL_ACCESS, id, &other);
	return status_is_success(status) ? object_close(other) : status;
}

static const struct {
	const char *name;
	NTSTATUS (*call)(HANDLE handle);
} calls[] = {
	{ "a query", query_child },
	{ "a read", read_child },
	{ "a write", write_child },
	{ "another handle", open_child },
};

/* Some refusals are overcome, like that of a reading of /proc that only tells who it is. */
static void test_refusals(unsigned row, HANDLE handle, int error)
{
	int before = count_descriptors(), failures = 0, wrong = 0, number;

	for (number = 1; number < CALLS_MAX; number++) {
		NTSTATUS status;

		os_fake_fail(number, error);
		status = calls[row].call(handle);
		failures += !status_is_success(status);
		if (os_fake_calls() < number)
			break;
		os_fake_fail(0, 0);
		wrong += !status_is_success(calls[row].call(handle));
	}
	os_fake_fail(0, 0);
	ok(failures > 0 && failures >= number - 3, "%s: %d of %d refusals with %d fail",
	   calls[row].name, failures, number - 1, error);
	ok(wrong == 0, "%s: each next one works", calls[row].name);
	ok(count_descriptors() == before, "%s: nothing is left open", calls[row].name);
}

static void test_calls(void)
{
	pid_t target = target_start();
	HANDLE handle = NULL;

	ok(process_open(PROCESS_ALL_ACCESS, (uint32_t)target, &handle) == STATUS_SUCCESS,
	   "a target");
	for (unsigned row = 0; row < sizeof calls / sizeof calls[0]; row++) {
		test_refusals(row, handle, -ENOMEM);
		test_refusals(row, handle, -EPERM);
	}
	object_close(handle);
	target_end(target);
}

/* In a child of its own; its status: 0 it serves, 1 it does not and does at the second try, 2 it
 * says one thing and does the other. */
static int start_refused(int number, int *calls_made)
{
	struct identity own;
	NTSTATUS status;

	os_fake_fail(number, -EMFILE);
	status = agent_start();
	*calls_made = os_fake_calls();
	os_fake_fail(0, 0);
	identity_of_own(&own);
	if (status_is_success(status))
		return target_serves(&own) ? 0 : 2;
	return agent_start() == STATUS_SUCCESS && target_serves(&own) ? 1 : 2;
}

static int start_in_child(int number, int *calls_made)
{
	int numbers[2], status = 0;
	pid_t child;

	if (pipe(numbers))
		exit(99);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		int answer = start_refused(number, calls_made);

		if (write(numbers[1], calls_made, sizeof *calls_made) < 0)
			_exit(3);
		_exit(answer);
	}
	close(numbers[1]);
	if (read(numbers[0], calls_made, sizeof *calls_made) != sizeof *calls_made)
		*calls_made = 0;
	close(numbers[0]);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}

static void test_start(void)
{
	int refused = 0, wrong = 0, number, calls_made;

	for (number = 1; number < CALLS_MAX; number++) {
		int answer = start_in_child(number, &calls_made);

		wrong += answer > 1;
		refused += answer == 1;
		if (calls_made < number)
			break;
	}
	ok(wrong == 0, "a process serves, or says that it does not and does later");
	ok(refused >= 4, "%d of %d refusals keep it from serving", refused, number - 1);
}

/* In a process that serves itself: each function refused once on either side, with that answered or
 * not, and the next call works. How many did not. */
static int count_unserved(void)
{
	static const enum os_fake_call functions[] = {
#define NUMBER(name) OS_FAKE_##name,
		OS_FAKE_PROCESS_CALLS(NUMBER)
#undef NUMBER
	};
	struct identity own;
	int wrong = agent_start() != STATUS_SUCCESS;

	identity_of_own(&own);
	for (size_t i = 0; i < 2 * sizeof functions / sizeof functions[0]; i++) {
		os_fake_fail_one(functions[i / 2], /* number */ 1 + (int)(i % 2), -EMFILE);
		target_serves(&own);
		os_fake_fail(0, 0);
		wrong += !target_serves(&own);
	}
	return wrong;
}

static void test_serving(void)
{
	pid_t child;
	int status = 0;

	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(count_unserved());
	ok(waitpid(child, &status, 0) == child && status == 0,
	   "a process serves after each call that was refused once");
}

static void test_all_were_refused(void)
{
#define WAS_REFUSED(name) \
	ok(os_fake_refusals(OS_FAKE_##name) > 0, "os_" #name " was refused at least once");
	OS_FAKE_PROCESS_CALLS(WAS_REFUSED)
#undef WAS_REFUSED
}

int main(void)
{
	test_calls();
	os_fake_share();
	test_start();
	test_serving();
	test_all_were_refused();
	return tap_done();
}
