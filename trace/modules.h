/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Which files' code is where, as far as stacks need it: ELF files, and PE images under Wine.
 *
 * The list of modules is an immutable snapshot, replaced as a whole. Modules that were loaded after
 * modules_start are found when a stack first leads through them, without the loader's lock. */

#ifndef VADTRACE_TRACE_MODULES_H
#define VADTRACE_TRACE_MODULES_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One loaded file.
 *  - [start, end) holds all its segments, page by page; base is what its symbols are relative to;
 *  - generation is that of its last module event;
 *  - pe is NULL for an ELF file; a PE image has no segments and no build-id. */
struct module {
	uint64_t base, start, end;
	const char *name;            /* as the loader has it: "" for the program itself */
	const char *path;            /* the program's real path */
	const char *build_id;        /* hexadecimal, "" when it has none */
	const ElfW(Phdr) * segments; /* our copy */
	const struct module_pe *pe;
	uint32_t id;
	uint32_t generation;
	uint32_t seen; /* the last refresh that met it */
	uint16_t segment_count;
};

/* Learns all modules of the process. Takes the loader's lock; as modules_refresh does. */
void modules_start(void);

/* Emits all known modules that this process has not emitted yet. */
void modules_emit_all(void);

/* The modules of these addresses are known and emitted after this, if the loader knows them. */
void modules_learn(const uint64_t *frames, uint32_t count);

/* Compares with the loader's list: what vanished is told, and forgotten with its stacks. */
void modules_refresh(void);

/* Makes a module known. What it overlaps was unloaded without our notice. The module that is at
 * `address` then, or NULL. */
struct module *modules_add(struct module *added, uint64_t address);

/* The module is gone: it is told, and forgotten with its stacks. */
void modules_remove(const struct module *gone);

/* A copy of the text, for good; "" when there is no memory. */
const char *modules_keep(const char *text);

/* NULL when no known module covers the address. */
const struct module *modules_find(uint64_t address);

/* dl_iterate_phdr over the snapshot. */
int modules_iterate(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data);

/* All modules must be emitted again before their next use. */
void modules_restart(void);

/* In a fork's child: the lock may have been held by a thread that is not here. */
void modules_fork_child(void);

#endif
