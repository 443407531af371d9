/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* libbabeltrace2 believes every length that a trace names: one garbled bit of it makes an array of
 * thousands of millions of fields, until the machine has no memory left. */

#ifndef VADTRACE_TOOLS_LIB_GUARD_H
#define VADTRACE_TOOLS_LIB_GUARD_H

/* Before a graph runs: an array longer than any event can hold is an error from now on. */
void guard_arrays(void);

#endif
