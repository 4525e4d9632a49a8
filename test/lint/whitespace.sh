#!/usr/bin/env bash
# No blanks at the ends of lines, no carriage returns, a newline at the end of each file. Expected
# outputs are exempt, for psql pads its columns, and so are inputs for fuzzing.
#
# To fix: sed -i 's/[[:space:]]*$//' FILE
set -euo pipefail
. scripts/lib.sh

list_tree . | grep -zvE '(^|/)(expected|found)/' | xargs -0r grep -nIE '[[:blank:]]$|'$'\r''$' || true
list_tree . | grep -zvE '(^|/)(expected|found)/' | while IFS= read -r -d '' file; do
	[[ -L $file || ! -s $file ]] || ! grep -qI . "$file" || [[ -z $(tail -c 1 "$file") ]] || echo "$file: no newline at its end"
done
