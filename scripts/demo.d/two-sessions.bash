# shellcheck shell=bash disable=SC2154
# Two sessions that sync the same parent at once: the one chapter that one session cannot show.
# Sourced by scripts/demo beside steps.bash, whose functions and folder of results it uses.

two_sessions() {
	printf '\n== Two sessions, one package\n'
	run_sql /dev/null "SELECT id AS fzf FROM packages WHERE name = 'fzf' \\gset"
	second_waits_for_first
	hundred_syncs_each
}

# sync_fzf NAMES: the SQL of a sync to these tags, a list of quoted names.
sync_fzf() {
	cat <<-SQL
		SELECT attached, detached, updated FROM packages p,
		       m2m.sync('package_tags', p.id, ARRAY(SELECT id FROM tags WHERE name IN ($1)))
		WHERE p.name = 'fzf';
	SQL
}

readonly tags_of_fzf="SELECT string_agg(name, ' ' ORDER BY name) AS tags
FROM tags JOIN package_tags ON tag_id = tags.id WHERE package_id = :fzf"

# The second must wait, and then see and detach what the first has attached: a difference taken from a
# snapshot of before the wait would leave fzf with a mixture.
second_waits_for_first() {
	local second
	run_step 'Session 1 syncs fzf and leaves its transaction open' \
		"BEGIN;
$(sync_fzf "'role::program', 'scope::utility'")" '' ''
	sync_fzf "'role::program', 'interface::commandline'" |
		psql -X -q -v ON_ERROR_STOP=1 -P footer=off >"$results/second" 2>&1 &
	second=$!
	await_blocked_session
	run_step 'Session 2 syncs fzf to another list and waits' \
		"SELECT wait_event_type, count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' GROUP BY 1;" \
		'must be' "VALUES ('Lock', 1);"
	run_step 'Session 1 commits' 'COMMIT;' '' ''
	wait $second || fail_step 'session 2' 'ended with an error'
	echo '    Session 2, now free, detaches what session 1 attached:'
	indent 6 <"$results/second"
	run_step "fzf has session 2's list, whole" "$tags_of_fzf;" 'must be' "SELECT 'interface::commandline role::program';"
}

await_blocked_session() {
	local tries
	for ((tries = 0; tries < 200; tries++)); do
		[[ $(psql -X -At -c "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == 0 ]] || return 0
	done
}

# However the two interleave, fzf ends with one list or the other, never with a mixture.
hundred_syncs_each() {
	local list i pids=() pid errors=0 before=${EPOCHREALTIME//[!0-9]/}
	for list in "'role::program', 'scope::utility'" "'interface::commandline', 'works-with::text'"; do
		for ((i = 0; i < 100; i++)); do sync_fzf "$list"; done |
			psql -X -q -v ON_ERROR_STOP=1 -o /dev/null &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid" || errors=$((errors + 1)); done
	run_step "Both synced fzf 100 times at once, in $(((${EPOCHREALTIME//[!0-9]/} - before) / 1000)) ms: no mixture" "$tags_of_fzf;" '' ''
	[[ $errors -eq 0 ]] || fail_step 'hundred syncs each' "$errors of 2 sessions ended with an error"
	grep -qE '^ (role::program scope::utility|interface::commandline works-with::text)$' "$results/result" ||
		fail_step 'hundred syncs each' 'fzf has a mixture of the two lists'
}
