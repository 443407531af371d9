/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* PE images: found when a stack first leads through them, without any loader's lock.
 *
 * That an address is in no image is remembered too, for a while: generated code costs little. */

#ifndef VADTRACE_TRACE_MODULES_PE_H
#define VADTRACE_TRACE_MODULES_PE_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/stack/stack_pe.h"

struct module;

/* What a PE module has besides. */
struct module_pe {
	struct pe_image image;
	const char *name;   /* as the DLL calls itself, or its file's name */
	const char *pdb;    /* path or name, "" when it has none */
	const char *pdb_id; /* GUID and age as a symbol server wants them */
	uint32_t timestamp, image_size;
	uint32_t header; /* of the PE signature, from base */
};

/* As mixed_images. */
bool modules_pe_find(uint64_t pc, struct pe_image *image);

/* The image at `address`, made known; NULL when there is none. */
struct module *modules_pe_discover(uint64_t address);

/* Whether the image is still in its place. */
bool modules_pe_is_current(const struct module *module);

/* Something was unmapped at `base`: an image there, and what is remembered to be no image. */
void modules_pe_gone(uint64_t base);

/* In a fork's child: the lock may have been held by a thread that is not here. */
void modules_pe_fork_child(void);

#endif
