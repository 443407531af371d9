/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What hooking needs to know of a PE32+ image, of which nothing is believed: each access is checked
 * against the image's bounds.
 *
 * Source: Microsoft's "PE Format". Addresses are RVAs, from the image's base. */

#ifndef VADTRACE_PRELOAD_PE_PLAN_IMAGE_H
#define VADTRACE_PRELOAD_PE_PLAN_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pe_layout {
	PE_LAYOUT_MAPPED, /* as in memory: offsets are RVAs */
	PE_LAYOUT_FILE,   /* as in its file */
};

/* [rva, rva + size_bytes); 0 and 0 when the image has none. */
struct pe_range {
	uint32_t rva, size_bytes;
};

/*  - [bytes, bytes + size_bytes) is readable;
 *  - sections lies inside of it, section_count rows;
 *  - the ranges may be wrong: what they say is checked at each access. */
struct pe_image {
	const uint8_t *bytes;
	size_t size_bytes;
	enum pe_layout layout;
	uint32_t image_bytes; /* as it will be in memory */
	uint32_t header_bytes;
	uint64_t preferred_base;
	const uint8_t *sections;
	uint16_t section_count;
	struct pe_range exports, functions, relocations;
};

/* A row of .pdata. */
struct pe_function {
	uint32_t begin, end, unwind;
};

enum pe_export_kind {
	PE_EXPORT_ABSENT,
	PE_EXPORT_CODE,    /* at rva, in an executable section */
	PE_EXPORT_FORWARD, /* to a function of another DLL */
	PE_EXPORT_OTHER,   /* data, or nonsense */
};

struct pe_export {
	enum pe_export_kind kind;
	uint32_t rva;
};

/* False when this is no PE32+ image for x86-64, or its headers do not fit. */
bool pe_image_open(struct pe_image *image, const void *bytes, size_t size_bytes,
		   enum pe_layout layout);

/* The bytes at an address; NULL when they are not all there. */
const uint8_t *pe_image_at(const struct pe_image *image, uint32_t rva, size_t size_bytes);

struct pe_export pe_image_export(const struct pe_image *image, const char *name);

/* How many bytes of an executable section begin at the address; 0: it is in none. */
uint32_t pe_image_code_bytes(const struct pe_image *image, uint32_t rva);

/* The function that the address is in. False when .pdata knows none (of leaf functions). `after`:
 * where the next one begins, or UINT32_MAX; also set when there is none. */
bool pe_image_function(const struct pe_image *image, uint32_t rva, struct pe_function *function,
		       uint32_t *after);

/* Whether the loader may change one of these bytes when the image is not at its preferred base. */
bool pe_image_is_relocated(const struct pe_image *image, uint32_t rva, uint32_t size_bytes);

#endif
