/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* vadtrace doctor: prints what tools/record/checkup finds, as a table or as JSON. */

#include "tools/commands.h"

#include "tools/lib/cli.h"
#include "tools/record/checkup.h"
#include "tools/record/doctor_wine.h"

#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>

static const char help[] =
	"usage: vadtrace doctor [--json] [command]\n"
	"       vadtrace doctor [--json] --wine [loader|prefix]\n\n"
	"Tells whether this machine, and a program, can be recorded, and what to do if not.\n"
	"The program is not run.\n\n"
	"      --wine   look at Wine: which functions of Windows can be seen and answered\n"
	"      --json   print JSON\n"
	"  -h, --help   print this help\n\n"
	"The exit status is 0 when recording works, 1 when it does not, 2 for wrong words.\n";

static const char *level_text(enum checkup_level level)
{
	static const char *const texts[] = { "ok", "warn", "fail" };

	return texts[level];
}

static void print_table(const struct checkup *checkup)
{
	for (int i = 0; i < checkup->count; i++) {
		const struct checkup_row *row = &checkup->rows[i];

		printf("%-4s  %-16s  %s\n", level_text(row->level), row->name, row->text);
		if (*row->advice)
			printf("%24s%s\n", "-> ", row->advice);
	}
	puts(checkup_worst(checkup) == CHECKUP_FAIL ? "Recording does not work yet."
						    : "Ready to record.");
}

static struct json_object *row_json(const struct checkup_row *row)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "check", json_object_new_string(row->name));
	json_object_object_add(object, "result", json_object_new_string(level_text(row->level)));
	json_object_object_add(object, "text", json_object_new_string(row->text));
	if (*row->advice)
		json_object_object_add(object, "advice", json_object_new_string(row->advice));
	return object;
}

static void print_json(const struct checkup *checkup)
{
	struct json_object *root = json_object_new_object();
	struct json_object *rows = json_object_new_array();

	for (int i = 0; i < checkup->count; i++)
		json_object_array_add(rows, row_json(&checkup->rows[i]));
	json_object_object_add(root, "checks", rows);
	json_object_object_add(root, "can_record",
			       json_object_new_boolean(checkup_worst(checkup) != CHECKUP_FAIL));
	puts(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
							  JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
}

static int examine(const char *command, bool wants_json)
{
	static struct checkup checkup;

	checkup_machine(&checkup);
	if (command)
		checkup_program(&checkup, command);
	if (wants_json)
		print_json(&checkup);
	else
		print_table(&checkup);
	return checkup_worst(&checkup) == CHECKUP_FAIL ? CLI_EXIT_FAILURE : CLI_EXIT_OK;
}

int cmd_doctor(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "wine", no_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static char name[] = "vadtrace doctor";
	bool wants_json = false, wants_wine = false;
	const char *subject;
	int code;

	argv[0] = name;
	optind = 0;
	while ((code = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		if (code == 'h') {
			fputs(help, stdout);
			return CLI_EXIT_OK;
		}
		if (code != 'j' && code != 'w') {
			cli_hint("vadtrace doctor --help lists the options");
			return CLI_EXIT_USAGE;
		}
		*(code == 'j' ? &wants_json : &wants_wine) = true;
	}
	subject = optind < argc ? argv[optind] : NULL;
	return wants_wine ? doctor_wine(subject, wants_json) : examine(subject, wants_json);
}
