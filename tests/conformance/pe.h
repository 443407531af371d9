/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* For the tests that are Windows programs only. */

#ifndef VADTRACE_TESTS_CONFORMANCE_PE_H
#define VADTRACE_TESTS_CONFORMANCE_PE_H

#include "tests/conformance/exceptions.h"

/* Wine raises it for an export that it only names. */
#define STATUS_WINE_STUB ((DWORD)0x80000100)

#endif
