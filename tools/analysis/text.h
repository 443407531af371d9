/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The parts of a report in text. */

#ifndef VADTRACE_TOOLS_ANALYSIS_TEXT_H
#define VADTRACE_TOOLS_ANALYSIS_TEXT_H

#include "tools/analysis/analysis.h"

/* A section's heading, with an empty line before it. */
void text_heading(const struct analysis *analysis, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What is missing and what that means, if anything is. */
void text_loss(const struct analysis *analysis);
/* Program, process, trace. */
void text_header(const struct analysis *analysis);
void text_totals(const struct analysis *analysis);
/* One tree's section; nothing when it is empty. */
void text_tree(const struct analysis *analysis, const struct tree *tree);
/* One stack, innermost frame first, behind `indent`. */
void text_stack(const struct analysis *analysis, uint32_t node, int indent);
void text_threads(const struct analysis *analysis);
void text_sizes(const struct analysis *analysis);
void text_apis(const struct analysis *analysis);
void text_heaps(const struct analysis *analysis);
void text_space(const struct analysis *analysis);
/* What a process reserved, committed and is charged for, and with which protections; whether there
 * is anything to tell of it. */
void text_memory(const struct analysis *analysis, const struct replay_process *process);
bool text_has_memory(const struct replay_process *process);
/* What is reserved at the end, by allocation base, with who reserved it. */
void text_regions(struct analysis *analysis);
/* What became of each hook of a Windows process; nothing for others. */
void text_hooks(const struct analysis *analysis, const struct replay_process *process);
void text_modules(const struct analysis *analysis, const struct replay_process *process);
/* What was done wrong with blocks and heaps; nothing when nothing was. */
void text_errors(const struct analysis *analysis);
/* The images of the trace but the target. */
void text_others(const struct analysis *analysis);
void text_suppressions(const struct analysis *analysis);
void text_hints(const struct analysis *analysis);

/* Figures that lost events make too small: ">= " before them. The buffer holds 40 characters. */
const char *text_count(const struct analysis *analysis, uint64_t count, char buffer[40]);
const char *text_bytes(const struct analysis *analysis, uint64_t bytes, char buffer[40]);

#endif
