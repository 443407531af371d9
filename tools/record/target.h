/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* What exec would do with a command, and whether our object would be loaded into it. */

#ifndef VADTRACE_TOOLS_RECORD_TARGET_H
#define VADTRACE_TOOLS_RECORD_TARGET_H

#include <limits.h>
#include <stdbool.h>

enum {
	TARGET_SCRIPT_LINE_MAX = 256, /* as in the kernel */
	TARGET_TEXT_MAX = PATH_MAX + 256,
};

/* What keeps a program from being recorded. */
enum target_problem {
	TARGET_OK,
	TARGET_NOT_FOUND,
	TARGET_NOT_EXECUTABLE,
	TARGET_NOT_A_PROGRAM, /* neither ELF nor a #! script, or damaged */
	TARGET_WINDOWS,       /* is for Windows: Wine can run it */
	TARGET_NO_LOADER,     /* its dynamic loader or its script's interpreter is missing */
	TARGET_STATIC,
	TARGET_STATIC_PIE,
	TARGET_SETUID,
	TARGET_SETGID,
	TARGET_CAPABILITIES,
	TARGET_32_BIT,
	TARGET_FOREIGN,
	TARGET_MUSL,
	TARGET_OTHER_LIBC,
	TARGET_SANITIZER, /* needs libasan or libtsan, which must be loaded first */
};

/* Recordable, but some allocations will not be seen or something needs to be known. */
enum target_note {
	TARGET_NOTE_SCRIPT = 1 << 0,     /* a #! script: its interpreter is recorded */
	TARGET_NOTE_ENV_SCRIPT = 1 << 1, /* "#!/usr/bin/env NAME": NAME is recorded */
	TARGET_NOTE_OWN_MALLOC = 1 << 2, /* the executable defines malloc itself */
	TARGET_NOTE_ALLOCATOR = 1 << 3,  /* jemalloc, tcmalloc or mimalloc are linked in */
	TARGET_NOTE_GO = 1 << 4,         /* Go takes its memory from the kernel directly */
	TARGET_NOTE_UNREADABLE = 1 << 5, /* may be executed but not read: unchecked */
	TARGET_NOTE_WINE = 1 << 6,       /* Wine, or its script: a Windows program is recorded */
	TARGET_NOTES_HARMLESS = TARGET_NOTE_SCRIPT | TARGET_NOTE_ENV_SCRIPT | TARGET_NOTE_WINE,
};

/* One program.
 *  - path is what exec gets; empty when the program was not found;
 *  - image is the ELF file that the kernel maps in the end: path itself or, for a script, the
 *    interpreter (of the interpreter ...);
 *  - problem and notes are those of image, except for what hinders path itself. */
struct target {
	char path[PATH_MAX];
	char image[PATH_MAX];
	char loader[PATH_MAX];                    /* PT_INTERP of image, empty when it has none */
	char interpreter[TARGET_SCRIPT_LINE_MAX]; /* for NOTE_ENV_SCRIPT: NAME */
	enum target_problem problem;
	unsigned notes;
	int error; /* errno behind NOT_FOUND and NOT_EXECUTABLE */
};

/* Looks `command` up as execvp does and examines it. Always fills in `target`. */
void target_examine(struct target *target, const char *command);

/* The same for a file that need not be executable. */
void target_examine_file(struct target *target, const char *path);

/* One sentence each on what is wrong and on what the user can do. */
void target_explain(const struct target *target, char problem[TARGET_TEXT_MAX],
		    char advice[TARGET_TEXT_MAX]);

/* The same for one note. */
const char *target_note_text(enum target_note note);

/* The exit status of `vadtrace record` for a problem. */
int target_exit_status(enum target_problem problem);

#endif
