/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A process's virtual memory in text: what is reserved and committed, what is charged for it, and
 * the committed pages of each protection, in Windows' words and the system's. */

#include "tools/analysis/text.h"
#include "tools/lib/cli.h"
#include "tools/lib/table.h"

#include <inttypes.h>

static void figure_row(const struct analysis *analysis, struct table *table,
		       const struct space_figure *figure)
{
	uint64_t start_ns = analysis->replay.start_ns;
	char size[16];

	table_add(table, cli_format_bytes(figure->bytes, size));
	table_add(table, cli_format_bytes(figure->peak_bytes, size));
	table_addf(table, "%.3f s",
		   figure->peak_ns > start_ns ? (double)(figure->peak_ns - start_ns) / 1e9 : 0.0);
}

static void usage_rows(const struct analysis *analysis, struct table *table,
		       const struct space *space)
{
	const struct space_usage *total = &space->total;

	table_add(table, "reserved");
	figure_row(analysis, table,
		   &(struct space_figure){ total->reserved_bytes, total->peak_reserved_bytes,
					   total->peak_reserved_ns });
	table_add(table, "committed");
	figure_row(analysis, table,
		   &(struct space_figure){ total->committed_bytes, total->peak_committed_bytes,
					   total->peak_committed_ns });
	table_add(table, "commit charge");
	figure_row(analysis, table, &space->charge);
}

static void protection_rows(const struct analysis *analysis, struct table *table,
			    const struct space *space)
{
	char name[64];

	for (int bit = 0; bit < SPACE_PROTECTIONS; bit++) {
		if (!space->protections[bit].peak_bytes)
			continue;
		table_addf(table, "  %s %s", analysis_system_protection(1u << bit),
			   analysis_protect_name(1u << bit, name));
		figure_row(analysis, table, &space->protections[bit]);
	}
}

bool text_has_memory(const struct replay_process *process)
{
	return process->space.total.reserve_calls || process->space.total.peak_reserved_bytes;
}

void text_memory(const struct analysis *analysis, const struct replay_process *process)
{
	struct table *table = table_create("lrrr");
	char size[16];

	table_add_row(table, (const char *const[]){ "", "at the end", "peak", "at", NULL });
	usage_rows(analysis, table, &process->space);
	if (process->commit_limit_bytes)
		table_add_row(table, (const char *const[]){
					     "commit limit",
					     cli_format_bytes(process->commit_limit_bytes, size),
					     "", "", NULL });
	protection_rows(analysis, table, &process->space);
	table_print(table, stdout, "  ", analysis->options.width);
	table_destroy(table);
}
