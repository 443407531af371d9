/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Prints what the tools know about return addresses in a Windows file:
 *
 *   windows_symbols BUILD-ID FILE RVA...
 *   windows_symbols --identity FILE
 *   windows_symbols --damage FILE      reads it with each byte of the headers changed, and cut
 * short
 */

#include "tools/lib/pe_elf.h"
#include "tools/lib/symbols.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *file_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path ? path : "?";
}

static void print(const struct symbol *symbol)
{
	for (size_t i = 0; i < symbol->count; i++) {
		const struct symbol_frame *frame = &symbol->frames[i];

		printf("%s%s %s:%d", i ? " < " : "", frame->function, file_name(frame->file),
		       frame->line);
	}
	putchar('\n');
}

static void find(const char *build_id, const char *path, char **addresses)
{
	struct stacks stacks;

	stacks_init(&stacks);
	struct symbols *symbols = symbols_create(&stacks);
	uint32_t file = stacks_add_file(&stacks, path, build_id);
	for (; *addresses; addresses++)
		print(symbols_find(symbols, stacks_add_location(&stacks, file,
								strtoull(*addresses, NULL, 0))));
	symbols_destroy(symbols);
	stacks_free(&stacks);
}

static int identify(const char *path)
{
	int fd = open(path, O_RDONLY);
	char identity[PE_IDENTITY_BYTES];
	struct pe pe;

	if (fd < 0 || !pe_open(&pe, fd))
		return 1;
	pe_identity(pe.time_stamp, pe.image_bytes, identity);
	printf("pe:%s\n", identity);
	pe_close(&pe);
	close(fd);
	return 0;
}

/* Whether it is a Windows file or not: no crash, and a file of ours at the end is closed. */
static void read_copy(const unsigned char *bytes, size_t size)
{
	int fd = memfd_create("copy", 0), elf;
	struct pe pe;

	if (write(fd, bytes, size) == (ssize_t)size && pe_open(&pe, fd)) {
		elf = pe_elf_create(&pe);
		if (elf >= 0)
			close(elf);
		(void)pe_pdb_name(&pe);
		pe_close(&pe);
	}
	close(fd);
}

static int damage(const char *path)
{
	static const unsigned char values[] = { 0x00, 0x7f, 0xff };
	static unsigned char bytes[1 << 20];
	int fd = open(path, O_RDONLY);
	ssize_t size = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));

	if (size < 1024)
		return 1;
	close(fd);
	for (size_t i = 0; i < 1024; i++) {
		unsigned char before = bytes[i];

		for (size_t j = 0; j < sizeof(values); j++) {
			bytes[i] = values[j];
			read_copy(bytes, (size_t)size);
		}
		bytes[i] = before;
	}
	for (ssize_t cut = 0; cut < size; cut += 97)
		read_copy(bytes, (size_t)cut);
	puts("read");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--identity"))
		return identify(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "--damage"))
		return damage(argv[2]);
	if (argc < 4)
		return 2;
	find(argv[1], argv[2], argv + 3);
	return 0;
}
