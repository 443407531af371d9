/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One section of sites. A frame with one caller is followed by it on the next line; where callers
 * part, each branch is indented and says its share. Long chains, and branches of less than a
 * two-hundredth of the whole, are cut: --json has everything. */

#include "tools/analysis/text.h"
#include "tools/lib/cli.h"
#include "tools/lib/table.h"
#include "tools/lib/xalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BRANCHES_MAX = 5, INDENT_MAX = 60, CHAIN_MAX = 24 };

static const char *figure(uint64_t value, bool is_bytes, char buffer[32])
{
	return is_bytes ? cli_format_bytes(value, buffer) : table_format_count(value, buffer);
}

/* " blocks" of one is " block". */
static int unit_length(const char *unit, uint64_t value)
{
	int length = (int)strlen(unit);

	return value == 1 && length && unit[length - 1] == 's' ? length - 1 : length;
}

static const char *short_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static char *frame_text(const struct symbol_frame *frame)
{
	const char *inlined = frame->is_inlined ? " inlined" : "";
	char *name = tree_short_name(frame->function);
	char *text;

	if (frame->file && frame->line)
		text = xasprintf("%s  %s:%d (%s)%s", name, short_name(frame->file), frame->line,
				 frame->module, inlined);
	else if (frame->is_named && *frame->module)
		text = xasprintf("%s  (%s)%s", name, frame->module, inlined);
	else
		text = xstrdup(name);
	free(name);
	return text;
}

static void print_line(const struct analysis *analysis, const char *text)
{
	if (analysis->options.width)
		printf("%.*s\n", (int)analysis->options.width, text);
	else
		puts(text);
}

static void print_frame(const struct analysis *analysis, int indent, const char *mark,
			const struct symbol_frame *frame)
{
	char *text = frame_text(frame);
	char *line = xasprintf("%*s%s%s", indent, "", mark, text);

	print_line(analysis, line);
	free(line);
	free(text);
}

static void print_callers(const struct analysis *analysis, const struct tree *tree,
			  const struct tree_node *node, int indent);

static void print_branch(const struct analysis *analysis, const struct tree *tree,
			 const struct tree_node *node, int indent)
{
	char value[32];
	char *mark = xasprintf("<- %s  ", figure(node->first, tree->metric->is_bytes, value));

	print_frame(analysis, indent, mark, &node->frame);
	free(mark);
	print_callers(analysis, tree, node, indent < INDENT_MAX ? indent + 2 : indent);
}

static void print_branches(const struct analysis *analysis, const struct tree *tree,
			   const struct tree_node *node, int indent)
{
	uint64_t rest = node->first;
	size_t shown = 0;
	char value[32];

	for (; shown < node->caller_count && shown < BRANCHES_MAX; shown++) {
		if (shown && node->callers[shown]->first < tree->total_first / 200)
			break;
		rest -= node->callers[shown]->first;
		print_branch(analysis, tree, node->callers[shown], indent);
	}
	if (shown < node->caller_count)
		printf("%*s<- %s  from %zu more caller%s\n", indent, "",
		       figure(rest, tree->metric->is_bytes, value), node->caller_count - shown,
		       node->caller_count - shown == 1 ? "" : "s");
}

/* A stack may end at a node while others go on: then even a single caller is a branch. */
static void print_callers(const struct analysis *analysis, const struct tree *tree,
			  const struct tree_node *node, int indent)
{
	for (int length = 0; node->caller_count == 1 && node->callers[0]->first == node->first;
	     length++) {
		if (length == CHAIN_MAX) {
			printf("%*s<- ...\n", indent, "");
			return;
		}
		node = node->callers[0];
		print_frame(analysis, indent, "<- ", &node->frame);
	}
	if (node->caller_count)
		print_branches(analysis, tree, node, indent);
}

static void print_site(const struct analysis *analysis, const struct tree *tree, size_t number)
{
	const struct tree_metric *metric = tree->metric;
	const struct tree_node *site = tree->sites[number];
	char first[32], second[32], line[160];
	double share =
		tree->total_first ? 100.0 * (double)site->first / (double)tree->total_first : 0.0;

	snprintf(line, sizeof(line), "%3zu. %s%s%.*s  %.1f %%  %s%s%.*s", number + 1,
		 analysis->is_lossy ? ">= " : "", figure(site->first, metric->is_bytes, first),
		 unit_length(metric->first_unit, site->first), metric->first_unit, share,
		 metric->second_words, figure(site->second, metric->second_is_bytes, second),
		 unit_length(metric->second_unit, site->second), metric->second_unit);
	print_line(analysis, line);
	print_frame(analysis, 5, "", &site->frame);
	print_callers(analysis, tree, site, 5);
}

void text_tree(const struct analysis *analysis, const struct tree *tree)
{
	const struct tree_metric *metric = tree->metric;
	char first[32], second[32];

	if (!tree->site_count && !tree->suppressed_second)
		return;
	text_heading(analysis, "%s: %s%s %s%s%s", metric->title,
		     figure(tree->total_first, metric->is_bytes, first), metric->first_unit,
		     metric->second_words,
		     figure(tree->total_second, metric->second_is_bytes, second),
		     metric->second_unit);
	for (size_t i = 0; i < tree->site_count; i++)
		print_site(analysis, tree, i);
	if (tree->hidden_count)
		printf("     %s%s in %zu more sites (--top shows more)\n",
		       figure(tree->hidden_first, metric->is_bytes, first), metric->first_unit,
		       tree->hidden_count);
	if (tree->suppressed_second)
		printf("     %s in %s blocks suppressed\n",
		       figure(tree->suppressed_first, metric->is_bytes, first),
		       figure(tree->suppressed_second, metric->second_is_bytes, second));
}

void text_stack(const struct analysis *analysis, uint32_t node, int indent)
{
	const struct stacks *stacks = &analysis->replay.stacks;
	int length = 0;

	for (; node; node = stacks->nodes[node].parent) {
		const struct symbol *symbol =
			symbols_find(analysis->symbols, stacks->nodes[node].location);

		for (size_t i = 0; i < symbol->count; i++, length++) {
			if (length == CHAIN_MAX) {
				printf("%*s<- ...\n", indent, "");
				return;
			}
			print_frame(analysis, indent, length ? "<- " : "at ", &symbol->frames[i]);
		}
	}
}
