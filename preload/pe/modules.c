/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* From the first mapping of a DLL's file to the moment when its code may run:
 *
 *   mmap(base, headers, fd of .../ntdll.dll, offset 0)     remember the base
 *   mmap or pread of each section
 *   mprotect(base + 0x1000, .text, PROT_EXEC)              set the hooks, then perform it
 *
 * A program of Wine is known by a variable that its loader exports for its preloader. The DLLs are
 * looked for until all have been seen, which is long before the Windows program runs: from then on,
 * and in all other programs, a notice costs one load.
 *
 * No lock: Wine maps its first three DLLs on the process's first thread. */

#include "preload/pe/modules.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/hints.h"
#include "core/os/os.h"
#include "preload/pe/hook.h"
#include "preload/pe/plan/image.h"

#define DLLS_MAX 3
#define LINK_BYTES_MAX 512

/* Exported by Wine's loader, and by nothing else. */
extern const char wine_main_preload_info __attribute__((weak));

/* An image whose headers are mapped and whose code is not executable yet. */
struct coming {
	char name[16];
	uint64_t base;
	size_t size_bytes;
};

static struct coming coming[DLLS_MAX];
static unsigned int coming_count, done_count;
/* Wine's ELF half; [0, 0) until it is known. */
static _Atomic uintptr_t wine_begin, wine_end;
static struct link_map *_Atomic wine_object; /* the same; NULL until it is known */

static bool is_wine(void)
{
	return unlikely(&wine_main_preload_info != NULL);
}

static bool is_waiting(void)
{
	return is_wine() && done_count < DLLS_MAX && hook_is_wanted();
}

/* --- Which file ------------------------------------------------------------------------------ */

/* "/proc/self/fd/" and the number. */
static void name_link(int fd, char *name)
{
	char digits[12];
	size_t count = 0;

	do
		digits[count++] = (char)('0' + fd % 10);
	while ((fd /= 10) > 0);
	memcpy(name, "/proc/self/fd/", 14);
	for (name += 14; count > 0; name++)
		*name = digits[--count];
	*name = '\0';
}

/* The last part of a file's path, in `path`; "" when it cannot be said. */
static const char *file_name(int fd, char *path)
{
	char link[32];
	int saved_errno = errno;
	ssize_t length;
	char *slash;

	name_link(fd, link);
	length = readlink(link, path, LINK_BYTES_MAX - 1);
	errno = saved_errno;
	path[length > 0 ? length : 0] = '\0';
	slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool has_hooks(const char *name)
{
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (hook_is_in(hook_at(i)->dll, name))
			return true;
	return false;
}

/* --- Notices --------------------------------------------------------------------------------- */

static void remember(const char *name, void *base, size_t size_bytes)
{
	struct coming *image = &coming[coming_count % DLLS_MAX];
	struct pe_image headers;

	if (!pe_image_open(&headers, base, size_bytes, PE_LAYOUT_MAPPED))
		return;
	coming_count++;
	image->base = (uintptr_t)base;
	image->size_bytes = headers.image_bytes;
	memcpy(image->name, name, strlen(name) + 1);
}

void pe_map_noticed(void *address, size_t size_bytes, int fd, off_t offset)
{
	char path[LINK_BYTES_MAX];
	const char *name;

	if (likely(!is_waiting()) || fd < 0 || offset != 0)
		return;
	name = file_name(fd, path);
	if (strlen(name) < sizeof(coming[0].name) && has_hooks(name))
		remember(name, address, size_bytes);
}

/* Forgotten first: what follows may not come here again for the same image. */
static void set_hooks(struct coming *image)
{
	struct coming whole = *image;

	image->base = 0;
	done_count++;
	hook_set_all(whole.name, (void *)whole.base, whole.size_bytes);
}

void pe_protect_coming(void *address, size_t size_bytes, int prot)
{
	if (likely(!is_waiting()) || !(prot & PROT_EXEC))
		return;
	for (unsigned int i = 0; i < DLLS_MAX; i++) {
		if (!coming[i].base || (uintptr_t)address - coming[i].base >= coming[i].size_bytes)
			continue;
		if (os_protect(address, size_bytes, PROT_READ | PROT_WRITE) == 0)
			set_hooks(&coming[i]);
		return;
	}
}

/* --- Wine's own code ------------------------------------------------------------------------- */

static bool is_ntdll(const struct dl_find_object *object)
{
	const char *slash = strrchr(object->dlfo_link_map->l_name, '/');

	return slash && strcmp(slash, "/ntdll.so") == 0;
}

/* _dl_find_object takes no lock. */
static bool look_for_ntdll(const void *address)
{
	struct dl_find_object object;

	if (_dl_find_object((void *)address, &object) != 0 || !is_ntdll(&object))
		return false;
	wine_object = object.dlfo_link_map;
	wine_end = (uintptr_t)object.dlfo_map_end;
	wine_begin = (uintptr_t)object.dlfo_map_start;
	return true;
}

bool pe_is_wine_code(const void *address)
{
	uintptr_t begin;

	if (!is_wine())
		return false;
	begin = wine_begin;
	if (begin == 0)
		return look_for_ntdll(address);
	return (uintptr_t)address >= begin && (uintptr_t)address < wine_end;
}

/* A link map is what the C library gives as a handle. */
void *pe_wine_function(const char *name)
{
	struct link_map *object = wine_object;
	void *function = object ? dlsym(object, name) : NULL;

	if (!function)
		(void)dlerror();
	return function;
}
