#!/usr/bin/env bash
# A test that the Makefile does not name never runs: every sql/*.sql is in REGRESS, every
# test/specs/*.spec in ISOLATION, each has its expected output, and each name has its file.
#
# To fix: add the name to the variable in the Makefile, or remove the file that nothing runs.
set -euo pipefail
[[ -f Makefile ]] || exit 0

variable() {
	make -s --eval "print-variable: ; @echo \$($1)" PG_CONFIG="${PG_CONFIG:-pg_config}" print-variable | tr ' ' '\n' | sort -u
}

files() {
	[[ ! -d $1 ]] || find "$1" -maxdepth 1 -name "*.$2" -printf '%f\n' | sed "s/\.$2\$//" | sort -u
}

# compare FOLDER SUFFIX EXPECTED-FOLDER VARIABLE
compare() {
	local name
	comm -3 <(files "$1" "$2") <(variable "$4" | grep . || true) | while read -r name; do
		echo "$1/$name.$2: only one of the file and the name in $4 exists"
	done
	files "$1" "$2" | while read -r name; do
		grep -qxE "$name(_[0-9])?" <<<"$(files "$3" out)" || echo "$3/$name.out: missing"
	done
}

compare sql sql expected REGRESS
compare test/specs spec test/expected ISOLATION
