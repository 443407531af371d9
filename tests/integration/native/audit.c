/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A module for LD_AUDIT that allocates wherever the loader calls it, in the namespace of its own.
 */

#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *ring[64];
static size_t calls;

static void allocate(void)
{
	void **slot = &ring[calls++ % 64];

	free(*slot);
	*slot = malloc(calls * 97 % 5000 + 1);
	if (*slot)
		memset(*slot, 1, calls * 97 % 5000 + 1);
}

unsigned int la_version(unsigned int version)
{
	allocate();
	return version;
}

void la_activity(uintptr_t *cookie, unsigned int flag)
{
	(void)cookie;
	(void)flag;
	allocate();
}

unsigned int la_objopen(struct link_map *map, Lmid_t space, uintptr_t *cookie)
{
	(void)map;
	(void)space;
	(void)cookie;
	allocate();
	return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}

uintptr_t la_symbind64(Elf64_Sym *symbol, unsigned int index, uintptr_t *reference,
		       uintptr_t *definition, unsigned int *flags, const char *name)
{
	(void)index;
	(void)reference;
	(void)definition;
	(void)flags;
	(void)name;
	allocate();
	return symbol->st_value;
}
