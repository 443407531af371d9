/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Opens its neighbour by bare name: found only through this object's own RUNPATH. */

#include <dlfcn.h>
#include <stddef.h>

int dl_outer_finds(const char *name);

int dl_outer_finds(const char *name)
{
	void *handle = dlopen(name, RTLD_NOW);

	if (handle)
		dlclose(handle);
	return handle != NULL;
}
