/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The allocation sites of a process with the most of something, each with the tree of its callers.
 *
 *   8.0 MiB  grow     table.c:41        the site: where memory was asked for
 *            load     load.c:12         its only caller
 *     6.0 MiB  main   main.c:88         two callers of load
 *     2.0 MiB  reload main.c:120 */

#ifndef VADTRACE_TOOLS_ANALYSIS_TREE_H
#define VADTRACE_TOOLS_ANALYSIS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/lib/replay.h"
#include "tools/lib/suppress.h"
#include "tools/lib/symbols.h"

/* What sites are ordered by, and a second figure to go with it. */
struct tree_metric {
	const char *name;       /* of --sort, and of the JSON section */
	const char *title;      /* of the text section */
	const char *first_name; /* JSON keys of the two figures */
	const char *second_name;
	const char *first_unit;   /* words of text behind the first figure */
	const char *second_words; /* before the second */
	const char *second_unit;  /* and behind it */
	bool is_bytes;            /* the first figure */
	bool second_is_bytes;
	bool is_live;  /* of blocks that live at the end: suppressions apply */
	bool is_extra; /* shown only when --sort asks for it */
	/* Of the site of this number. */
	uint64_t (*first)(const struct replay_process *process, uint32_t site);
	uint64_t (*second)(const struct replay_process *process, uint32_t site);
};

extern const struct tree_metric tree_metrics[];
extern const size_t tree_metric_count;

/* By its name; NULL: there is none. */
/* The name of the function that makes this a site. */
const char *tree_site_name(const struct replay *replay, struct symbols *symbols,
			   const struct replay_site *site);

const struct tree_metric *tree_find_metric(const char *name);

struct tree_node {
	struct symbol_frame frame;
	uint64_t first, second;
	struct tree_node **callers; /* falling by first */
	size_t caller_count;
};

/* - sites fall by first; hidden_* is what lies in sites behind the top, suppressed_* what
 *   suppressions hid; all add up to total_*. */
struct tree {
	const struct tree_metric *metric;
	struct tree_node **sites;
	size_t site_count;
	uint64_t total_first, total_second;
	size_t hidden_count;
	uint64_t hidden_first, hidden_second;
	uint64_t suppressed_first, suppressed_second;
};

/* The `top` sites. `suppressions` (NULL: none) counts what it hides. */
struct tree *tree_create(const struct replay *replay, const struct replay_process *process,
			 struct symbols *symbols, struct suppressions *suppressions,
			 const struct tree_metric *metric, uint64_t top);
void tree_destroy(struct tree *tree);

/* A C++ name with the arguments of its templates left out: "std::map<...>::operator[](int)". The
 * caller frees it. */
char *tree_short_name(const char *function);

#endif
