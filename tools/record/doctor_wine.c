/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Which Wine was found, and what becomes of each hook. */

#include "tools/record/doctor_wine.h"

#include <json-c/json.h>
#include <stdio.h>

#include "tools/lib/cli.h"
#include "tools/lib/table.h"
#include "tools/record/hooks.h"
#include "tools/record/wine.h"

static const char *way_text(const struct plan *plan)
{
	switch (plan->way) {
	case PLAN_WAY_SKIP:
		return "at its place for hooks";
	case PLAN_WAY_MOVE:
		return "its first instructions move";
	default:
		return plan->reason;
	}
}

static const char *prefix_text(const struct wine *wine)
{
	if (wine->prefix_is_32_bit)
		return " (for 32-bit programs only: cannot be traced)";
	return wine->prefix_exists ? "" : " (not there yet: Wine makes it when it starts)";
}

static void print_place(const struct wine *wine)
{
	printf("Wine    %s%s%s\n", wine->loader, *wine->version ? ", " : "", wine->version);
	printf("DLLs    %s\n", wine->dlls);
	printf("prefix  %s%s\n\n", wine->prefix, prefix_text(wine));
}

static void print_hooks(const struct hooks *hooks)
{
	struct table *table = table_create("llll");

	for (size_t i = 0; i < HOOK_COUNT; i++) {
		const struct hook *hook = hook_at(i);

		table_add(table, hooks_state_text(hooks->plans[i].state));
		table_add(table, hook->name);
		table_addf(table, "%s!%s", hook->dll, hook->export);
		table_add(table, way_text(&hooks->plans[i]));
	}
	table_print(table, stdout, "", 0);
	table_destroy(table);
}

static bool is_good(const struct wine *wine, const struct hooks *hooks)
{
	return hooks->left_routed == 0 && hooks->hooked > 0 && !wine->prefix_is_32_bit &&
	       hook_knows_wine(wine->version);
}

static void print_text(const struct wine *wine, const struct hooks *hooks)
{
	print_place(wine);
	print_hooks(hooks);
	printf("\n%u functions are hooked, %u passed on unseen, %u not present.\n", hooks->hooked,
	       hooks->left, hooks->absent);
	if (hooks->left_routed > 0)
		printf("%u that vadtrace should answer cannot be hooked: record with --mode "
		       "observe.\n",
		       hooks->left_routed);
	else if (!hook_knows_wine(wine->version))
		puts("This version is not known: its own functions answer, as with --mode "
		     "observe.");
	else if (is_good(wine, hooks))
		puts("Ready to record Windows programs.");
}

static struct json_object *hook_json(const struct hook *hook, const struct plan *plan)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "function", json_object_new_string(hook->name));
	json_object_object_add(object, "dll", json_object_new_string(hook->dll));
	json_object_object_add(object, "export", json_object_new_string(hook->export));
	json_object_object_add(object, "state",
			       json_object_new_string(hooks_state_text(plan->state)));
	json_object_object_add(object, "reason", json_object_new_string(plan->reason));
	json_object_object_add(object, "routed", json_object_new_boolean(hook->is_routed));
	return object;
}

static void print_json(const struct wine *wine, const struct hooks *hooks)
{
	struct json_object *root = json_object_new_object();
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < HOOK_COUNT; i++)
		json_object_array_add(rows, hook_json(hook_at(i), &hooks->plans[i]));
	json_object_object_add(root, "loader", json_object_new_string(wine->loader));
	json_object_object_add(root, "version", json_object_new_string(wine->version));
	json_object_object_add(root, "dlls", json_object_new_string(wine->dlls));
	json_object_object_add(root, "prefix", json_object_new_string(wine->prefix));
	json_object_object_add(root, "hooks", rows);
	json_object_object_add(root, "can_record", json_object_new_boolean(is_good(wine, hooks)));
	puts(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
							  JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
}

int doctor_wine(const char *place, bool wants_json)
{
	static struct wine wine;
	static struct hooks hooks;

	if (!wine_find(&wine, place) || !hooks_plan(&hooks, wine.dlls))
		return CLI_EXIT_FAILURE;
	if (wants_json)
		print_json(&wine, &hooks);
	else
		print_text(&wine, &hooks);
	return is_good(&wine, &hooks) ? CLI_EXIT_OK : CLI_EXIT_FAILURE;
}
