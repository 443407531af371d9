/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Two steps, so that only what is shown is symbolised in full: first the stacks are grouped by the
 * frame that asked for memory, then the callers of the top groups are merged into trees. */

#include "tools/analysis/tree.h"
#include "tools/lib/xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A figure of a site's blocks. */
#define OF_SITE(name, figure)                                                     \
	static uint64_t name(const struct replay_process *process, uint32_t site) \
	{                                                                         \
		return process->sites[site].figure;                               \
	}

OF_SITE(peak_bytes, peak_bytes)
OF_SITE(peak_blocks, peak_blocks)
OF_SITE(live_bytes, counts.live_bytes)
OF_SITE(live_blocks, counts.live_blocks)
OF_SITE(calls, counts.calls)
OF_SITE(bytes, counts.bytes)
OF_SITE(temporary, counts.temporary)

/* A figure of the ranges that a site holds, the program's or the heap's. */
#define OF_HOLDER(name, group, figure)                                             \
	static uint64_t name(const struct replay_process *process, uint32_t site)  \
	{                                                                          \
		return holders_find(&process->space.holders, site, group)->figure; \
	}

OF_HOLDER(peak_committed, HOLDERS_PROGRAM, peak_committed_bytes)
OF_HOLDER(peak_reserved, HOLDERS_PROGRAM, peak_reserved_bytes)
OF_HOLDER(reserved, HOLDERS_PROGRAM, reserved_bytes)
OF_HOLDER(committed, HOLDERS_PROGRAM, committed_bytes)
OF_HOLDER(range_calls, HOLDERS_PROGRAM, calls)
OF_HOLDER(range_bytes, HOLDERS_PROGRAM, call_bytes)
OF_HOLDER(heap_peak_committed, HOLDERS_HEAP, peak_committed_bytes)
OF_HOLDER(heap_peak_reserved, HOLDERS_HEAP, peak_reserved_bytes)
OF_HOLDER(heap_reserved, HOLDERS_HEAP, reserved_bytes)
OF_HOLDER(heap_committed, HOLDERS_HEAP, committed_bytes)
OF_HOLDER(heap_range_calls, HOLDERS_HEAP, calls)
OF_HOLDER(heap_range_bytes, HOLDERS_HEAP, call_bytes)

/* The rows of address ranges, whose two groups differ in name, title and figures only. */
#define COMMITTED_ROW(row_name, row_title, row_first, row_second)                  \
	.name = (row_name), .title = (row_title), .first_name = "committed_bytes", \
	.second_name = "reserved_bytes", .first_unit = "", .second_words = "of ",  \
	.second_unit = " reserved", .is_bytes = true, .second_is_bytes = true,     \
	.first = (row_first), .second = (row_second)
#define RESERVED_ROW(row_name, row_title, row_first, row_second)                         \
	.name = (row_name), .title = (row_title), .first_name = "reserved_bytes",        \
	.second_name = "committed_bytes", .first_unit = " reserved", .second_words = "", \
	.second_unit = " committed", .is_bytes = true, .second_is_bytes = true,          \
	.first = (row_first), .second = (row_second)
#define RANGES_ROW(row_name, row_title, row_first, row_second)                           \
	.name = (row_name), .title = (row_title), .first_name = "calls",                 \
	.second_name = "reserved_bytes", .first_unit = " calls", .second_words = "for ", \
	.second_unit = "", .second_is_bytes = true, .first = (row_first), .second = (row_second)

const struct tree_metric tree_metrics[] = {
	{ .name = "peak",
	  .title = "At the peak",
	  .first_name = "bytes",
	  .second_name = "blocks",
	  .first_unit = "",
	  .second_words = "in ",
	  .second_unit = " blocks",
	  .is_bytes = true,
	  .first = peak_bytes,
	  .second = peak_blocks },
	{ .name = "leaked",
	  .title = "Live at exit",
	  .first_name = "bytes",
	  .second_name = "blocks",
	  .first_unit = "",
	  .second_words = "in ",
	  .second_unit = " blocks",
	  .is_bytes = true,
	  .is_live = true,
	  .first = live_bytes,
	  .second = live_blocks },
	{ .name = "calls",
	  .title = "Most calls",
	  .first_name = "calls",
	  .second_name = "bytes",
	  .first_unit = " calls",
	  .second_words = "for ",
	  .second_unit = "",
	  .second_is_bytes = true,
	  .first = calls,
	  .second = bytes },
	{ .name = "temporary",
	  .title = "Most temporary blocks",
	  .first_name = "temporary",
	  .second_name = "calls",
	  .first_unit = " temporary",
	  .second_words = "of ",
	  .second_unit = " calls",
	  .first = temporary,
	  .second = calls },
	{ .name = "bytes",
	  .title = "Most bytes allocated",
	  .first_name = "bytes",
	  .second_name = "calls",
	  .first_unit = "",
	  .second_words = "in ",
	  .second_unit = " calls",
	  .is_bytes = true,
	  .is_extra = true,
	  .first = bytes,
	  .second = calls },
	{ COMMITTED_ROW("committed", "Address space at the peak of commit", peak_committed,
			peak_reserved) },
	{ RESERVED_ROW("reserved", "Address space at the end", reserved, committed) },
	{ RANGES_ROW("ranges", "Most calls for address space", range_calls, range_bytes) },
	{ COMMITTED_ROW("heap-committed", "Heap segments at the peak of commit",
			heap_peak_committed, heap_peak_reserved),
	  .is_extra = true },
	{ RESERVED_ROW("heap-reserved", "Heap segments at the end", heap_reserved, heap_committed),
	  .is_extra = true },
	{ RANGES_ROW("heap-ranges", "Most calls for heap segments", heap_range_calls,
		     heap_range_bytes),
	  .is_extra = true },
};

const size_t tree_metric_count = sizeof(tree_metrics) / sizeof(tree_metrics[0]);

const struct tree_metric *tree_find_metric(const char *name)
{
	for (size_t i = 0; i < tree_metric_count; i++)
		if (!strcmp(tree_metrics[i].name, name))
			return &tree_metrics[i];
	return NULL;
}

/* Stacks whose memory was asked for by the same frame.
 *  - members are linked through the builder's `next`, 0 ends the list (numbers plus 1). */
struct group {
	struct symbol_frame frame;
	uint64_t first, second;
	uint32_t member;
};

struct builder {
	const struct replay *replay;
	const struct replay_process *process;
	struct symbols *symbols;
	const struct tree_metric *metric;
	struct group *groups;
	size_t count, capacity;
	uint32_t *next;  /* by site */
	uint32_t *table; /* groups by frame: numbers plus 1 */
	size_t slots;
};

static bool is_same(const struct symbol_frame *left, const struct symbol_frame *right)
{
	return left->function == right->function && left->file == right->file &&
	       left->line == right->line && left->module == right->module &&
	       left->is_inlined == right->is_inlined;
}

/* Whether the `<` or `>` belongs to the name of an operator, or an arrow. */
static bool is_operator_sign(const char *function, const char *at)
{
	const char *word = at;

	while (word > function && strchr("<>=-", word[-1]))
		word--;
	return word - function >= 8 && !strncmp(word - 8, "operator", 8);
}

char *tree_short_name(const char *function)
{
	char *name = xmalloc(2 * strlen(function) + 4), *out = name;
	int depth = 0;

	for (const char *at = function; *at; at++) {
		bool is_sign = (*at == '<' || *at == '>') && is_operator_sign(function, at);

		if (*at == '>' && !is_sign && depth)
			depth--;
		if (!depth)
			*out++ = *at;
		if (*at == '<' && !is_sign && !depth++)
			out = stpcpy(out, "...");
	}
	*out = '\0';
	return name;
}

/* The qualified name, without result and parameters, begins with the C++ library's namespaces. */
static bool is_library_cxx(const char *function)
{
	char *name = tree_short_name(function);
	char *end = strchr(name, '('), *word;

	if (end)
		*end = '\0';
	word = strrchr(name, ' ');
	word = word ? word + 1 : name;
	bool is_library = end && (!strncmp(word, "std::", 5) || !strncmp(word, "__gnu_cxx::", 11));
	free(name);
	return is_library;
}

/* The allocating functions of Windows' system and C libraries, and what they are made of. */
static bool is_windows_allocator(const struct symbol_frame *frame)
{
	static const char *const modules[] = { "ntdll.dll", "kernelbase.dll", "kernel32.dll",
					       "msvcrt.dll", "ucrtbase.dll" };
	static const char *const words[] = { "alloc", "Alloc", "Heap", "operator_new", "strdup" };
	bool is_system = false;

	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		is_system |= !strcasecmp(frame->module, modules[i]);
	for (size_t i = 0; is_system && i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(frame->function, words[i]))
			return true;
	return false;
}

/* Functions that only pass memory on: the site is their caller. */
static bool passes_on(const struct symbol_frame *frame)
{
	const char *function = frame->function;

	return is_library_cxx(function) || !strncmp(function, "operator new", 12) ||
	       !strcmp(function, "malloc") || !strcmp(function, "calloc") ||
	       !strcmp(function, "realloc") || is_windows_allocator(frame);
}

/* Frames that start every thread; they say nothing about a site. */
static bool starts_thread(const char *function)
{
	static const char *const names[] = { "_start",
					     "__libc_start_main",
					     "start_thread",
					     "clone",
					     "clone3",
					     "__clone",
					     "__clone3",
					     "__libc_start_call_main",
					     "__libc_start_main_impl",
					     "__GI___clone",
					     "__GI___clone3" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (*function != *names[i])
			continue;
		size_t length = strlen(names[i]);
		if (!strncmp(function, names[i], length) &&
		    (!function[length] || function[length] == '@'))
			return true;
	}
	return false;
}

/* One step along a stack, from the innermost frame outwards. */
struct walk {
	const struct builder *builder;
	uint32_t node;
	const struct symbol *symbol;
	size_t level;
};

static struct walk begin_walk(const struct builder *builder, uint32_t node)
{
	return (struct walk){ .builder = builder, .node = node };
}

static const struct symbol_frame *next_frame(struct walk *walk)
{
	const struct stacks *stacks = &walk->builder->replay->stacks;

	if (walk->symbol && walk->level < walk->symbol->count)
		return &walk->symbol->frames[walk->level++];
	if (!walk->node)
		return NULL;
	walk->symbol = symbols_find(walk->builder->symbols, stacks->nodes[walk->node].location);
	walk->node = stacks->nodes[walk->node].parent;
	walk->level = 1;
	return &walk->symbol->frames[0];
}

/* The frame that a site is grouped by; *walk stands behind it. */
static struct symbol_frame site_frame(struct walk *walk, const struct replay_site *site)
{
	static const struct symbol_frame no_stack[] = {
		[REPLAY_SITE_STACK] = { .function = "(unknown call stack)", .module = "" },
		[REPLAY_SITE_INHERITED] = { .function = "(inherited from the parent)",
					    .module = "" },
		[REPLAY_SITE_FOUND] = { .function = "(not by a recorded call)", .module = "" },
	};
	struct walk start = *walk;
	const struct symbol_frame *frame;

	while ((frame = next_frame(walk)))
		if (!passes_on(frame))
			return *frame;
	*walk = start;
	frame = next_frame(walk);
	return frame ? *frame : no_stack[site->sort];
}

const char *tree_site_name(const struct replay *replay, struct symbols *symbols,
			   const struct replay_site *site)
{
	const struct builder builder = { .replay = replay, .symbols = symbols };
	struct walk walk = begin_walk(&builder, site->node);

	return site_frame(&walk, site).function;
}

static uint64_t hash_frame(const struct symbol_frame *frame)
{
	return hash_word((uintptr_t)frame->function ^ (uintptr_t)frame->file << 7 ^
			 (uint64_t)frame->line << 48 ^ (uintptr_t)frame->module << 13);
}

static size_t find_slot(const struct builder *builder, const struct symbol_frame *frame)
{
	size_t slot = hash_frame(frame) & (builder->slots - 1);

	while (builder->table[slot] &&
	       !is_same(&builder->groups[builder->table[slot] - 1].frame, frame))
		slot = (slot + 1) & (builder->slots - 1);
	return slot;
}

static void enlarge(struct builder *builder)
{
	builder->slots = builder->slots ? builder->slots * 2 : 256;
	free(builder->table);
	builder->table = xcalloc(builder->slots, sizeof(uint32_t));
	for (size_t i = 0; i < builder->count; i++)
		builder->table[find_slot(builder, &builder->groups[i].frame)] = (uint32_t)i + 1;
}

static void add_to_group(struct builder *builder, uint32_t number)
{
	const struct replay_site *site = &builder->process->sites[number];
	struct walk walk = begin_walk(builder, site->node);
	struct symbol_frame frame = site_frame(&walk, site);

	if (2 * (builder->count + 1) > builder->slots)
		enlarge(builder);
	size_t slot = find_slot(builder, &frame);
	if (!builder->table[slot]) {
		builder->groups = xgrow(builder->groups, builder->count, &builder->capacity,
					sizeof(*builder->groups));
		builder->groups[builder->count++] = (struct group){ .frame = frame };
		builder->table[slot] = (uint32_t)builder->count;
	}
	struct group *group = &builder->groups[builder->table[slot] - 1];
	group->first += builder->metric->first(builder->process, number);
	group->second += builder->metric->second(builder->process, number);
	builder->next[number] = group->member;
	group->member = number + 1;
}

static struct suppression *find_suppression(const struct builder *builder,
					    const struct suppressions *suppressions, uint32_t node)
{
	struct walk walk = begin_walk(builder, node);
	const struct symbol_frame *frame;
	struct suppression *found = NULL;

	while (!found && (frame = next_frame(&walk))) {
		const char *const texts[] = { frame->function, frame->file, frame->module };

		found = suppressions_find(suppressions, texts, 3);
	}
	return found;
}

static bool is_suppressed(const struct builder *builder, struct suppressions *suppressions,
			  const struct replay_site *site)
{
	if (!suppressions || !suppressions->count || !builder->metric->is_live)
		return false;
	struct suppression *suppression = find_suppression(builder, suppressions, site->node);
	if (!suppression)
		return false;
	suppression->bytes += site->counts.live_bytes;
	suppression->blocks += site->counts.live_blocks;
	return true;
}

static void group_sites(struct builder *builder, struct suppressions *suppressions,
			struct tree *tree)
{
	const struct tree_metric *metric = builder->metric;

	for (uint32_t i = 0; i < builder->process->site_count; i++) {
		const struct replay_site *site = &builder->process->sites[i];

		uint64_t first = metric->first(builder->process, i);
		uint64_t second = metric->second(builder->process, i);

		tree->total_first += first;
		tree->total_second += second;
		if (!first && !(metric->is_bytes && second))
			continue;
		if (!is_suppressed(builder, suppressions, site)) {
			add_to_group(builder, i);
			continue;
		}
		tree->suppressed_first += first;
		tree->suppressed_second += second;
	}
}

static int compare_frames(const struct symbol_frame *left, const struct symbol_frame *right)
{
	int order = strcmp(left->function, right->function);

	if (!order)
		order = strcmp(left->file ? left->file : "", right->file ? right->file : "");
	return order ? order : left->line - right->line;
}

static int compare_figures(uint64_t left, uint64_t right)
{
	return left > right ? -1 : left < right;
}

static int compare_groups(const void *left, const void *right)
{
	const struct group *a = left, *b = right;
	int order = compare_figures(a->first, b->first);

	if (!order)
		order = compare_figures(a->second, b->second);
	return order ? order : compare_frames(&a->frame, &b->frame);
}

static int compare_nodes(const void *left, const void *right)
{
	const struct tree_node *a = *(struct tree_node *const *)left;
	const struct tree_node *b = *(struct tree_node *const *)right;
	int order = compare_figures(a->first, b->first);

	if (!order)
		order = compare_figures(a->second, b->second);
	return order ? order : compare_frames(&a->frame, &b->frame);
}

static struct tree_node *make_node(const struct symbol_frame *frame)
{
	struct tree_node *node = xcalloc(1, sizeof(*node));

	node->frame = *frame;
	return node;
}

/* Room is for a power of two of callers: most nodes have one. */
static struct tree_node *add_caller(struct tree_node *node, struct tree_node *caller)
{
	size_t count = node->caller_count;

	if (!(count & (count - 1)))
		node->callers = xreallocarray(node->callers, count ? 2 * count : 1,
					      sizeof(struct tree_node *));
	return node->callers[node->caller_count++] = caller;
}

static struct tree_node *find_caller(struct tree_node *node, const struct symbol_frame *frame)
{
	for (size_t i = 0; i < node->caller_count; i++)
		if (is_same(&node->callers[i]->frame, frame))
			return node->callers[i];
	return add_caller(node, make_node(frame));
}

static void add_stack(struct builder *builder, struct tree_node *root, uint32_t number)
{
	const struct replay_site *site = &builder->process->sites[number];
	uint64_t first = builder->metric->first(builder->process, number);
	uint64_t second = builder->metric->second(builder->process, number);
	struct walk walk = begin_walk(builder, site->node);
	const struct symbol_frame *frame;
	struct tree_node *node = root;

	site_frame(&walk, site);
	root->first += first;
	root->second += second;
	while ((frame = next_frame(&walk)) && !starts_thread(frame->function)) {
		node = find_caller(node, frame);
		node->first += first;
		node->second += second;
	}
}

static void sort_callers(struct tree_node *node)
{
	if (node->caller_count > 1)
		qsort(node->callers, node->caller_count, sizeof(struct tree_node *), compare_nodes);
	for (size_t i = 0; i < node->caller_count; i++)
		sort_callers(node->callers[i]);
}

static struct tree_node *grow(struct builder *builder, const struct group *group)
{
	struct tree_node *root = make_node(&group->frame);

	for (uint32_t member = group->member; member; member = builder->next[member - 1])
		add_stack(builder, root, member - 1);
	sort_callers(root);
	return root;
}

static void take_top(struct builder *builder, struct tree *tree, uint64_t top)
{
	if (builder->count)
		qsort(builder->groups, builder->count, sizeof(*builder->groups), compare_groups);
	tree->site_count = builder->count < top ? builder->count : (size_t)top;
	tree->sites = xcalloc(tree->site_count, sizeof(struct tree_node *));
	for (size_t i = 0; i < tree->site_count; i++)
		tree->sites[i] = grow(builder, &builder->groups[i]);
	for (size_t i = tree->site_count; i < builder->count; i++) {
		tree->hidden_count++;
		tree->hidden_first += builder->groups[i].first;
		tree->hidden_second += builder->groups[i].second;
	}
}

struct tree *tree_create(const struct replay *replay, const struct replay_process *process,
			 struct symbols *symbols, struct suppressions *suppressions,
			 const struct tree_metric *metric, uint64_t top)
{
	struct tree *tree = xcalloc(1, sizeof(*tree));
	struct builder builder = {
		.replay = replay, .process = process, .symbols = symbols, .metric = metric
	};

	tree->metric = metric;
	builder.next = xcalloc(process->site_count, sizeof(uint32_t));
	group_sites(&builder, suppressions, tree);
	take_top(&builder, tree, top);
	free(builder.next);
	free(builder.groups);
	free(builder.table);
	return tree;
}

static void destroy_node(struct tree_node *node)
{
	for (size_t i = 0; i < node->caller_count; i++)
		destroy_node(node->callers[i]);
	free(node->callers);
	free(node);
}

void tree_destroy(struct tree *tree)
{
	for (size_t i = 0; i < tree->site_count; i++)
		destroy_node(tree->sites[i]);
	free(tree->sites);
	free(tree);
}
