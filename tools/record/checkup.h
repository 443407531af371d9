/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What `vadtrace doctor` looks at: this machine, and one program. */

#ifndef VADTRACE_TOOLS_RECORD_CHECKUP_H
#define VADTRACE_TOOLS_RECORD_CHECKUP_H

#include "tools/record/target.h"

#include <stdbool.h>

enum checkup_level {
	CHECKUP_OK,
	CHECKUP_WARN, /* recording works, but something will be missing or may fail */
	CHECKUP_FAIL, /* recording does not work */
};

/* One finding. advice is empty when nothing needs to be done. */
struct checkup_row {
	const char *name;
	enum checkup_level level;
	char text[TARGET_TEXT_MAX];
	char advice[TARGET_TEXT_MAX];
};

enum { CHECKUP_ROWS_MAX = 32 };

/* - rows[0, count) are filled in. */
struct checkup {
	struct checkup_row rows[CHECKUP_ROWS_MAX];
	int count;
};

/* Adds a row for each thing that recording needs of the machine. Starts no daemon. */
void checkup_machine(struct checkup *checkup);

/* Adds rows on one program, without running it. */
void checkup_program(struct checkup *checkup, const char *command);

/* The worst level of all rows. */
enum checkup_level checkup_worst(const struct checkup *checkup);

#endif
