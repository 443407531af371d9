/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The section of misused blocks and heaps: each cause once, with the stacks that are known. */

#include "tools/analysis/text.h"
#include "tools/lib/table.h"

#include <inttypes.h>

static void print_stack(const struct analysis *analysis, const char *what, uint32_t site)
{
	if (!site)
		return;
	printf("    %s\n", what);
	text_stack(analysis, analysis->target->sites[site].node, 6);
}

static void print_place(const struct error *error)
{
	int64_t distance = (int64_t)(error->address - error->block);

	printf("    address 0x%" PRIx64, error->address);
	if (error->block && distance >= 0 && (uint64_t)distance >= error->size_bytes)
		printf(", %" PRIu64 " bytes behind the end of", distance - error->size_bytes);
	else if (error->block && distance)
		printf(", %" PRId64 " bytes from the start of", distance);
	else if (error->block)
		printf(", the start of");
	if (error->block)
		printf(" a block of %" PRIu64 " bytes", error->size_bytes);
	if (error->heap)
		printf(", heap 0x%" PRIx64, error->heap);
	putchar('\n');
}

static void print_error(const struct analysis *analysis, const struct error *error)
{
	char buffer[16], digits[32];

	printf("  ");
	if (error->api)
		printf("%s: ", analysis_api_name(error->api, buffer));
	printf("%s", errors_name(error->misuse));
	if (error->count > 1)
		printf(", %s times", table_format_count(error->count, digits));
	putchar('\n');
	print_place(error);
	print_stack(analysis, "here:", error->site);
	print_stack(analysis, "allocated by:", error->allocated_site);
	print_stack(analysis, "freed by:", error->freed_site);
}

void text_errors(const struct analysis *analysis)
{
	const struct errors *errors = &analysis->target->errors;

	if (!errors->count)
		return;
	text_heading(analysis, "Misused blocks and heaps");
	for (size_t i = 0; i < errors->count && i < analysis->options.top; i++)
		print_error(analysis, &errors->list[i]);
	if (errors->count > analysis->options.top)
		printf("  and %zu more: --top all\n",
		       errors->count - (size_t)analysis->options.top);
}
