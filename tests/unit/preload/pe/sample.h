/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A small PE32+ image, made of the bytes of one function, for the tests of what reads images.
 *
 *   0x0000  headers
 *   0x1000  .text   the function "f" at 0x1100, int3 around it
 *   0x2000  .rdata  exports: data (0x2800), f, forward ("other.g"), late (0x1800)
 *   0x3000  .pdata  f, when it has an end, and the function from 0x1800
 *   0x3800          UNWIND_INFO of f
 *   0x4000  .reloc  one page's block, when there is a relocation
 *
 * In the file everything is where it is in memory. */

#ifndef VADTRACE_TESTS_UNIT_PRELOAD_PE_SAMPLE_H
#define VADTRACE_TESTS_UNIT_PRELOAD_PE_SAMPLE_H

#include <stdint.h>
#include <string.h>

#define SAMPLE_BYTES 0x5000
#define SAMPLE_F 0x1100
#define SAMPLE_LATE 0x1800

struct sample {
	uint8_t bytes[SAMPLE_BYTES];
};

static inline void sample_16(struct sample *sample, uint32_t at, uint16_t value)
{
	memcpy(sample->bytes + at, &value, sizeof(value));
}

static inline void sample_32(struct sample *sample, uint32_t at, uint32_t value)
{
	memcpy(sample->bytes + at, &value, sizeof(value));
}

static inline void sample_section(struct sample *sample, unsigned int index, const char *name,
				  uint32_t rva, uint32_t flags)
{
	uint32_t row = 0x188 + index * 40;

	strncpy((char *)sample->bytes + row, name, 8);
	sample_32(sample, row + 8, 0x1000);
	sample_32(sample, row + 12, rva);
	sample_32(sample, row + 16, 0x1000);
	sample_32(sample, row + 20, rva);
	sample_32(sample, row + 36, flags);
}

static inline void sample_headers(struct sample *sample)
{
	memcpy(sample->bytes, "MZ", 2);
	sample_32(sample, 0x3c, 0x80);
	memcpy(sample->bytes + 0x80, "PE\0", 4);
	sample_16(sample, 0x84, 0x8664);
	sample_16(sample, 0x86, 4);    /* sections */
	sample_16(sample, 0x94, 0xf0); /* bytes of the optional header */
	sample_16(sample, 0x98, 0x20b);
	sample_32(sample, 0x98 + 24, 0x10000000);
	sample_32(sample, 0x98 + 56, SAMPLE_BYTES);
	sample_32(sample, 0x98 + 60, 0x1000);
	sample_32(sample, 0x98 + 108, 16); /* directories */
	sample_32(sample, 0x98 + 112, 0x2000);
	sample_32(sample, 0x98 + 116, 0x400);
	sample_32(sample, 0x98 + 112 + 24, 0x3000);
	sample_32(sample, 0x98 + 112 + 40, 0x4000);
	sample_section(sample, 0, ".text", 0x1000, 0x60000020);
	sample_section(sample, 1, ".rdata", 0x2000, 0x40000040);
	sample_section(sample, 2, ".pdata", 0x3000, 0x40000040);
	sample_section(sample, 3, ".reloc", 0x4000, 0x42000040);
}

static inline void sample_exports(struct sample *sample)
{
	static const struct {
		const char *name;
		uint32_t rva;
	} rows[] = {
		{ "data", 0x2800 },
		{ "f", SAMPLE_F },
		{ "forward", 0x2300 },
		{ "late", SAMPLE_LATE },
	};

	sample_32(sample, 0x2014, 4);
	sample_32(sample, 0x2018, 4);
	sample_32(sample, 0x201c, 0x2080);
	sample_32(sample, 0x2020, 0x20c0);
	sample_32(sample, 0x2024, 0x2100);
	for (uint32_t i = 0; i < 4; i++) {
		/* The ordinals stand in reverse, so that nobody can do without them. */
		sample_32(sample, 0x2080 + 4 * (3 - i), rows[i].rva);
		sample_32(sample, 0x20c0 + 4 * i, 0x2180 + 16 * i);
		sample_16(sample, 0x2100 + 2 * i, (uint16_t)(3 - i));
		strcpy((char *)sample->bytes + 0x2180 + 16 * i, rows[i].name);
	}
	strcpy((char *)sample->bytes + 0x2300, "other.g");
}

/* f is `code`; .pdata knows it when `ends`, with the UNWIND_INFO `unwind`. */
static inline void sample_make(struct sample *sample, const void *code, uint32_t code_bytes,
			       int ends, const void *unwind, uint32_t unwind_bytes)
{
	uint32_t row = 0x3000;

	memset(sample, 0, sizeof(*sample));
	sample_headers(sample);
	sample_exports(sample);
	memset(sample->bytes + 0x1000, 0xcc, 0x1000);
	memcpy(sample->bytes + SAMPLE_F, code, code_bytes);
	if (ends) {
		sample_32(sample, row, SAMPLE_F);
		sample_32(sample, row + 4, SAMPLE_F + code_bytes);
		sample_32(sample, row + 8, 0x3800);
		memcpy(sample->bytes + 0x3800, unwind, unwind_bytes);
		row += 12;
	}
	sample_32(sample, row, SAMPLE_LATE);
	sample_32(sample, row + 4, SAMPLE_LATE + 16);
	sample_32(sample, 0x98 + 112 + 28, row + 12 - 0x3000);
}

/* The loader adds to the eight bytes at `rva`. */
static inline void sample_relocate(struct sample *sample, uint32_t rva)
{
	sample_32(sample, 0x4000, rva & ~0xfffu);
	sample_32(sample, 0x4004, 12);
	sample_16(sample, 0x4008, (uint16_t)(10 << 12 | (rva & 0xfff)));
	sample_32(sample, 0x98 + 112 + 44, 12);
}

#endif
