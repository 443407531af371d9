/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What was found out about one module's locations, kept in a file for the next time: the file's
 * name is the module's build-id. Many may read and write one at once: a file is never changed, only
 * replaced. Nothing in it is believed before its length, its checksum and every reference in it
 * were looked at. */

#ifndef VADTRACE_TOOLS_LIB_SYMBOL_STORE_H
#define VADTRACE_TOOLS_LIB_SYMBOL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One function at a location, as struct symbol_frame has it.
 *  - function is "" when nothing is known but the offset; file is NULL when it is not known. */
struct stored_frame {
	const char *function;
	const char *file;
	int line;
	bool is_inlined;
	bool is_named;
};

enum { STORED_FRAMES_MAX = 64 };

/* How the names of files that are being written begin. */
#define SYMBOL_STORE_DRAFT ".new-"

struct symbol_store;

/* Reads what there is; a file that is missing or damaged is as an empty one. `is_plain_good`: what
 * was found without debug information still holds, for there is none now. */
struct symbol_store *symbol_store_open(const char *folder, const char *build_id,
				       bool is_plain_good);
/* Writes the file, if something was added. 0 or -errno: then it is as it was. */
int symbol_store_save(struct symbol_store *store);
void symbol_store_close(struct symbol_store *store);

/* The frames at the offset, innermost first; their strings live as long as the store. 0: unknown.
 */
size_t symbol_store_find(const struct symbol_store *store, uint64_t offset,
			 struct stored_frame frames[STORED_FRAMES_MAX]);
/* Adds an offset that was not found. The strings must live as long as the store. `has_debug`: the
 * module's debug information was there. */
void symbol_store_add(struct symbol_store *store, uint64_t offset,
		      const struct stored_frame *frames, size_t count, bool has_debug);

/* Whether a build-id names one content, and can be a file's name: hexadecimal, long enough. */
bool symbol_store_is_name(const char *build_id);

#endif
