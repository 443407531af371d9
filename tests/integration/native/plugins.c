/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A program without C++ that loads plugins with it, each into a scope of its own, and calls their
 * run(). Twice, since a plugin may come back at another address. */

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static int run(const char *path)
{
	void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	int (*function)(int);
	void *symbol;

	if (!plugin) {
		printf("%s\n", dlerror());
		return 1;
	}
	symbol = dlsym(plugin, "run");
	memcpy(&function, &symbol, sizeof(function));
	printf("run: %d\n", function(2));
	printf("dlclose: %d\n", dlclose(plugin));
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	int failures = 0;

	for (int i = 1; i < 2 * argc - 1; i++)
		failures += run(argv[(i - 1) % (argc - 1) + 1]);
	return failures;
}
