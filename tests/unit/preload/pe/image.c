/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The reader of images: on one that we made, on damaged ones, and on Wine's own. */

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "preload/pe/plan/image.h"
#include "preload/pe/plan/plan.h"
#include "tests/lib/tap.h"
#include "tests/unit/preload/pe/sample.h"

static const uint8_t code[16] = { 0x48, 0x83, 0xec, 0x28, 0xc3 };
static const uint8_t unwind[8] = { 1, 4, 1, 0, 4, 0x42 };

/* A copy whose last byte is the last one that may be read. */
static uint8_t *at_end_of_page(const void *bytes, size_t size_bytes)
{
	size_t mapped = (size_bytes + 4095) / 4096 * 4096;
	uint8_t *base = mmap(NULL, mapped + 4096, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(base + mapped, 4096, PROT_NONE);
	memcpy(base + mapped - size_bytes, bytes, size_bytes);
	return base + mapped - size_bytes;
}

static void free_page(uint8_t *bytes, size_t size_bytes)
{
	uint8_t *end = bytes + size_bytes;
	size_t mapped = (size_bytes + 4095) / 4096 * 4096;

	munmap(end - mapped, mapped + 4096);
}

static void test_exports(enum pe_layout layout)
{
	static const struct {
		const char *name;
		enum pe_export_kind kind;
		uint32_t rva;
	} rows[] = {
		{ "f", PE_EXPORT_CODE, SAMPLE_F },
		{ "late", PE_EXPORT_CODE, SAMPLE_LATE },
		{ "forward", PE_EXPORT_FORWARD, 0x2300 },
		{ "data", PE_EXPORT_OTHER, 0x2800 },
		{ "", PE_EXPORT_ABSENT, 0 },
		{ "e", PE_EXPORT_ABSENT, 0 },
		{ "ff", PE_EXPORT_ABSENT, 0 },
		{ "latest", PE_EXPORT_ABSENT, 0 },
	};
	static struct sample sample;
	struct pe_image image;

	sample_make(&sample, code, sizeof(code), 1, unwind, sizeof(unwind));
	ok(pe_image_open(&image, &sample, sizeof(sample), layout), "layout %d: opens", layout);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pe_export found = pe_image_export(&image, rows[i].name);

		ok(found.kind == rows[i].kind &&
			   (found.kind == PE_EXPORT_ABSENT || found.rva == rows[i].rva),
		   "layout %d, row %zu: export '%s'", layout, i, rows[i].name);
	}
}

static void test_functions(void)
{
	static struct sample sample;
	struct pe_function function;
	struct pe_image image;
	uint32_t after;

	sample_make(&sample, code, sizeof(code), 1, unwind, sizeof(unwind));
	pe_image_open(&image, &sample, sizeof(sample), PE_LAYOUT_MAPPED);
	ok(!pe_image_function(&image, SAMPLE_F - 1, &function, &after) && after == SAMPLE_F,
	   "nothing before the first function");
	ok(pe_image_function(&image, SAMPLE_F, &function, &after) && function.begin == SAMPLE_F &&
		   function.end == SAMPLE_F + sizeof(code) && after == SAMPLE_LATE,
	   "the first function at its first byte");
	ok(pe_image_function(&image, SAMPLE_F + 15, &function, &after), "and at its last");
	ok(!pe_image_function(&image, SAMPLE_F + 16, &function, &after) && after == SAMPLE_LATE,
	   "nothing between the two");
	ok(pe_image_function(&image, SAMPLE_LATE, &function, &after) && after == UINT32_MAX,
	   "nothing comes after the last");
	ok_equal(pe_image_code_bytes(&image, 0x1ff0), 16, "code to the end of its section");
	ok_equal(pe_image_code_bytes(&image, 0x2000), 0, "no code in data");
	ok_equal(pe_image_code_bytes(&image, 0x9000), 0, "no code outside");
}

static void test_relocations(void)
{
	static struct sample sample;
	struct pe_image image;

	sample_make(&sample, code, sizeof(code), 1, unwind, sizeof(unwind));
	sample_relocate(&sample, 0x1ffc);
	pe_image_open(&image, &sample, sizeof(sample), PE_LAYOUT_MAPPED);
	ok(!pe_image_is_relocated(&image, 0x1ff4, 8), "relocation: just before");
	ok(pe_image_is_relocated(&image, 0x1ff5, 8), "relocation: touches the last byte");
	ok(pe_image_is_relocated(&image, 0x2003, 1), "relocation: in the next page");
	ok(!pe_image_is_relocated(&image, 0x2004, 8), "relocation: just behind");
}

/* Everything that reads, on bytes that may be anything. */
static void read_all(const uint8_t *bytes, size_t size_bytes)
{
	struct pe_function function;
	struct pe_image image;
	struct plan plan;
	uint32_t after;

	for (int layout = PE_LAYOUT_MAPPED; layout <= PE_LAYOUT_FILE; layout++) {
		if (!pe_image_open(&image, bytes, size_bytes, (enum pe_layout)layout))
			continue;
		pe_image_function(&image, SAMPLE_F, &function, &after);
		pe_image_is_relocated(&image, SAMPLE_F, 16);
		plan_hook(&image, "f", &plan);
		plan_hook(&image, "late", &plan);
		plan_hook(&image, "forward", &plan);
	}
}

/* Each of them would fault. */
static void test_damaged(void)
{
	static const uint32_t values[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x4ffc };
	static struct sample sample;
	uint8_t *bytes;

	sample_make(&sample, code, sizeof(code), 1, unwind, sizeof(unwind));
	sample_relocate(&sample, SAMPLE_F);
	for (size_t size_bytes = 0; size_bytes <= sizeof(sample);
	     size_bytes += size_bytes < 0x400 ? 1 : 61) {
		bytes = at_end_of_page(&sample, size_bytes);
		read_all(bytes, size_bytes);
		free_page(bytes, size_bytes);
	}
	ok(1, "images that are cut off are read within their bounds");
	bytes = at_end_of_page(&sample, sizeof(sample));
	for (uint32_t at = 0; at + 4 <= sizeof(sample); at++) {
		if (at >= 0x400 && (at & 0xfff) >= 0x200 && at / 16 != 0x380)
			continue;
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			memcpy(bytes + at, &values[i], 4);
			read_all(bytes, sizeof(sample));
		}
		memcpy(bytes + at, sample.bytes + at, 4);
	}
	free_page(bytes, sizeof(sample));
	ok(1, "images with wrong numbers are read within their bounds");
}

static void test_wine(const char *name)
{
	static struct plan plans[HOOK_COUNT];
	char path[256];
	struct pe_image image;
	struct stat status;
	unsigned int left = 0, set = 0;
	void *bytes;
	int fd;

	snprintf(path, sizeof(path), "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/%s.dll", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &status) != 0) {
		ok(1, "%s.dll # SKIP Wine is not installed", name);
		return;
	}
	bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	ok(pe_image_open(&image, bytes, (size_t)status.st_size, PE_LAYOUT_FILE), "%s.dll opens",
	   name);
	plan_dll(&image, name, plans);
	for (size_t i = 0; i < HOOK_COUNT; i++) {
		if (strcmp(hook_at(i)->dll, name) != 0)
			continue;
		left += plans[i].state == HOOK_LEFT;
		set += plans[i].state == HOOK_IS_SET;
		if (plans[i].state == HOOK_LEFT)
			printf("# %s: %s\n", hook_at(i)->export, plans[i].reason);
	}
	ok(left == 0 && set > 0, "%s.dll: %u functions can be hooked, none is left", name, set);
	munmap(bytes, (size_t)status.st_size);
	close(fd);
}

int main(void)
{
	test_exports(PE_LAYOUT_MAPPED);
	test_exports(PE_LAYOUT_FILE);
	test_functions();
	test_relocations();
	test_damaged();
	test_wine("ntdll");
	test_wine("kernelbase");
	test_wine("kernel32");
	return tap_done();
}
