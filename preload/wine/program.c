/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Told by file names and arguments, as Wine itself makes them:
 *
 *   sh wine prog.exe -> wine64 prog.exe -> wine64 prog.exe       exec: one process
 *                              | fork        (WINELOADERNOEXEC)
 *                              +-> wineserver
 *                              +-> wine64 C:\windows\system32\services.exe   (WINESERVERSOCKET)
 *
 * What the user named may be run by way of Wine's start.exe: then start.exe is left alone, and its
 * child is the program. Each exec of the loader is tried by way of its preloader first, with the
 * loader's own path as one argument more. */

#include "preload/wine/program.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "preload/environment.h"
#include "preload/wine/teb.h"
#include "trace/schema/schema.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const char *const loaders[] = { "wine", "wine64", "wine-preloader", "wine64-preloader" };
static const char *const servers[] = { "wineserver", "wineserver64", "wineserver32" };
/* What Wine starts on its own account. */
static const char *const own_programs[] = {
	"services.exe", "winedevice.exe", "plugplay.exe",        "svchost.exe",
	"explorer.exe", "rpcss.exe",      "wineboot.exe",        "spoolsv.exe",
	"conhost.exe",  "tabtip.exe",     "winemenubuilder.exe",
};

static const char *const launchers[] = { "start.exe" };

static enum program kind;
static bool is_launcher_named, is_launcher;

/* What follows the last slash of either sort. */
static const char *file_name(const char *path)
{
	const char *name = path;

	for (; *path; path++)
		if (*path == '/' || *path == '\\')
			name = path + 1;
	return name;
}

static char lower(char letter)
{
	return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

/* Windows' names know no case. The C library's comparison reads its locale's tables, which a small
 * program never touches. */
static bool is_name(const char *name, const char *expected)
{
	while (*name && lower(*name) == lower(*expected))
		name++, expected++;
	return lower(*name) == lower(*expected);
}

static bool is_in(const char *path, const char *const *list, size_t count)
{
	const char *name = file_name(path);

	for (size_t i = 0; i < count; i++)
		if (is_name(name, list[i]))
			return true;
	return false;
}

/* The Windows program among the loader's arguments; NULL when there is none. */
static const char *find_program(char *const argv[])
{
	if (!argv || !argv[0])
		return NULL;
	for (argv++; *argv; argv++)
		if (!is_in(*argv, loaders, COUNT(loaders)))
			return *argv;
	return NULL;
}

bool program_is_windows(const char *path, char *const argv[])
{
	const char *program = find_program(argv);

	return is_in(path, loaders, COUNT(loaders)) && program &&
	       !is_in(program, own_programs, COUNT(own_programs));
}

/* What the user names is his program, whatever it is; he does not start it by Wine's server. */
static enum program kind_of_loader(void)
{
	if (environment_get("WINESERVERSOCKET") &&
	    !program_is_windows("wine64", environment_arguments()))
		return PROGRAM_OF_WINE;
	return PROGRAM_WINDOWS;
}

/* The user may mean start.exe, or just start. */
static bool names_launcher(const char *program)
{
	return program && (is_in(program, launchers, COUNT(launchers)) ||
			   is_name(file_name(program), "start"));
}

void program_find(void)
{
	char path[512];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[length > 0 ? length : 0] = '\0';
	is_launcher_named = names_launcher(find_program(environment_arguments()));
	if (is_in(path, loaders, COUNT(loaders)))
		kind = kind_of_loader();
	else if (is_in(path, servers, COUNT(servers)))
		kind = PROGRAM_OF_WINE;
	else if (environment_get(VADTRACE_ENV_WINE))
		kind = PROGRAM_SCRIPT;
}

void program_find_launcher(void)
{
	char name[64];

	teb_read_image_name(name, sizeof(name));
	is_launcher = !is_launcher_named && is_in(name, launchers, COUNT(launchers));
}

bool program_is_launcher(void)
{
	return is_launcher;
}

enum program program_kind(void)
{
	return kind;
}
