/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The parts of a report as JSON; the keys are documented in vadtrace-report(1). */

#ifndef VADTRACE_TOOLS_ANALYSIS_JSON_H
#define VADTRACE_TOOLS_ANALYSIS_JSON_H

#include <json-c/json.h>

#include "tools/analysis/analysis.h"

/* Each returns a new object. */
struct json_object *json_trace(const struct analysis *analysis);
struct json_object *json_process(const struct analysis *analysis,
				 const struct replay_process *process);
struct json_object *json_totals(const struct replay_process *process);
struct json_object *json_threads(const struct replay_process *process);
struct json_object *json_sizes(const struct replay_process *process);
struct json_object *json_functions(const struct replay_process *process);
struct json_object *json_heaps(const struct replay_process *process);
struct json_object *json_space(const struct replay_process *process);
struct json_object *json_memory(const struct analysis *analysis,
				const struct replay_process *process);
struct json_object *json_differences(const struct analysis *analysis,
				     struct windows_difference *const *differences, size_t count);
struct json_object *json_regions(struct analysis *analysis);
struct json_object *json_errors(const struct analysis *analysis);
struct json_object *json_comparison(const struct replay_process *process);
struct json_object *json_hooks(const struct replay_process *process);
struct json_object *json_modules(const struct analysis *analysis,
				 const struct replay_process *process);
struct json_object *json_tree(const struct tree *tree);
struct json_object *json_suppressions(const struct analysis *analysis);
struct json_object *json_event_counts(const struct analysis *analysis);

/* Prints the object on stdout and frees it. */
void json_print(struct json_object *object);

#endif
