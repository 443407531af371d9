/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* names MODULE: a program with libraries that have functions of Windows' names, and without
 * libvadcore. It calls theirs, however it finds them. */

#include <dlfcn.h>
#include <stdio.h>

typedef const char *(*function)(void);

const char *VirtualAlloc(void);
const char *CloseHandle(void);
const char *NtAllocateVirtualMemory(void);
const char *core_serve(void);

static void show(void *handle, const char *name)
{
	function found = (function)dlsym(handle, name);

	printf("%s: %s\n", name, found ? found() : "none");
}

int main(int argc, char **argv)
{
	void *module;

	printf("linked: %s, %s, %s, %s\n", VirtualAlloc(), CloseHandle(), NtAllocateVirtualMemory(),
	       core_serve());
	show(RTLD_DEFAULT, "VirtualAlloc");
	show(RTLD_NEXT, "CloseHandle");
	printf("nobody's: %p\n", dlsym(RTLD_DEFAULT, "VirtualFree"));
	module = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
	if (!module)
		return 1;
	show(module, "names_module_calls");
	show(RTLD_DEFAULT, "NtFreeVirtualMemory");
	show(RTLD_DEFAULT, "HeapAlloc");
	return 0;
}
