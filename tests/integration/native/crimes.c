/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One misuse per call: crimes NAME. Ends by SIGABRT, or says that it went on. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static char *volatile block;
static char local[64] __attribute__((aligned(16)));

int main(int argc, char **argv)
{
	const char *crime = argc > 1 ? argv[1] : "";
	struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	setvbuf(stdout, NULL, _IONBF, 0);
	block = malloc(100);
	printf("before\n");
	if (strcmp(crime, "double") == 0) {
		free(block);
		free(block);
	} else if (strcmp(crime, "double-large") == 0) {
		block = malloc(10 << 20);
		free(block);
		free(block);
	} else if (strcmp(crime, "inner") == 0) {
		free(block + 16);
	} else if (strcmp(crime, "misaligned") == 0) {
		free(block + 1);
	} else if (strcmp(crime, "static") == 0) {
		block = local + 16;
		free(block);
	} else if (strcmp(crime, "stack") == 0) {
		char bytes[64] __attribute__((aligned(16))) = { 0 };

		block = bytes + 16;
		free(block);
	} else if (strcmp(crime, "realloc-freed") == 0) {
		free(block);
		block = realloc(block, 5000);
		free(block);
		free(block);
	}
	printf("after\n");
	return 0;
}
