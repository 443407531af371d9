/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Call stacks come from the tracer, names from the dynamic loader's tables: of exported functions
 * only. No state. */

#include "preload/check.h"

#include <dlfcn.h>

#include "core/heap/checked.h"
#include "core/heap/misuse.h"
#include "core/vm/fault.h"
#include "preload/config.h"
#include "preload/wine/program.h"
#include "preload/recorder.h"

/* A text in the making: no stdio in somebody else's process. */
struct name {
	char *text;
	size_t length, size_bytes;
};

static void add_text(struct name *name, const char *added)
{
	while (*added && name->length + 1 < name->size_bytes)
		name->text[name->length++] = *added++;
	name->text[name->length] = '\0';
}

static void add_hex(struct name *name, uint64_t value)
{
	char digits[2 * sizeof(value) + 1] = "";
	size_t position = sizeof(digits) - 1;

	do {
		digits[--position] = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value);
	add_text(name, "+0x");
	add_text(name, digits + position);
}

static void add_function(struct name *name, uint64_t frame)
{
	Dl_info info;

	if (!dladdr((const void *)(uintptr_t)frame, &info) || !info.dli_sname)
		return;
	add_text(name, info.dli_sname);
	add_hex(name, frame - (uintptr_t)info.dli_saddr);
	add_text(name, " ");
}

/* "function+0x1c (/path/of/file+0x1234)", or what of that is known. */
static void name_frame(uint64_t frame, char *text, size_t size_bytes)
{
	struct name name = { text, 0, size_bytes };
	uint64_t offset;
	const char *module = tracer->find_module(frame, &offset);

	*text = '\0';
	add_function(&name, frame);
	if (!module)
		return;
	add_text(&name, "(");
	add_text(&name, module);
	add_hex(&name, offset);
	add_text(&name, ")");
}

/* The tracer may be loaded later than this is asked for. */
static uint32_t take_stack(uint64_t *frames, uint32_t capacity)
{
	return tracer->take_stack(frames, capacity);
}

void check_start(void)
{
	const struct config *config = config_get();
	const struct misuse_host host = {
		.take_stack = take_stack,
		.name_frame = name_frame,
		.log_path = config->log_path[0] ? config->log_path : NULL,
	};

	if (config->check == CHECKED_NOT)
		return;
	misuse_set_host(&host);
	checked_start(config->check, config->quarantine_bytes);
	if (config->check == CHECKED_PAGE && program_kind() == PROGRAM_NATIVE)
		fault_enable();
}

void check_fault(int signal, const siginfo_t *info)
{
	if (signal == SIGSEGV && info->si_code != SI_KERNEL)
		checked_tell_fault((uintptr_t)info->si_addr);
}
