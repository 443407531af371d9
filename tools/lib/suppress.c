/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Pattern matching as LeakSanitizer documents it. */

#include "tools/lib/suppress.h"
#include "tools/lib/cli.h"
#include "tools/lib/xalloc.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char word[] = "leak:";

static char *trim(char *line)
{
	size_t length = strlen(line);

	while (length && isspace((unsigned char)line[length - 1]))
		line[--length] = '\0';
	while (isspace((unsigned char)*line))
		line++;
	return line;
}

static void add(struct suppressions *suppressions, const char *pattern)
{
	suppressions->list = xgrow(suppressions->list, suppressions->count, &suppressions->capacity,
				   sizeof(*suppressions->list));
	suppressions->list[suppressions->count++] =
		(struct suppression){ .pattern = xstrdup(pattern) };
}

static bool read_lines(struct suppressions *suppressions, const char *path, FILE *file)
{
	char *line = NULL;
	size_t capacity = 0;
	bool is_good = true;

	for (unsigned number = 1; is_good && getline(&line, &capacity, file) >= 0; number++) {
		char *text = trim(line);

		if (!*text || *text == '#')
			continue;
		is_good = !strncmp(text, word, sizeof(word) - 1) && text[sizeof(word) - 1];
		if (is_good)
			add(suppressions, text + sizeof(word) - 1);
		else
			cli_error("%s:%u: a suppression is 'leak:PATTERN', not '%s'", path, number,
				  text);
	}
	free(line);
	return is_good;
}

bool suppressions_read(struct suppressions *suppressions, const char *path)
{
	FILE *file = fopen(path, "re");

	if (!file) {
		cli_error("%s: the suppressions cannot be read: %s", path, strerror(errno));
		return false;
	}
	bool is_good = read_lines(suppressions, path, file);
	fclose(file);
	return is_good;
}

void suppressions_free(struct suppressions *suppressions)
{
	for (size_t i = 0; i < suppressions->count; i++)
		free(suppressions->list[i].pattern);
	free(suppressions->list);
	memset(suppressions, 0, sizeof(*suppressions));
}

/* Whether `text` begins with the pattern up to its end, or to a last `$` at the text's end. On a
 * `*` the rest is tried at each later place; only the last `*` need be remembered. */
static bool matches_here(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	for (;;) {
		if (!*pattern)
			return true;
		if (*pattern == '$' && !pattern[1] && !*text)
			return true;
		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
			continue;
		}
		if (*text && *pattern == *text) {
			pattern++;
			text++;
			continue;
		}
		if (!star || !*retry)
			return false;
		text = ++retry;
		pattern = star;
	}
}

bool suppression_matches(const char *pattern, const char *text)
{
	if (*pattern == '^')
		return matches_here(pattern + 1, text);
	for (;; text++) {
		if (matches_here(pattern, text))
			return true;
		if (!*text)
			return false;
	}
}

struct suppression *suppressions_find(const struct suppressions *suppressions,
				      const char *const texts[], size_t count)
{
	for (size_t i = 0; i < suppressions->count; i++)
		for (size_t text = 0; text < count; text++)
			if (texts[text] &&
			    suppression_matches(suppressions->list[i].pattern, texts[text]))
				return &suppressions->list[i];
	return NULL;
}
