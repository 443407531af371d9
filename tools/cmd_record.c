/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* vadtrace record: checks the words and the program, then records. */

#include "tools/commands.h"

#include "tools/lib/cli.h"
#include "tools/record/exit.h"
#include "tools/record/options.h"
#include "tools/record/recording.h"
#include "tools/record/target.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* What is worth a word before every recording; doctor says the rest. */
enum { NOTES_WARNED = TARGET_NOTE_ALLOCATOR | TARGET_NOTE_OWN_MALLOC };

static int refuse(const struct target *target)
{
	char problem[TARGET_TEXT_MAX], advice[TARGET_TEXT_MAX];

	target_explain(target, problem, advice);
	cli_error("%s", problem);
	cli_hint("%s", advice);
	return target_exit_status(target->problem);
}

/* A shell's own memory is seldom what was meant. */
static bool is_shell(const struct target *target)
{
	static const char *const shells[] = { "sh", "bash", "dash", "ksh", "zsh" };
	const char *name = strrchr(target->image, '/');

	if (target->notes & TARGET_NOTE_WINE)
		return false;
	for (size_t i = 0; name && i < sizeof(shells) / sizeof(shells[0]); i++)
		if (!strcmp(name + 1, shells[i]))
			return true;
	return false;
}

static void warn(const struct target *target, bool with_children)
{
	if (target->notes & TARGET_NOTE_SCRIPT && is_shell(target) && !with_children)
		cli_warn("'%s' is a shell script: the programs that it starts are recorded only "
			 "with --children",
			 target->path);
	for (unsigned note = 1; note <= target->notes; note <<= 1)
		if (target->notes & note & NOTES_WARNED)
			cli_warn("'%s' %s", target->image, target_note_text(note));
}

/* What is none, Wine looks for in its own ways, and may run it by way of its start.exe. */
static bool is_windows_file(const char *path)
{
	static struct target target;

	if (!path || access(path, R_OK) < 0)
		return false;
	target_examine_file(&target, path);
	return target.problem == TARGET_WINDOWS;
}

/* Only Wine's answers can be compared with others. */
static bool can_serve(const struct target *target, const char *mode)
{
	if (strcmp(mode, "verify") != 0 || target->notes & TARGET_NOTE_WINE)
		return true;
	cli_error("--mode verify is for Windows programs, and '%s' is none", target->path);
	cli_hint("record it with --mode route or --mode observe");
	return false;
}

int cmd_record(int argc, char **argv)
{
	static struct record_options options;
	static struct target target;
	int status;

	if (!options_parse(&options, argc, argv, &status))
		return status;
	target_examine(&target, options.command[0]);
	if (target.problem)
		return refuse(&target);
	if (!can_serve(&target, options.mode))
		return RECORD_EXIT_USAGE;
	if (target.notes & TARGET_NOTE_WINE) {
		options.is_wine_script = target.notes & TARGET_NOTE_SCRIPT;
		options.is_moving = !is_windows_file(options.command[1]);
	}
	if (!options.is_quiet)
		warn(&target, options.with_children);
	return recording_run(&options, &target);
}
