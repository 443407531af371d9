/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* A small DLL in memory, as a loader would have mapped it: "fake.dll", with a PDB's name, and code
 * whose frames are 0x28 bytes and the return address. */

#ifndef VADTRACE_TESTS_UNIT_TRACE_PE_IMAGE_H
#define VADTRACE_TESTS_UNIT_TRACE_PE_IMAGE_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define PE_IMAGE_SIZE 0x5000u
#define PE_IMAGE_CODE 0x1000u
#define PE_IMAGE_CODE_END 0x2000u
#define PE_IMAGE_FRAME 0x30u
#define PE_IMAGE_HEADER 0x80u
#define PE_IMAGE_PDB_ID "0403020106050807090A0B0C0D0E0F101A"

static inline void pe_image_put32(uint8_t *image, uint32_t rva, uint32_t value)
{
	memcpy(image + rva, &value, sizeof(value));
}

static inline void pe_image_put_directory(uint8_t *image, uint32_t number, uint32_t rva,
					  uint32_t size_bytes)
{
	pe_image_put32(image, PE_IMAGE_HEADER + 24 + 112 + 8 * number, rva);
	pe_image_put32(image, PE_IMAGE_HEADER + 24 + 112 + 8 * number + 4, size_bytes);
}

static inline void pe_image_fill_header(uint8_t *image, uint32_t timestamp)
{
	uint8_t *header = image + PE_IMAGE_HEADER;

	memcpy(image, "MZ", 2);
	pe_image_put32(image, 0x3c, PE_IMAGE_HEADER);
	memcpy(header, "PE\0\0\x64\x86", 6);
	pe_image_put32(header, 8, timestamp);
	pe_image_put32(header, 20, 240);
	pe_image_put32(header, 24, 0x20b);
	pe_image_put32(header, 24 + 56, PE_IMAGE_SIZE);
	pe_image_put32(header, 24 + 108, 16);
}

static inline void pe_image_fill(uint8_t *image, uint32_t timestamp)
{
	static const char pdb[] = "RSDS\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\x1a\0\0\0"
				  "C:\\build\\fake.pdb";

	pe_image_fill_header(image, timestamp);
	pe_image_put_directory(image, 0, 0x400, 0x60);
	pe_image_put32(image, 0x400 + 12, 0x440);
	memcpy(image + 0x440, "fake.dll", 9);
	pe_image_put_directory(image, 6, 0x480, 28);
	pe_image_put32(image, 0x480 + 12, 2);
	pe_image_put32(image, 0x480 + 16, sizeof(pdb));
	pe_image_put32(image, 0x480 + 20, 0x500);
	memcpy(image + 0x500, pdb, sizeof(pdb));
	pe_image_put_directory(image, 3, 0x600, 12);
	pe_image_put32(image, 0x600, PE_IMAGE_CODE);
	pe_image_put32(image, 0x604, PE_IMAGE_CODE_END);
	pe_image_put32(image, 0x608, 0x700);
	memcpy(image + 0x700, "\1\4\1\0\4\x42", 6);
}

/* At a multiple of 64 KiB, with nothing mapped around it; NULL when it cannot be there. */
static inline uint8_t *pe_image_map(uint64_t base, uint32_t timestamp)
{
	uint8_t *image = mmap((void *)(uintptr_t)base, PE_IMAGE_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (image == MAP_FAILED)
		return NULL;
	pe_image_fill(image, timestamp);
	return image;
}

#endif
