/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* The sub-commands. Each is one file, cmd_<name>.c; each returns the exit status. argv[0] is the
 * command's own name. */

#ifndef VADTRACE_TOOLS_COMMANDS_H
#define VADTRACE_TOOLS_COMMANDS_H

int cmd_record(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_leaks(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_compress(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_snapshot(int argc, char **argv);

#endif
