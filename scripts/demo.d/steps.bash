# shellcheck shell=bash
# Runs the chapters of the demo: SQL files made of steps, one psql session for all of them, every step
# checked against what it must be. Sourced by scripts/demo, which brings die and elapsed.
#
# A chapter is read paragraph by paragraph. A paragraph that is a comment alone is a heading. Every other
# one is a step: a comment line with the title, the SQL, and then, where there is something to check,
#   -- must be                    the SQL below it returns the same rows as the step
#   -- must be, in any order      the same, sorted
#   -- must fail 42703 weight     the step raises this SQLSTATE and says this

readonly shown_rows=8 shown_width=150

steps=0
failures=0
results=''  # folder of the result tables
messages='' # what psql said during the last run_sql: errors, notices, "Time:" lines

# open_session FOLDER: starts the psql session; result tables go to files in FOLDER.
open_session() {
	results=$1
	coproc PSQL { exec psql -X -q -v VERBOSITY=verbose -P footer=off -P null=- 2>&1; }
	run_sql /dev/null "\\timing on
SET timezone = 'UTC';"
}

# run_sql FILE SQL: runs the SQL in the session; result tables go to FILE, all else to $messages.
run_sql() {
	local line
	messages=''
	printf '%s\n' "\\o $1" "$2" '\o' '\echo -- end of step' >&"${PSQL[1]}"
	while IFS= read -r line <&"${PSQL[0]}"; do
		[[ $line != '-- end of step' ]] || return 0
		messages+=$line$'\n'
	done
	die "the session has ended: $messages"
}

run_chapter() {
	local line part=title title='' sql='' check='' must=''
	while IFS= read -r line; do
		case $part$line in
		title) ;;
		sql'-- must '*) part=check must=${line#-- } ;;
		title*) part=sql title=${line#-- } ;;
		sql?*) sql+=$line$'\n' ;;
		check?*) check+=$line$'\n' ;;
		*)
			run_paragraph "$title" "$sql" "$must" "$check"
			part=title title='' sql='' check='' must=''
			;;
		esac
	done < <(cat "$1" && echo)
}

run_paragraph() {
	if [[ -n $2 ]]; then
		run_step "$@"
	else
		printf '\n== %s\n' "$1"
	fi
}

# run_step TITLE SQL MUST CHECK: the last two may be empty.
run_step() {
	local title=$1 sql=$2 must=$3 check=$4 said problem
	run_sql "$results/result" "$sql"
	said=$(grep -vE '^(Time|LOCATION): ' <<<"$messages" || true)
	report_step "$title" "$sql" "$said"
	# In this shell: a command substitution cannot reach the session.
	[[ -z $check ]] || run_sql "$results/expected" "$check"
	problem=$(find_problem "$said" "$must")
	[[ -z $problem ]] || fail_step "$title" "$problem"
}

report_step() {
	steps=$((steps + 1))
	printf '\n%s %-76s %9s ms\n' "$(elapsed)" "$1" "$(sum_of_times)"
	indent 4 <<<"${2%$'\n'}"
	indent 6 < <(trim_rows <"$results/result" && echo "$3")
}

fail_step() {
	failures=$((failures + 1))
	printf '    FAILED: %s\n' "$1"
	indent 8 <<<"$2"
}

# find_problem SAID MUST: prints what is wrong with the step that has just run, or nothing.
find_problem() {
	local said=$1 code words
	if [[ $2 == 'must fail '* ]]; then
		read -r _ _ code words <<<"$2"
		[[ $said == *"ERROR:  $code: "*"$words"* ]] || echo "must fail with $code and say '$words'"
	elif ! errors_of "$said" && [[ $2 == 'must be'* ]]; then
		errors_of "$messages" || compare_rows "$2" || true
	fi
}

# psql's own complaints come without SQLSTATE, \gset's without the word.
errors_of() { grep -E '^ERROR: |^(psql: )?error: |^(no|more than one) rows? returned' <<<"$1"; }

# Columns are as wide as their headings make them, so rows are compared with blanks squeezed.
compare_rows() {
	local order='cat'
	[[ $1 != *'any order' ]] || order='sort'
	diff -U0 --label 'must be' <(rows "$results/expected" | $order) --label is <(rows "$results/result" | $order)
}

# The rows of the last table in a file, without heading and rule.
rows() { awk -v RS= 'END { print }' "$1" | tail -n +3 | sed -E 's/ +/ /g; s/^ //; s/ $//'; }

sum_of_times() { awk '/^Time:/ { ms += $2 } END { printf "%.1f", ms }' <<<"$messages"; }

indent() { sed -E "s/ +$//; /^$/d; s/^(.{$shown_width}).+/\1…/; s/^/$(printf '%*s' "$1" '')/"; }

# The heading, its rule and the first rows, and how many more lines there are.
trim_rows() {
	awk -v max=$((shown_rows + 2)) '
		NF { n++; if (n <= max) print }
		END { if (n > max) printf " … %d more\n", n - max }'
}

summary() {
	printf '\n%s %d steps passed, %d failed\n' "$(elapsed)" $((steps - failures)) "$failures"
	[[ $failures -eq 0 ]]
}
