/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Locations of a trace to functions, files and lines: lazily, from the files on this machine that
 * have the build-id that was recorded. Nothing is fetched over a network. */

#ifndef VADTRACE_TOOLS_LIB_SYMBOLS_H
#define VADTRACE_TOOLS_LIB_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/lib/stacks.h"

/* One function at a location. Equal strings are the same pointer within one struct symbols.
 *  - function is never NULL: "module+0xoffset" when nothing is known;
 *  - file is NULL and line 0 when they are not known;
 *  - module is the file's name without folders, "" for code outside of any module. */
struct symbol_frame {
	const char *function;
	const char *file;
	const char *module;
	int line;
	bool is_inlined; /* into the frame that follows */
	bool is_named;   /* function is a name, not an offset */
};

/* All functions at one location: innermost first, the last is not inlined. At least one. */
struct symbol {
	struct symbol_frame *frames;
	size_t count;
};

struct symbols;

/* `stacks` must live as long. */
struct symbols *symbols_create(const struct stacks *stacks);
void symbols_destroy(struct symbols *symbols);

/* From now on, looks first into what earlier reports found out and kept in this folder. Windows
 * files are not kept: what tells their builds apart is no hash of their content. */
void symbols_use_cache(struct symbols *symbols, const char *folder);

/* What became of it: how many locations were known from there, how many are new, and whether these
 * could be written (0, or -errno). */
struct symbols_recall {
	size_t found, added;
	int error;
};

/* Keeps what was found out since. For the end: once. */
struct symbols_recall symbols_save_cache(struct symbols *symbols);

/* The symbol of a location; valid until symbols_destroy. */
const struct symbol *symbols_find(struct symbols *symbols, uint32_t location);

/* Files that were asked for and could not be used: gone, or of another build. */
size_t symbols_missing_count(const struct symbols *symbols);

#endif
