/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Where libvadtrace.so is, and the environment that brings it into the program. */

#ifndef VADTRACE_TOOLS_RECORD_ENVIRONMENT_H
#define VADTRACE_TOOLS_RECORD_ENVIRONMENT_H

#include "tools/record/options.h"

#include <limits.h>
#include <stdbool.h>

/* The object to preload: `chosen` (may be NULL), else $VADTRACE_LIBRARY, else the one of the build
 * tree or installation that this program belongs to. False after a message. */
bool environment_find_library(char path[PATH_MAX], const char *chosen);

/* The same without a message, and without looking at the characters of its path. */
bool environment_search_library(char path[PATH_MAX], const char *chosen);

/* The object that the library loads to record, which lies beside it. False when it cannot be read.
 */
bool environment_find_recorder(char path[PATH_MAX], const char *library);

/* A copy of our environment with what the program needs; ends with NULL; NULL without memory. */
char **environment_build(const struct record_options *options, const char *library,
			 const char *session, const char *live);

#endif
