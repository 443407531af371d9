/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Cells in one array, row after row; widths are known when the table is printed. A character of
 * UTF-8 counts once. */

#include "tools/lib/table.h"
#include "tools/lib/xalloc.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct table {
	char *columns;
	size_t column_count;
	char **cells;
	size_t count, capacity;
};

struct table *table_create(const char *columns)
{
	struct table *table = xcalloc(1, sizeof(*table));

	table->columns = xstrdup(columns);
	table->column_count = strlen(columns);
	return table;
}

void table_destroy(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table->columns);
	free(table);
}

void table_add(struct table *table, const char *text)
{
	table->cells = xgrow(table->cells, table->count, &table->capacity, sizeof(char *));
	table->cells[table->count++] = xstrdup(text);
}

void table_add_row(struct table *table, const char *const *texts)
{
	for (; *texts; texts++)
		table_add(table, *texts);
}

void table_addf(struct table *table, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	table_add(table, text);
}

static bool begins_character(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

static size_t characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += begins_character(*text);
	return count;
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t width = 0;

	for (size_t i = column; i < table->count; i += table->column_count) {
		size_t length = characters(table->cells[i]);

		width = length > width ? length : width;
	}
	return width;
}

static void cut(char *line, unsigned width)
{
	size_t seen = 0;

	for (char *at = line; width && *at; at++) {
		seen += begins_character(*at);
		if (seen > width) {
			*at = '\0';
			return;
		}
	}
}

static void strip(char *line)
{
	size_t length = strlen(line);

	while (length && line[length - 1] == ' ')
		line[--length] = '\0';
}

static char *append_cell(char *line, const char *cell, char side, size_t width, const char *gap)
{
	size_t length = characters(cell);
	int padding = width > length ? (int)(width - length) : 0;
	char *longer = side == 'r' ? xasprintf("%s%s%*s%s", line, gap, padding, "", cell)
				   : xasprintf("%s%s%s%*s", line, gap, cell, padding, "");

	free(line);
	return longer;
}

void table_print(const struct table *table, FILE *stream, const char *indent, unsigned width)
{
	size_t *widths = xcalloc(table->column_count, sizeof(*widths));

	for (size_t column = 0; column < table->column_count; column++)
		widths[column] = column_width(table, column);
	for (size_t row = 0; row + table->column_count <= table->count;
	     row += table->column_count) {
		char *line = xstrdup(indent);

		for (size_t column = 0; column < table->column_count; column++)
			line = append_cell(line, table->cells[row + column], table->columns[column],
					   widths[column], column ? "  " : "");
		strip(line);
		cut(line, width);
		fprintf(stream, "%s\n", line);
		free(line);
	}
	free(widths);
}

const char *table_format_count(uint64_t count, char buffer[32])
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	char *out = buffer;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return buffer;
}
