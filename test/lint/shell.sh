#!/usr/bin/env bash
# Every shell script passes shellcheck, those that it sources included.
#
# To fix: follow the page that shellcheck names; where it is wrong, a "shellcheck disable" with
# the reason on the same line.
set -euo pipefail
. scripts/lib.sh

list_tree . | while IFS= read -r -d '' file; do
	! head -n 1 "$file" | grep -qaE '^#(!.*[/ ](ba|da)?sh( |$)|.*shellcheck shell=)' || printf '%s\0' "$file"
done | xargs -0r shellcheck -x -f gcc
