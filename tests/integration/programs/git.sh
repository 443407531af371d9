#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034

# git makes a repository of our sources, and works in it: packs, diffs, greps, merges.

. "${VADTRACE_SRCDIR:?}/tests/integration/programs/programs.sh"
need git
children=yes

cat >"$scratch/work.sh" <<'TEXT'
set -e
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null HOME=$PWD
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_AUTHOR_DATE='2026-01-01T00:00:00Z'
export GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.org
export GIT_COMMITTER_DATE='2026-01-02T00:00:00Z'
git init -q -b main tree
cd tree
cp -R "$VADTRACE_SRCDIR/core" "$VADTRACE_SRCDIR/tools" .
chmod -R u+w .
git add .
git commit -q -m first
git checkout -q -b side
for file in core/*.h; do sed -i 's/The/THE/' "$file"; git commit -q -a -m "$file"; done
git checkout -q main
sed -i '1,2d' tools/vadtrace.c
git commit -q -a -m tools
git merge -q -m merged side
git log --oneline --graph | cat
git log -p --stat -M | git hash-object --stdin
git blame core/event.h | git hash-object --stdin
git grep -n -c static | cat
git -c gc.autoDetach=false -c pack.threads=2 gc -q --aggressive
git fsck --full
git count-objects -v | grep -v size
git rev-parse HEAD
git archive HEAD | git get-tar-commit-id
cd ..
rm -rf tree
TEXT
same_in_all_ways bash "$scratch/work.sh"
tap_done
