/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Trees: short names of C++ functions, and how stacks are grouped, merged and ordered. */

#include "tools/analysis/tree.h"

#include "tests/lib/tap.h"

#include <stdlib.h>
#include <string.h>

static void test_names(void)
{
	static const struct {
		const char *name, *expected;
	} rows[] = {
		{ "main", "main" },
		{ "std::map<int, std::vector<char> >::size() const",
		  "std::map<...>::size() const" },
		{ "bool operator< <int>(A<int> const&)", "bool operator< <...>(A<...> const&)" },
		{ "A::operator->()", "A::operator->()" },
		{ "operator<<(B<C<D>>&)", "operator<<(B<...>&)" },
		{ "f(X<(a)>::y, Z<1>)", "f(X<...>::y, Z<...>)" },
		{ "broken<name", "broken<..." },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *name = tree_short_name(rows[i].name);

		ok(!strcmp(name, rows[i].expected), "row %zu: %s", i, name);
		free(name);
	}
}

static struct replay replay;

static void apply(struct trace_event event)
{
	replay_apply(&replay, &event);
}

static void define(uint32_t stack, uint64_t inner, uint64_t outer)
{
	uint64_t addresses[] = { inner, 0x5000, outer };

	apply((struct trace_event){
		.kind = TRACE_STACK, .stack = stack, .frames = { addresses, 3 } });
}

static void allocate(uint64_t address, uint64_t size, uint32_t stack)
{
	apply((struct trace_event){
		.kind = EVENT_ALLOCATE, .address = address, .size_bytes = size, .stack = stack });
}

/* Two stacks share their two inner frames and part at the third; another has its own. */
static void build(void)
{
	static const struct replay_filter everything;
	struct trace_process image = { .pid = 1,
				       .parent = TRACE_NO_PROCESS,
				       .session = "",
				       .mode = "",
				       .exe = "",
				       .command_line = "",
				       .comm = "" };

	replay_init(&replay, &everything);
	apply((struct trace_event){ .kind = TRACE_PROCESS, .image = &image });
	define(1, 0x1000, 0xa000);
	define(2, 0x1000, 0xb000);
	define(3, 0x2000, 0xa000);
	allocate(0x10, 100, 1);
	allocate(0x20, 200, 2);
	allocate(0x30, 250, 3);
	replay_finish(&replay);
}

static void test_tree(void)
{
	struct suppressions suppressions = { 0 };
	struct suppression row = { .pattern = (char[]){ "^0x2000$" } };

	build();
	struct symbols *symbols = symbols_create(&replay.stacks);
	struct tree *tree = tree_create(&replay, replay.processes[0], symbols, NULL,
					tree_find_metric("leaked"), 1);
	ok_equal(tree->total_first, 550, "the total");
	ok_equal(tree->site_count, 1, "the top");
	ok_equal(tree->hidden_first, 250, "the rest");
	ok(!strcmp(tree->sites[0]->frame.function, "0x1000"), "the site with most bytes");
	ok_equal(tree->sites[0]->first, 300, "of two stacks");
	ok_equal(tree->sites[0]->caller_count, 1, "that share a caller");
	ok_equal(tree->sites[0]->callers[0]->caller_count, 2, "and part there");
	ok(!strcmp(tree->sites[0]->callers[0]->callers[0]->frame.function, "0xb000"),
	   "the greater first");
	tree_destroy(tree);
	suppressions.list = &row;
	suppressions.count = 1;
	tree = tree_create(&replay, replay.processes[0], symbols, &suppressions,
			   tree_find_metric("leaked"), UINT64_MAX);
	ok_equal(tree->suppressed_first, 250, "a suppressed site");
	ok_equal(tree->site_count, 1, "is not shown");
	ok_equal(row.bytes, 250, "and counted");
	tree_destroy(tree);
	symbols_destroy(symbols);
	replay_free(&replay);
}

int main(void)
{
	test_names();
	test_tree();
	return tap_done();
}
