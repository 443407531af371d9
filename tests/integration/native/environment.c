/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Prints the environment, its own and a child's. */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

int main(void)
{
	const char *preload = getenv("LD_PRELOAD");

	for (char **variable = environ; *variable; variable++)
		puts(*variable);
	printf("LD_PRELOAD: %s\n", preload ? preload : "(absent)");
	fflush(stdout);
	execlp("env", "env", (char *)NULL);
	return 1;
}
