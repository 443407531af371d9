/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* One llvm-symbolizer per file: an address goes out as a line, a line of JSON comes back. It is
 * asked through a socket, so that its death is an error here and no signal. */

#include "tools/lib/pdb.h"
#include "tools/lib/xalloc.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* - answers reads what the program writes; NULL once it is dead. */
struct pdb {
	pid_t pid;
	FILE *answers;
	char *line;
	size_t line_bytes;
	struct json_object *answer; /* holds the strings of the last one */
};

/* Windows' folders end with a backslash, those of a cross-compiler with a slash. */
static const char *file_part(const char *name)
{
	const char *part = name;

	for (; *name; name++)
		if (*name == '/' || *name == '\\')
			part = name + 1;
	return part;
}

static bool has_file(const struct pe *pe, const char *path)
{
	const char *name = pe_pdb_name(pe);
	char *beside;
	bool is_there;

	if (!name)
		return false;
	beside = xasprintf("%.*s%s", (int)(file_part(path) - path), path, file_part(name));
	is_there = access(beside, R_OK) == 0 || (name[0] == '/' && access(name, R_OK) == 0);
	free(beside);
	return is_there;
}

static int spawn(pid_t *pid, int socket, const char *path)
{
	char *object = xasprintf("--obj=%s", path);
	char program[] = "llvm-symbolizer", relative[] = "--relative-address",
	     inlines[] = "--inlines", plain[] = "--no-demangle", style[] = "--output-style=JSON";
	char *const arguments[] = { program, object, relative, inlines, plain, style, NULL };
	posix_spawn_file_actions_t actions;
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, socket, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", 1, 0);
	error = posix_spawnp(pid, arguments[0], &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	free(object);
	return error;
}

static struct pdb *start(const char *path)
{
	struct pdb *pdb = xcalloc(1, sizeof(*pdb));
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets)) {
		free(pdb);
		return NULL;
	}
	if (spawn(&pdb->pid, sockets[1], path) == 0)
		pdb->answers = fdopen(sockets[0], "r");
	close(sockets[1]);
	if (pdb->answers)
		return pdb;
	close(sockets[0]);
	free(pdb);
	return NULL;
}

struct pdb *pdb_open(const struct pe *pe, const char *path)
{
	return has_file(pe, path) ? start(path) : NULL;
}

void pdb_close(struct pdb *pdb)
{
	if (!pdb)
		return;
	if (pdb->answers)
		fclose(pdb->answers);
	kill(pdb->pid, SIGTERM);
	waitpid(pdb->pid, NULL, 0);
	json_object_put(pdb->answer);
	free(pdb->line);
	free(pdb);
}

/* The next answer, parsed; NULL: the program has ended, or speaks another language. */
static struct json_object *ask(struct pdb *pdb, uint64_t rva)
{
	char question[32];
	int length = snprintf(question, sizeof(question), "0x%" PRIx64 "\n", rva);

	if (!pdb->answers)
		return NULL;
	if (send(fileno(pdb->answers), question, (size_t)length, MSG_NOSIGNAL) != length ||
	    getline(&pdb->line, &pdb->line_bytes, pdb->answers) <= 0) {
		fclose(pdb->answers);
		pdb->answers = NULL;
		return NULL;
	}
	return json_tokener_parse(pdb->line);
}

/* An empty text is none. */
static const char *text_of(struct json_object *level, const char *key)
{
	struct json_object *value;
	const char *text = json_object_object_get_ex(level, key, &value)
				   ? json_object_get_string(value)
				   : NULL;

	return text && *text ? text : NULL;
}

static void read_level(struct json_object *level, struct dwarf_frame *frame)
{
	struct json_object *line;

	frame->function = text_of(level, "FunctionName");
	frame->file = text_of(level, "FileName");
	frame->line =
		json_object_object_get_ex(level, "Line", &line) ? json_object_get_int(line) : 0;
}

size_t pdb_find(struct pdb *pdb, uint64_t rva, struct dwarf_frame frames[DWARF_FRAMES_MAX])
{
	struct json_object *levels;
	size_t count;

	json_object_put(pdb->answer);
	pdb->answer = ask(pdb, rva);
	if (!json_object_object_get_ex(pdb->answer, "Symbol", &levels) ||
	    !json_object_is_type(levels, json_type_array))
		return 0;
	count = json_object_array_length(levels);
	if (count > DWARF_FRAMES_MAX)
		count = DWARF_FRAMES_MAX;
	for (size_t i = 0; i < count; i++)
		read_level(json_object_array_get_idx(levels, i), &frames[i]);
	/* A name without a line is the nearest one that is exported, whatever lies there. */
	return count && frames[0].line ? count : 0;
}
