/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The part of `vadtrace doctor` that looks at Wine. */

#ifndef VADTRACE_TOOLS_RECORD_DOCTOR_WINE_H
#define VADTRACE_TOOLS_RECORD_DOCTOR_WINE_H

#include <stdbool.h>

/* Prints on stdout, a table or JSON. `place` as for wine_find. The exit status. */
int doctor_wine(const char *place, bool wants_json);

#endif
