#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034

# sqlite3 with a large script: a table on disk, indexes, joins, text search, a window function.

. "${VADTRACE_SRCDIR:?}/tests/integration/programs/programs.sh"
need sqlite3

awk -v rows=60000 'BEGIN {
	print "PRAGMA journal_mode = WAL; PRAGMA cache_size = 200; BEGIN;"
	print "CREATE TABLE part (id INTEGER PRIMARY KEY, parent INTEGER, name TEXT, weight REAL);"
	for (i = 1; i <= rows; i++)
		printf "INSERT INTO part VALUES (%d, %d, \"part %d %s\", %d.5);\n", i, int(i / 7),
		       i, substr("abcdefghijklmnopqrstuvwxyz", 1 + i % 20), i * 31 % 977
	print "COMMIT;"
	print "CREATE INDEX by_parent ON part (parent); CREATE INDEX by_name ON part (name);"
	print "SELECT count(*), sum(weight), max(length(name)) FROM part;"
	print "SELECT p.name, count(*), avg(c.weight) FROM part p JOIN part c ON c.parent = p.id"
	print "GROUP BY p.id ORDER BY 3 DESC, 1 LIMIT 20;"
	print "WITH RECURSIVE up (id, depth) AS (SELECT 59999, 0 UNION ALL"
	print "SELECT parent, depth + 1 FROM part JOIN up USING (id)) SELECT * FROM up;"
	print "SELECT id, sum(weight) OVER (PARTITION BY parent ORDER BY id) FROM part LIMIT 50;"
	print "SELECT group_concat(name) FROM part WHERE id % 100 = 0;"
	print "UPDATE part SET name = upper(name) WHERE id % 3 = 0;"
	print "DELETE FROM part WHERE id % 5 = 0; VACUUM; PRAGMA integrity_check;"
	print "SELECT count(DISTINCT substr(name, 1, 8)) FROM part;"
	print "PRAGMA journal_mode = DELETE;\n.sha3sum"
	print ".shell rm parts.db"
}' >"$scratch/script.sql"
input=$scratch/script.sql

same_in_all_ways sqlite3 -bail parts.db
tap_done
