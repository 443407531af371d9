/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Counts the words of files and prints the most frequent: a program with memory to look at.
 *
 *   table[hash] -> word -> word -> NULL    each word owns its text
 *
 * On purpose it has the two usual faults: every look-up makes a lower-case copy and frees it at
 * once (temporary allocations), and the text of each file is read whole and never freed (a leak).
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_SIZE = 1024, TOP_COUNT = 5 };

/* One distinct word, in lower case.
 *  - count is at least 1. */
struct word {
	struct word *next;
	char *text;
	unsigned count;
};

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
static struct word *table[TABLE_SIZE];

static void *must(void *result)
{
	if (!result) {
		fputs("wordcount: out of memory\n", stderr);
		exit(1);
	}
	return result;
}

static unsigned hash_text(const char *text)
{
	unsigned hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash % TABLE_SIZE;
}

static char *lower_copy(const char *start, size_t length)
{
	char *copy = must(malloc(length + 1));

	for (size_t i = 0; i < length; i++)
		copy[i] = (char)tolower((unsigned char)start[i]);
	copy[length] = '\0';
	return copy;
}

static struct word *add_word(const char *text, unsigned slot)
{
	struct word *word = must(calloc(1, sizeof(*word)));

	word->text = must(strdup(text));
	word->next = table[slot];
	table[slot] = word;
	return word;
}

static void count_word(const char *start, size_t length)
{
	char *text = lower_copy(start, length);
	unsigned slot = hash_text(text);
	struct word *word = table[slot];

	while (word && strcmp(word->text, text))
		word = word->next;
	if (!word)
		word = add_word(text, slot);
	word->count++;
	free(text);
}

static void count_text(const char *text)
{
	while (*text) {
		size_t length = strspn(text, letters);

		if (length)
			count_word(text, length);
		text += length ? length : 1;
	}
}

static char *read_file(FILE *file)
{
	size_t used = 0, size = 256;
	char *text = must(malloc(size));

	for (size_t got; (got = fread(text + used, 1, size - used - 1, file)) > 0;) {
		used += got;
		if (used == size - 1)
			text = must(realloc(text, size *= 2));
	}
	text[used] = '\0';
	return text;
}

static int compare_words(const void *left, const void *right)
{
	const struct word *a = *(struct word *const *)left, *b = *(struct word *const *)right;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return strcmp(a->text, b->text);
}

static void print_top(void)
{
	size_t count = 0;
	struct word **all;

	for (int slot = 0; slot < TABLE_SIZE; slot++)
		for (struct word *word = table[slot]; word; word = word->next)
			count++;
	all = must(malloc((count + 1) * sizeof(struct word *)));
	count = 0;
	for (int slot = 0; slot < TABLE_SIZE; slot++)
		for (struct word *word = table[slot]; word; word = word->next)
			all[count++] = word;
	qsort(all, count, sizeof(struct word *), compare_words);
	for (size_t i = 0; i < count && i < TOP_COUNT; i++)
		printf("%6u %s\n", all[i]->count, all[i]->text);
	free(all);
}

static void free_table(void)
{
	for (int slot = 0; slot < TABLE_SIZE; slot++)
		while (table[slot]) {
			struct word *word = table[slot];

			table[slot] = word->next;
			free(word->text);
			free(word);
		}
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "r");

		if (!file) {
			perror(argv[i]);
			return 1;
		}
		count_text(read_file(file));
		fclose(file);
	}
	print_top();
	free_table();
	return 0;
}
