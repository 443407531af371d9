/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Modules as the loader has them, before and after dlopen and dlclose; also with threads that walk
 * through a library while others load and unload theirs. */

#include "trace/modules.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/tap.h"
#include "trace/bracket.h"
#include "trace/provider/provider.h"
#include "trace/stack/depot.h"
#include "trace/stack/stack_elf.h"

#define ROUNDS 300

static uint32_t told, gone, stacks;
static char last_path[PATH_MAX], last_build_id[80];
static uint32_t last_gone;
static uint32_t last_stack;

void provider_module(const struct provider_module *module)
{
	__atomic_fetch_add(&told, 1, __ATOMIC_RELAXED);
	snprintf(last_path, sizeof(last_path), "%s", module->path);
	snprintf(last_build_id, sizeof(last_build_id), "%s", module->build_id);
}

void provider_pe_module(const struct provider_pe_module *module)
{
}

void provider_module_gone(uint32_t module)
{
	__atomic_fetch_add(&gone, 1, __ATOMIC_RELAXED);
	last_gone = module;
}

void provider_stack(uint32_t stack, const uint64_t *frames, uint32_t count)
{
	__atomic_fetch_add(&stacks, 1, __ATOMIC_RELAXED);
}

uintptr_t bracket_call_out(uintptr_t frame, enum bracket_callee callee)
{
	return 0;
}

void bracket_call_ended(uintptr_t before)
{
}

static int count_one(struct dl_phdr_info *info, size_t size, void *count)
{
	const struct module *module = modules_find(info->dlpi_addr + info->dlpi_phdr[0].p_vaddr);

	*(int *)count += module && module->base == info->dlpi_addr;
	return 0;
}

static int count_any(struct dl_phdr_info *info, size_t size, void *count)
{
	++*(int *)count;
	return 0;
}

static int stop_at_second(struct dl_phdr_info *info, size_t size, void *count)
{
	return ++*(int *)count == 2 ? 17 : 0;
}

/* The build-id that another tool reads. */
static void read_build_id(const char *path, char *text, size_t size)
{
	char command[PATH_MAX + 100];
	FILE *output;

	snprintf(command, sizeof(command),
		 "readelf -n '%s' 2>/dev/null | sed -n 's/.*Build ID: //p'", path);
	output = popen(command, "r");
	text[0] = 0;
	if (output && !fgets(text, (int)size, output))
		text[0] = 0;
	if (output)
		pclose(output);
	text[strcspn(text, "\n")] = 0;
}

static void test_start(void)
{
	const struct module *own = modules_find((uintptr_t)test_start);
	char program[PATH_MAX] = "", build_id[128];
	int all = 0, ours = 0, same = 0;

	ok(readlink("/proc/self/exe", program, sizeof(program) - 1) > 0, "our path");
	dl_iterate_phdr(count_any, &all);
	dl_iterate_phdr(count_one, &same);
	modules_iterate(count_any, &ours);
	ok(all > 3 && all == ours && all == same, "all %d modules of the loader are known", all);
	all = 0;
	ok(modules_iterate(stop_at_second, &all) == 17 && all == 2, "the callback can stop");
	ok(own && strcmp(own->path, program) == 0, "the program's path is its real path");
	read_build_id(program, build_id, sizeof(build_id));
	ok(own && strcmp(own->build_id, build_id) == 0, "its build-id: %s", build_id);
	ok(!modules_find(0) && !modules_find((uintptr_t)&all) && !modules_find(UINT64_MAX),
	   "no module on the stack and at the ends");
	modules_emit_all();
	ok_equal(told, ours, "each is told");
	modules_emit_all();
	ok_equal(told, ours, "each once");
}

static void walk(void)
{
	static _Thread_local struct history history;
	struct stack_start start = { .frame = (uintptr_t)__builtin_frame_address(0),
				     .history = &history };
	struct stack_trace trace = stack_walk(&start, 32);

	last_stack = depot_intern(&trace);
}

static char plugin[2][PATH_MAX];

static void find_plugins(void)
{
	for (int i = 0; i < 2; i++)
		snprintf(plugin[i], sizeof(plugin[i]), "%s/tests/unit/trace/.libs/plugin%d.so",
			 getenv("VADTRACE_BUILDDIR") ?: ".", i + 1);
}

static void *load(int number, void (**call)(void (*)(void)))
{
	void *library = dlopen(plugin[number], RTLD_NOW);
	void *symbol = library ? dlsym(library, "plugin_call") : NULL;

	memcpy(call, &symbol, sizeof(symbol));
	return library;
}

static void test_load(void)
{
	void (*call)(void (*)(void)) = NULL;
	void *library = load(0, &call);
	uint32_t before = told, first;

	if (!ok(library != NULL, "the plugin is there: %s", plugin[0]))
		return;
	call(walk);
	ok_equal(told - before, 1, "a new module is told with the first stack through it");
	ok(strcmp(last_path, plugin[0]) == 0, "with its path");
	first = last_stack;
	call(walk);
	modules_refresh();
	ok(told - before == 1 && gone == 0, "once");
	dlclose(library);
	modules_refresh();
	ok_equal(gone, 1, "when it is unloaded, that is told");
	library = load(0, &call);
	call(walk);
	ok(last_stack != first, "loaded again, it has new stacks");
	ok_equal(told - before, 2, "and is told again");
	dlclose(library);
	library = load(1, &call);
	call(walk);
	ok(strcmp(last_path, plugin[1]) == 0 && gone == 2,
	   "another in its place is found out without a notice");
	dlclose(library);
	modules_refresh();
}

/* A library of another namespace of the loader, which does not list it. */
static void test_namespace(void)
{
	void *library = dlmopen(LM_ID_NEWLM, plugin[0], RTLD_NOW);
	void (*call)(void (*)(void)) = NULL;
	void *symbol = library ? dlsym(library, "plugin_call") : NULL;
	uint32_t before = gone;

	if (!ok(symbol != NULL, "a library in a namespace of its own"))
		return;
	memcpy(&call, &symbol, sizeof(symbol));
	call(walk);
	modules_refresh();
	ok(modules_find((uintptr_t)symbol) && gone == before, "stays known");
	dlclose(library);
	modules_refresh();
	ok(!modules_find((uintptr_t)symbol) && gone > before, "until it is unloaded");
}

static void test_restart(void)
{
	uint32_t before = told;

	modules_restart();
	depot_restart();
	walk();
	ok(told > before, "after a restart a stack's modules are told again");
}

static void *load_and_unload(void *number)
{
	void (*call)(void (*)(void));

	for (int i = 0; i < ROUNDS; i++) {
		void *library = load((int)(intptr_t)number, &call);

		if (!library)
			return NULL;
		call(walk);
		dlclose(library);
		modules_refresh();
	}
	return number;
}

static void test_threads(void)
{
	pthread_t threads[2];
	int ours = 0, all = 0;

	for (intptr_t i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, load_and_unload, (void *)i);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	modules_refresh();
	modules_iterate(count_any, &ours);
	dl_iterate_phdr(count_any, &all);
	ok_equal(ours, all, "after many loads in two threads, the list is the loader's");
}

int main(void)
{
	find_plugins();
	stack_start(NULL);
	modules_start();
	test_start();
	test_load();
	test_namespace();
	test_restart();
	test_threads();
	return tap_done();
}
