/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Reads the DLLs' files as the preload reads them in memory. */

#include "tools/record/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/lib/cli.h"

/* Whether it is a DLL that has one of its functions at least. */
static bool plan_bytes(struct hooks *hooks, const char *dll, const void *bytes, size_t size_bytes)
{
	struct pe_image image;
	bool has_one = false;

	if (!pe_image_open(&image, bytes, size_bytes, PE_LAYOUT_FILE))
		return false;
	plan_dll(&image, dll, hooks->plans);
	for (size_t i = 0; i < HOOK_COUNT; i++)
		has_one |=
			strcmp(hook_at(i)->dll, dll) == 0 && hooks->plans[i].state != HOOK_ABSENT;
	return has_one;
}

static bool plan_open_file(struct hooks *hooks, const char *dll, const char *path, int fd)
{
	struct stat status;
	size_t size_bytes;
	bool is_planned;
	void *bytes;

	if (fstat(fd, &status) != 0 || status.st_size <= 0) {
		cli_error("%s is empty", path);
		return false;
	}
	size_bytes = (size_t)status.st_size;
	bytes = mmap(NULL, size_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED) {
		cli_error("cannot read %s: %s", path, strerror(errno));
		return false;
	}
	is_planned = plan_bytes(hooks, dll, bytes, size_bytes);
	if (!is_planned)
		cli_error("%s is not Wine's 64-bit %s.dll", path, dll);
	munmap(bytes, size_bytes);
	return is_planned;
}

static bool plan_file(struct hooks *hooks, const char *folder, const char *dll)
{
	char path[PATH_MAX];
	bool is_planned;
	int fd;

	snprintf(path, sizeof(path), "%s/%s.dll", folder, dll);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		cli_error("cannot open %s: %s", path, strerror(errno));
		return false;
	}
	is_planned = plan_open_file(hooks, dll, path, fd);
	close(fd);
	return is_planned;
}

/* Whether no row before this one is of the same DLL. */
static bool is_first(size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(hook_at(i)->dll, hook_at(index)->dll) == 0)
			return false;
	return true;
}

static void count(struct hooks *hooks)
{
	for (size_t i = 0; i < HOOK_COUNT; i++) {
		enum hook_state state = hooks->plans[i].state;

		hooks->hooked += state == HOOK_IS_SET;
		hooks->absent += state == HOOK_ABSENT;
		hooks->left += state == HOOK_LEFT;
		hooks->left_routed += state == HOOK_LEFT && hook_at(i)->is_routed;
	}
}

bool hooks_plan(struct hooks *hooks, const char *folder)
{
	*hooks = (struct hooks){ .hooked = 0 };
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (is_first(i) && !plan_file(hooks, folder, hook_at(i)->dll))
			return false;
	count(hooks);
	return true;
}

const char *hooks_state_text(enum hook_state state)
{
	switch (state) {
	case HOOK_IS_SET:
		return "hooked";
	case HOOK_LEFT:
		return "passed on";
	case HOOK_ABSENT:
		return "not present";
	default:
		return "not loaded";
	}
}
