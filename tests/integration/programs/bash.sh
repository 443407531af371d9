#!/bin/bash
# SPDX-FileCopyrightText: 2026 The vadtrace authors
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034

# A shell script with pipes, subshells, process substitution, background jobs, traps, here-texts.

. "${VADTRACE_SRCDIR:?}/tests/integration/programs/programs.sh"
children=yes

cat >"$scratch/work.sh" <<'TEXT'
trap 'echo "bye with $?"' EXIT
trap 'echo "a signal"' USR1
find "$VADTRACE_SRCDIR/core" -name '*.h' | sort | xargs cat | tr -cs 'A-Za-z' '\n' |
	tr 'A-Z' 'a-z' | sort | uniq -c | sort -k1,1nr -k2 | head -n 10
diff <(seq 1 100) <(seq 2 101) | wc -l
for i in 1 2 3 4 5; do (sleep 0.0$i; exit $i) & done
for job in $(jobs -p); do wait "$job"; echo "job: $?"; done
kill -USR1 $$
declare -A seen
while read -r word; do
	seen[$word]=$((${seen[$word]:-0} + 1))
done < <(seq 1 2000 | sed 's/.*\(.\)/\1/')
for key in "${!seen[@]}"; do echo "$key ${seen[$key]}"; done | sort
text=$(printf 'line %s\n' {1..3000}); echo "${#text} ${text//line/}" | cksum
(kill -TERM $BASHPID); echo "killed: $?"
false | true; echo "pipe: ${PIPESTATUS[*]}"
exec 7>&1; echo "to seven" >&7; exec 7>&-
nice -n 1 true; env -i /bin/echo "no environment"
cat <<END | sed 's/a/b/g'
a here-text
END
echo "to standard error" >&2
exit 0
TEXT

same_in_all_ways bash "$scratch/work.sh"

# Without children: nothing of ours may be left for the program to see.
children=
export -n VADTRACE_SRCDIR VADTRACE_BUILDDIR
ways=$(tr ' ' '\n' <<<"$ways" | grep record)
normalise() {
	sed -E "s|$scratch/[a-z-]+/|SCRATCH/|g"
}
same_in_all_ways bash -c 'env | sort | grep -v "^_="; exit 0'
tap_done
