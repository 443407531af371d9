/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The dynamic loader: dl MODULE OUTER. Modules come and go while threads allocate and walk the list
 * of objects; other namespaces; deep binding; the caller's RUNPATH. */

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_bool ends;

static int look(struct dl_phdr_info *info, size_t size, void *data)
{
	char *copy = strdup(info->dlpi_name);

	*(int *)data += copy != NULL && size >= 32;
	free(copy);
	return 0;
}

static void *walk(void *argument)
{
	int count = 0;

	while (!ends) {
		dl_iterate_phdr(look, &count);
		free(malloc(1000));
	}
	return argument;
}

static void come_and_go(const char *path)
{
	pthread_t threads[3];
	int used = 0;

	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, walk, NULL);
	for (int i = 0; i < 1000; i++) {
		void *handle = dlopen(path, i % 2 ? RTLD_NOW : RTLD_LAZY);
		char *(*use)(int) = handle ? (char *(*)(int))dlsym(handle, "dl_module_use") : NULL;
		char *block = use ? use(i + 1) : NULL;

		used += block != NULL;
		if (handle)
			dlclose(handle);
		free(block);
	}
	ends = true;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	printf("come and go: %d\n", used);
}

static void special_ways(const char *path)
{
	static const struct {
		const char *name;
		int flags;
	} rows[] = {
		{ "deep", RTLD_NOW | RTLD_DEEPBIND },
		{ "global", RTLD_NOW | RTLD_GLOBAL },
		{ "kept", RTLD_NOW | RTLD_NODELETE },
	};

	for (int i = 0; i < 3; i++) {
		void *handle = dlopen(path, rows[i].flags);
		char *(*use)(int) = (char *(*)(int))dlsym(handle, "dl_module_use");

		free(use(100));
		printf("%s: %d\n", rows[i].name, dlclose(handle));
	}
}

/* A namespace of its own has a C library of its own. */
static void other_namespace(const char *path)
{
	void *handle = dlmopen(LM_ID_NEWLM, path, RTLD_NOW);
	char *(*use)(int) = handle ? (char *(*)(int))dlsym(handle, "dl_module_use") : NULL;

	printf("dlmopen: %s\n", use && use(50) ? "works" : dlerror());
	if (handle)
		printf("closed: %d\n", dlclose(handle));
}

static void runpath(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW);
	int (*finds)(const char *) = (int (*)(const char *))dlsym(handle, "dl_outer_finds");

	printf("found through RUNPATH: %d\n", finds("dl_module.so"));
	printf("not found from main: %d\n", dlopen("dl_module.so", RTLD_NOW) == NULL);
	dlclose(handle);
}

static int stop_early(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)info, (void)size, (void)data;
	return 17;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	printf("result of the callback: %d\n", dl_iterate_phdr(stop_early, NULL));
	come_and_go(argv[1]);
	special_ways(argv[1]);
	runpath(argv[2]);
	other_namespace(argv[1]);
	printf("dlclose of nothing: %d\n", dlclose(dlopen(NULL, RTLD_NOW)));
	return 0;
}
