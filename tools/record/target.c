/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Finds the program that a command means and follows its #! lines down to an ELF file.
 *
 *   command --PATH--> path --#!--> interpreter --#!--> ... image (target_elf.c looks inside)
 *
 * A program is privileged (AT_SECURE: the loader then ignores LD_PRELOAD) when exec changes the
 * user or the group, or gives capabilities to a user who is not root: see execve(2) and
 * ld.so(8). No state, no lock. Starts nothing. */

#include "tools/record/target.h"

#include "tools/record/exit.h"
#include "tools/record/target_elf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { INTERPRETERS_MAX = 5 }; /* as in the kernel */

/* 0 when exec would take the file, else errno. */
static int check_executable(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return errno;
	if (S_ISDIR(status.st_mode))
		return EISDIR;
	if (!S_ISREG(status.st_mode))
		return EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

/* Joins one element of PATH (the current folder when empty) and the name. */
static bool join(char path[PATH_MAX], const char *folder, size_t length, const char *name)
{
	int written = length ? snprintf(path, PATH_MAX, "%.*s/%s", (int)length, folder, name)
			     : snprintf(path, PATH_MAX, "./%s", name);

	return written > 0 && written < PATH_MAX;
}

/* As execvp: the first that can be executed; EACCES when only others were met. */
static int search_path(char path[PATH_MAX], const char *name)
{
	const char *folder = getenv("PATH");
	int error = ENOENT;

	if (!folder)
		folder = "/bin:/usr/bin";
	for (;;) {
		size_t length = strcspn(folder, ":");
		int status =
			join(path, folder, length, name) ? check_executable(path) : ENAMETOOLONG;

		if (!status)
			return 0;
		if (status == EACCES)
			error = EACCES;
		folder += length;
		if (!*folder++)
			return error;
	}
}

static int find(char path[PATH_MAX], const char *command)
{
	int error;

	if (!*command)
		return ENOENT;
	if (!strchr(command, '/')) {
		error = search_path(path, command);
		if (error == ENOENT)
			path[0] = '\0';
		return error;
	}
	if (strlen(command) >= PATH_MAX)
		return ENAMETOOLONG;
	strcpy(path, command);
	return check_executable(path);
}

static bool is_nosuid(int file)
{
	struct statvfs mount;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return true;
	return fstatvfs(file, &mount) == 0 && mount.f_flag & ST_NOSUID;
}

static enum target_problem check_privilege(int file)
{
	struct stat status;

	if (fstat(file, &status) < 0 || is_nosuid(file))
		return TARGET_OK;
	if (status.st_mode & S_ISUID && status.st_uid != getuid())
		return TARGET_SETUID;
	if ((status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
	    status.st_gid != getgid())
		return TARGET_SETGID;
	if (getuid() != 0 && fgetxattr(file, "security.capability", NULL, 0) > 0)
		return TARGET_CAPABILITIES;
	return TARGET_OK;
}

/* The kernel takes the two bits of a script's interpreter, never the script's own. */
static void examine_image(struct target *target, int file)
{
	target_examine_elf(target, file);
	if (target->problem == TARGET_OK)
		target->problem = check_privilege(file);
}

/* Splits "#! /path argument": returns the path, *argument NULL when there is none. */
static char *split_script_line(char *line, char **argument)
{
	char *path = line + 2 + strspn(line + 2, " \t");
	char *end = path + strcspn(path, " \t\n");
	char *next = end + strspn(end, " \t");

	next[strcspn(next, "\n")] = '\0';
	*argument = *next ? next : NULL;
	*end = '\0';
	return path;
}

/* "env NAME", without options or assignments, means: the NAME that PATH finds. */
static bool is_env_of(const char *path, const char *argument)
{
	const char *slash = strrchr(path, '/');

	return slash && !strcmp(slash, "/env") && argument && *argument != '-' &&
	       !strpbrk(argument, "= \t");
}

static void examine_file(struct target *target, int depth);

static void follow_script(struct target *target, char *line, int depth)
{
	char *argument;
	char *path = split_script_line(line, &argument);
	int error;

	target->notes |= TARGET_NOTE_SCRIPT;
	if (is_env_of(path, argument) && depth == 0) {
		target->notes |= TARGET_NOTE_ENV_SCRIPT;
		strcpy(target->interpreter, argument);
		error = find(target->image, argument);
		snprintf(target->loader, sizeof(target->loader), "%s", argument);
	} else {
		error = check_executable(path);
		snprintf(target->image, sizeof(target->image), "%s", path);
		snprintf(target->loader, sizeof(target->loader), "%s", path);
	}
	if (error) {
		target->problem = TARGET_NO_LOADER;
		return;
	}
	target->loader[0] = '\0';
	examine_file(target, depth + 1);
}

static void examine_open_file(struct target *target, int file, int depth)
{
	char line[TARGET_SCRIPT_LINE_MAX] = "";
	ssize_t length = pread(file, line, sizeof(line) - 1, 0);

	if (length >= 2 && !memcmp(line, "#!", 2) && depth < INTERPRETERS_MAX)
		follow_script(target, line, depth);
	else if (length >= 2 && !memcmp(line, "MZ", 2))
		target->problem = TARGET_WINDOWS;
	else
		examine_image(target, file);
}

static void examine_file(struct target *target, int depth)
{
	int file = open(target->image, O_RDONLY | O_CLOEXEC);

	if (file < 0) {
		target->notes |= TARGET_NOTE_UNREADABLE;
		return;
	}
	examine_open_file(target, file, depth);
	close(file);
}

/* The last part of what the path leads to in the end. */
static void read_real_name(char name[PATH_MAX], const char *path)
{
	char real[PATH_MAX];
	const char *slash = strrchr(realpath(path, real) ? real : path, '/');

	snprintf(name, PATH_MAX, "%s", slash ? slash + 1 : path);
}

/* Wine's loader, by its name; or a script that begins like it: such scripts become the loader. */
static bool is_wine(const struct target *target)
{
	static const char *const loaders[] = { "wine", "wine64", "wine-preloader",
					       "wine64-preloader" };
	char name[PATH_MAX];

	read_real_name(name, target->path);
	if (target->notes & TARGET_NOTE_SCRIPT)
		return strncmp(name, "wine", strlen("wine")) == 0;
	for (size_t i = 0; i < sizeof(loaders) / sizeof(loaders[0]); i++)
		if (strcmp(name, loaders[i]) == 0)
			return true;
	return false;
}

void target_examine(struct target *target, const char *command)
{
	memset(target, 0, sizeof(*target));
	target->error = find(target->path, command);
	if (target->error) {
		target->problem = target->error == EACCES || target->error == EISDIR
					  ? TARGET_NOT_EXECUTABLE
					  : TARGET_NOT_FOUND;
		if (!*target->path)
			snprintf(target->path, sizeof(target->path), "%s", command);
		return;
	}
	strcpy(target->image, target->path);
	examine_file(target, 0);
	if (is_wine(target))
		target->notes |= TARGET_NOTE_WINE;
}

void target_examine_file(struct target *target, const char *path)
{
	memset(target, 0, sizeof(*target));
	snprintf(target->path, sizeof(target->path), "%s", path);
	snprintf(target->image, sizeof(target->image), "%s", path);
	examine_file(target, 0);
}

/* A row for each problem: the words after the program's name, advice, status. */
static const struct explanation {
	const char *problem;
	const char *advice;
	int exit_status;
} explanations[] = {
	[TARGET_OK] = { "can be recorded", "", 0 },
	[TARGET_NOT_FOUND] = { "was not found", "check the spelling, or give its full path",
			       RECORD_EXIT_NOT_FOUND },
	[TARGET_NOT_EXECUTABLE] = { "cannot be executed",
				    "chmod +x makes a file executable; a script also runs as an "
				    "argument of its interpreter",
				    RECORD_EXIT_NOT_EXECUTABLE },
	[TARGET_NOT_A_PROGRAM] = { "is neither an ELF program nor a script that begins with #!",
				   "start it through its interpreter, for example: vadtrace "
				   "record -- sh FILE",
				   RECORD_EXIT_NOT_EXECUTABLE },
	[TARGET_WINDOWS] = { "is a Windows program",
			     "record Wine, which runs it: vadtrace record -- wine FILE",
			     RECORD_EXIT_NOT_EXECUTABLE },
	[TARGET_NO_LOADER] = { "needs an interpreter or loader that is not installed",
			       "install it, or correct the first line of the script",
			       RECORD_EXIT_NOT_EXECUTABLE },
	[TARGET_STATIC] = { "is statically linked: nothing can be preloaded into it",
			    "link it without -static, or install a dynamically linked build",
			    RECORD_EXIT_STATIC },
	[TARGET_STATIC_PIE] = { "is statically linked (static-pie): nothing can be preloaded "
				"into it",
				"link it without -static-pie, or install a dynamically linked "
				"build",
				RECORD_EXIT_STATIC },
	[TARGET_SETUID] = { "is set-uid: the loader ignores LD_PRELOAD for it",
			    "record as the user who owns it, or record a copy without the bit "
			    "(cp makes one)",
			    RECORD_EXIT_PRIVILEGED },
	[TARGET_SETGID] = { "is set-gid: the loader ignores LD_PRELOAD for it",
			    "record as a member of its group (newgrp), or record a copy without "
			    "the bit (cp makes one)",
			    RECORD_EXIT_PRIVILEGED },
	[TARGET_CAPABILITIES] = { "has file capabilities: the loader ignores LD_PRELOAD for it",
				  "record as root, or record a copy without them (cp makes one)",
				  RECORD_EXIT_PRIVILEGED },
	[TARGET_32_BIT] = { "is a 32-bit program; vadtrace records 64-bit ones only",
			    "use its x86-64 build", RECORD_EXIT_MACHINE },
	[TARGET_FOREIGN] = { "is a program for another processor", "use its x86-64 build",
			     RECORD_EXIT_MACHINE },
	[TARGET_MUSL] = { "is linked with musl; vadtrace needs glibc",
			  "build it with glibc, or use your distribution's package of it",
			  RECORD_EXIT_LIBC },
	[TARGET_OTHER_LIBC] = { "does not use glibc's loader",
				"build it with glibc, or use your distribution's package of it",
				RECORD_EXIT_LIBC },
	[TARGET_SANITIZER] = { "is built with a sanitizer (-fsanitize=address, thread): it brings "
			       "a malloc of its own, and no library may be loaded before it",
			       "record a build without the sanitizer", RECORD_EXIT_LIBRARY },
};

static void describe_subject(const struct target *target, char *text, size_t size)
{
	bool is_script = target->notes & TARGET_NOTE_SCRIPT;

	if (target->problem == TARGET_NO_LOADER)
		snprintf(text, size, "'%s' (which needs '%s')", target->path, target->loader);
	else if (is_script)
		snprintf(text, size, "'%s', the interpreter of '%s',", target->image, target->path);
	else
		snprintf(text, size, "'%s'", target->path);
}

/* Where Debian's package wine64 puts it, which is in no PATH. */
#define DEBIANS_WINE "/usr/lib/wine/wine64"

/* What the user may have meant by a name that is not in the PATH; NULL: who knows. */
static const char *find_meaning(const char *name)
{
	if (!*name || strchr(name, '/'))
		return NULL;
	if (access(name, X_OK) == 0)
		return "it is in the current folder: put ./ before its name";
	if ((!strcmp(name, "wine") || !strcmp(name, "wine64")) && access(DEBIANS_WINE, X_OK) == 0)
		return "Debian's Wine is not in the PATH: name it " DEBIANS_WINE;
	return NULL;
}

static const char *find_advice(const struct target *target)
{
	const char *meaning = NULL;

	if (target->error == EISDIR)
		return "this is a folder: name a program";
	if (target->problem == TARGET_NOT_FOUND)
		meaning = find_meaning(target->path);
	if (meaning)
		return meaning;
	return explanations[target->problem].advice;
}

void target_explain(const struct target *target, char problem[TARGET_TEXT_MAX],
		    char advice[TARGET_TEXT_MAX])
{
	const struct explanation *row = &explanations[target->problem];
	char subject[2 * PATH_MAX + 32];

	describe_subject(target, subject, sizeof(subject));
	snprintf(advice, TARGET_TEXT_MAX, "%s", find_advice(target));
	if (target->error && target->error != ENOENT)
		snprintf(problem, TARGET_TEXT_MAX, "%.4000s %s: %s", subject, row->problem,
			 strerror(target->error));
	else
		snprintf(problem, TARGET_TEXT_MAX, "%.4000s %s", subject, row->problem);
}

int target_exit_status(enum target_problem problem)
{
	return explanations[problem].exit_status;
}

const char *target_note_text(enum target_note note)
{
	switch (note) {
	case TARGET_NOTE_SCRIPT:
		return "is a script: its interpreter is recorded, and the programs that it starts "
		       "only with --children";
	case TARGET_NOTE_ENV_SCRIPT:
		return "names its interpreter through env: without --children that interpreter is "
		       "started directly";
	case TARGET_NOTE_OWN_MALLOC:
		return "defines malloc itself: its own calls of malloc are not seen";
	case TARGET_NOTE_ALLOCATOR:
		return "has another allocator linked in (jemalloc, tcmalloc, mimalloc ...): what "
		       "it "
		       "takes from there is not seen";
	case TARGET_NOTE_GO:
		return "is a Go program: Go takes memory from the kernel without calling the C "
		       "library, so it is seen only in part";
	case TARGET_NOTE_UNREADABLE:
		return "may not be read, so whether it can be recorded is unknown";
	case TARGET_NOTE_WINE:
		return "runs Windows programs: the one that it is given is recorded, Wine's own "
		       "programs are not";
	case TARGET_NOTES_HARMLESS:
		break;
	}
	return "";
}
