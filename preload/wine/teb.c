/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The longer ways from the thread's environment block. */

#include "preload/wine/teb.h"

/* As Windows has it on x86-64. */
struct unicode_string {
	uint16_t length_bytes;
	uint16_t maximum_bytes;
	const uint16_t *characters;
};

/* PEB.ProcessParameters.ImagePathName */
static const struct unicode_string *image_path(void)
{
	const char *peb = TEB_READ(const char *, 0x60);
	const char *parameters = *(const char *const *)(peb + 0x20);

	return (const struct unicode_string *)(parameters + 0x60);
}

void teb_read_image_name(char *name, size_t size_bytes)
{
	const struct unicode_string *path = image_path();
	size_t length = path->length_bytes / sizeof(uint16_t);
	size_t first = length < size_bytes ? 0 : length - (size_bytes - 1);

	for (size_t i = first; i < length; i++)
		*name++ = path->characters[i] < 128 ? (char)path->characters[i] : '?';
	*name = '\0';
}
