/* SPDX-FileCopyrightText: 2026 The vadtrace authors
 * SPDX-License-Identifier: MIT */

/* Text tables: columns as wide as their widest cell, two spaces between them. */

#ifndef VADTRACE_TOOLS_LIB_TABLE_H
#define VADTRACE_TOOLS_LIB_TABLE_H

#include <stdint.h>
#include <stdio.h>

struct table;

/* `columns` has one letter per column: l (left) or r (right). */
struct table *table_create(const char *columns);
void table_destroy(struct table *table);

/* Adds the next cell, row by row; the text is copied. */
void table_add(struct table *table, const char *text);
/* The cells of a row, NULL at their end. */
void table_add_row(struct table *table, const char *const *texts);
void table_addf(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Rows behind `indent`, each cut to `width` characters (0: not at all). A row that is not complete
 * is not printed. */
void table_print(const struct table *table, FILE *stream, const char *indent, unsigned width);

/* "1,234,567"; the buffer is the caller's, 32 characters suffice. */
const char *table_format_count(uint64_t count, char buffer[32]);

#endif
