/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Finds an installed Wine by its loader:
 *
 *   upstream   PREFIX/bin/wine64           PREFIX/lib/wine/x86_64-windows/ntdll.dll
 *              PREFIX/bin/wine             PREFIX/lib64/wine/x86_64-windows/ntdll.dll
 *   Debian     /usr/lib/wine/wine64        /usr/lib/x86_64-linux-gnu/wine/x86_64-windows/ntdll.dll
 *              /usr/bin/wine, a script
 *
 * The ELF half is in x86_64-unix beside it, and carries the version as a text. */

#include "tools/record/wine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/lib/cli.h"
#include "tools/record/target.h"

static const char *const loader_names[] = { "wine64", "wine" };
static const char *const known_folders[] = {
	"/usr/lib/wine",       "/opt/wine-stable/bin", "/opt/wine-staging/bin",
	"/opt/wine-devel/bin", "/usr/local/bin",
};
/* From the loader's folder. */
static const char *const dll_folders[] = {
	"../lib/wine",
	"../lib64/wine",
	"../lib/x86_64-linux-gnu/wine",
	"../x86_64-linux-gnu/wine",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* "FOLDER/NAME"; false when it is too long. */
static bool join(char path[PATH_MAX], const char *folder, const char *name)
{
	return snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

static bool is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool exists_in(const char *folder, const char *name)
{
	char path[PATH_MAX];

	return join(path, folder, name) && access(path, F_OK) == 0;
}

/* A file in memory; NULL when it is empty or cannot be read. */
static const char *map_file(const char *path, size_t *size_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *bytes = MAP_FAILED;
	struct stat status;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && status.st_size > 0) {
		*size_bytes = (size_t)status.st_size;
		bytes = mmap(NULL, *size_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	close(fd);
	return bytes == MAP_FAILED ? NULL : bytes;
}

/* --- The loader ------------------------------------------------------------------------------ */

/* By this variable, which it exports, the preload knows it too. */
static bool is_wine(const char *path)
{
	static const char variable[] = "wine_main_preload_info";
	size_t size_bytes = 0;
	const char *bytes = map_file(path, &size_bytes);
	bool has_it = bytes && memmem(bytes, size_bytes, variable, sizeof(variable));

	if (bytes)
		munmap((void *)bytes, size_bytes);
	return has_it;
}

/* Follows links, because the libraries are found from where the loader really is. */
static bool take_loader(struct wine *wine, const char *command)
{
	static struct target target;

	target_examine(&target, command);
	return target.problem == TARGET_OK && strcmp(target.path, target.image) == 0 &&
	       is_wine(target.path) && realpath(target.path, wine->loader);
}

static bool take_loader_in(struct wine *wine, const char *folder)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < COUNT(loader_names); i++)
		if (join(path, folder, loader_names[i]) && take_loader(wine, path))
			return true;
	return false;
}

static bool take_known_loader(struct wine *wine)
{
	for (size_t i = 0; i < COUNT(known_folders); i++)
		if (take_loader_in(wine, known_folders[i]))
			return true;
	return false;
}

static bool take_own_loader(struct wine *wine)
{
	const char *named = getenv("WINELOADER");

	if (named && *named && take_loader(wine, named))
		return true;
	for (size_t i = 0; i < COUNT(loader_names); i++)
		if (take_loader(wine, loader_names[i]))
			return true;
	return take_known_loader(wine);
}

/* A script's loader is beside it or, in Debian, where Debian puts it. So is the 64-bit one of a
 * loader for 32-bit programs. */
static bool take_named_loader(struct wine *wine, const char *command)
{
	static struct target target;
	char *slash;

	if (take_loader(wine, command))
		return true;
	target_examine(&target, command);
	if (target.problem != TARGET_32_BIT && !(target.notes & TARGET_NOTE_SCRIPT))
		return false;
	slash = strrchr(target.path, '/');
	if (slash)
		*slash = '\0';
	return (slash && take_loader_in(wine, target.path)) || take_known_loader(wine);
}

static bool take_place(struct wine *wine, const char *place)
{
	char folder[PATH_MAX];

	if (!place)
		return take_own_loader(wine);
	if (!is_folder(place))
		return take_named_loader(wine, place);
	if (exists_in(place, "drive_c"))
		return realpath(place, wine->prefix) && take_own_loader(wine);
	return take_loader_in(wine, place) ||
	       (join(folder, place, "bin") && take_loader_in(wine, folder));
}

/* --- Its parts ------------------------------------------------------------------------------- */

static bool take_libraries(struct wine *wine, const char *folder)
{
	char path[PATH_MAX];

	return join(path, folder, "x86_64-windows") && exists_in(path, "ntdll.dll") &&
	       realpath(path, wine->dlls) && join(path, folder, "x86_64-unix") &&
	       realpath(path, wine->unix_libraries);
}

static bool find_libraries(struct wine *wine)
{
	char folder[PATH_MAX], path[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s", wine->loader);
	*strrchr(folder, '/') = '\0';
	for (size_t i = 0; i < COUNT(dll_folders); i++)
		if (join(path, folder, dll_folders[i]) && take_libraries(wine, path))
			return true;
	return false;
}

/* The text "wine-" and a digit, up to its end. */
static void read_version(struct wine *wine, const char *bytes, size_t size_bytes)
{
	const char *end = bytes + size_bytes, *at = bytes;

	while ((at = memmem(at, (size_t)(end - at), "wine-", 5)) != NULL) {
		size_t length = strnlen(at, (size_t)(end - at));

		if (length > 5 && length < WINE_VERSION_MAX && at[5] >= '0' && at[5] <= '9') {
			memcpy(wine->version, at, length + 1);
			return;
		}
		at += 5;
	}
}

static void find_version(struct wine *wine)
{
	char path[PATH_MAX];
	size_t size_bytes = 0;
	const char *bytes = NULL;

	if (join(path, wine->unix_libraries, "ntdll.so"))
		bytes = map_file(path, &size_bytes);
	if (!bytes)
		return;
	read_version(wine, bytes, size_bytes);
	munmap((void *)bytes, size_bytes);
}

/* Its registry says which programs it is for. */
static void find_prefix(struct wine *wine)
{
	const char *named = getenv("WINEPREFIX"), *home = getenv("HOME");
	char path[PATH_MAX], line[128];
	FILE *registry;

	if (!*wine->prefix && named && *named)
		snprintf(wine->prefix, sizeof(wine->prefix), "%s", named);
	else if (!*wine->prefix && home)
		(void)join(wine->prefix, home, ".wine");
	registry = join(path, wine->prefix, "system.reg") ? fopen(path, "re") : NULL;
	if (!registry)
		return;
	wine->prefix_exists = true;
	for (int i = 0; i < 8 && fgets(line, sizeof(line), registry); i++)
		wine->prefix_is_32_bit |= strncmp(line, "#arch=win32", 11) == 0;
	fclose(registry);
}

bool wine_find(struct wine *wine, const char *place)
{
	*wine = (struct wine){ .version = "" };
	if (!take_place(wine, place)) {
		if (place)
			cli_error("%s is no Wine that runs 64-bit programs, and no prefix", place);
		else
			cli_error("there is no Wine for 64-bit programs");
		cli_hint("on Debian: apt-get install wine64; or name its loader, as in vadtrace "
			 "doctor --wine /opt/wine-stable/bin/wine64");
		return false;
	}
	if (!find_libraries(wine)) {
		cli_error("the libraries of %s are not where Wine has them", wine->loader);
		cli_hint("an installed Wine has them in ../lib/wine/x86_64-windows or lib64");
		return false;
	}
	find_version(wine);
	find_prefix(wine);
	return true;
}
