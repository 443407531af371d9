/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One row for each object that has asked:
 *
 *   object        search                  functions
 *   plugin.so     plugin.so               _Znwm of libstdc++, _ZdlPv of plugin.so, ...
 *   libstdc++.so  plugin.so               as above: the loader, too, has libraries that came with
 *                                         plugin.so search from there on
 *
 * Readers take no lock: the number of changes is odd while a row is being written, and who meets
 * that, or a full table, asks the loader again. So nothing waits, in a signal handler or in a
 * fork's child. */

#include "preload/native/scope.h"

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/native/real.h"

#define ROWS 64

/*  - object is where the asking object begins, search the one in whose scope it finds its symbols;
 *  - valid while unloads is the count of unloads. */
struct row {
	const void *object;
	struct link_map *search;
	uint32_t unloads;
	void *functions[SCOPE_NAMES];
};

static struct row rows[ROWS];
static uint32_t changes, unloads;

static struct row *find_row(const void *object)
{
	uint32_t now = __atomic_load_n(&unloads, __ATOMIC_ACQUIRE);

	for (struct row *row = rows; row < rows + ROWS; row++)
		if (__atomic_load_n(&row->object, __ATOMIC_RELAXED) == object &&
		    __atomic_load_n(&row->unloads, __ATOMIC_RELAXED) == now)
			return row;
	return NULL;
}

/* What is known of `object`: where it searches, and the function if it has asked for that. */
static struct link_map *recall(const void *object, unsigned int index, void **function)
{
	uint32_t before = __atomic_load_n(&changes, __ATOMIC_ACQUIRE);
	struct row *row = find_row(object);
	struct link_map *search = NULL;

	*function = NULL;
	if (row) {
		search = __atomic_load_n(&row->search, __ATOMIC_RELAXED);
		*function = __atomic_load_n(&row->functions[index], __ATOMIC_RELAXED);
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (before % 2 == 0 && __atomic_load_n(&changes, __ATOMIC_RELAXED) == before)
		return search;
	*function = NULL;
	return NULL;
}

/* A row for `object`: its own, or one that is not in use. NULL when all are. */
static struct row *take_row(const void *object, struct link_map *search)
{
	struct row *row = find_row(object);

	if (row)
		return row;
	for (row = rows; row < rows + ROWS; row++)
		if (!row->object || row->unloads != unloads)
			break;
	if (row == rows + ROWS)
		return NULL;
	*row = (struct row){ .object = object, .search = search, .unloads = unloads };
	return row;
}

/* `object` searches in `search`, and its function number `index` is this; NULL: not asked yet. */
static void remember(const void *object, struct link_map *search, unsigned int index,
		     void *function)
{
	uint32_t before = __atomic_load_n(&changes, __ATOMIC_RELAXED);
	struct row *row;

	if (before % 2 != 0 || !__atomic_compare_exchange_n(&changes, &before, before + 1, false,
							    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	row = take_row(object, search);
	if (row && function)
		row->functions[index] = function;
	__atomic_store_n(&changes, before + 2, __ATOMIC_RELEASE);
}

static bool is_own(const void *function)
{
	struct dl_find_object found, own;

	return _dl_find_object((void *)function, &found) == 0 &&
	       _dl_find_object((void *)rows, &own) == 0 &&
	       found.dlfo_map_start == own.dlfo_map_start;
}

/* Asks the loader. A message that this leaves for dlerror is taken away. */
static void *look_up(const struct link_map *search, const char *name)
{
	void *handle = dlopen(search->l_name, RTLD_LAZY | RTLD_NOLOAD), *function = NULL;

	if (handle) {
		function = dlsym(handle, name);
		(void)real.dlclose(handle);
	}
	/* The program's own scope begins before us. */
	if (!function || is_own(function))
		function = dlsym(RTLD_NEXT, name);
	if (!function)
		(void)dlerror();
	return function;
}

void *scope_find(const void *caller, const char *name, unsigned int index)
{
	struct dl_find_object asker, answer;
	struct link_map *search;
	void *function;

	if (_dl_find_object((void *)caller, &asker) != 0)
		return NULL;
	search = recall(asker.dlfo_map_start, index, &function);
	if (function)
		return function;
	if (!search)
		search = asker.dlfo_link_map;
	function = look_up(search, name);
	if (!function)
		return NULL;
	remember(asker.dlfo_map_start, search, index, function);
	if (_dl_find_object(function, &answer) == 0 &&
	    answer.dlfo_map_start != asker.dlfo_map_start &&
	    !recall(answer.dlfo_map_start, index, &(void *){ NULL }))
		remember(answer.dlfo_map_start, search, index, NULL);
	return function;
}

void scope_forget(void)
{
	__atomic_fetch_add(&unloads, 1, __ATOMIC_RELEASE);
}
