# shellcheck shell=bash
# The kinds of test that scripts/test runs. A kind is a row in KINDS and a function kind_NAME,
# which prints what it does, leaves "PASSED FAILED" in COUNT_FILE and fails when it could not run.
# It works on the copy of the tree in $src and may write below $run only.
# shellcheck disable=SC2154 # scripts/test sets the variables

# name, what must exist for it to run, what it needs: nothing, the extension installed, a server,
# or Cassandra besides
# shellcheck disable=SC2034 # read by scripts/test
KINDS=(
	'lint       test/lint      nothing'
	'build      Makefile       installed'
	'regress    sql            server'
	'isolation  test/specs     server'
	'pgtap      test/pgtap     server'
	'tap        test/t         installed'
	'unit       test/unit      nothing'
	'coverage   test/unit      nothing'
	'fuzz       test/fuzz      nothing'
	'drivers    test/drivers   server'
	'peer       test/scylla    server'
	'cassandra  test/cassandra cassandra'
	'docs       test/docs      server'
	'bench      bench          server'
)

WARNINGS='-Wall -Wextra -Werror'

# A test that hangs must not hide what it hung on: past this many seconds a kind is stopped.
KIND_LIMIT=1500

# ---- counting

tally() {
	printf '%d %d\n' "$1" "$2" >"$COUNT_FILE"
}

# "PASSED FAILED" of the last thing counted; a runner that left no count is one failure.
counted() {
	[[ -s $COUNT_FILE ]] && cat "$COUNT_FILE" || echo 0 1
}

# prove as the user postgres, counted, in the copy of the tree. It is verbose, so that the log has
# everything; show_failure leaves out what passed.
prove() {
	as_postgres timeout -k 30 "$KIND_LIMIT" env -C "$src" "$src/scripts/test.d/prove-count" --verbose "$@"
}

# pg_regress and isolation's twin print "test name ... ok" up to 15, TAP from 16 on.
tally_regress() {
	tally "$(grep -cE '^((test| {4}) .*\.\.\. ok\b|ok [0-9])' "$1")" \
		"$(grep -cE '^((test| {4}) .*\.\.\. FAILED|not ok [0-9])' "$1")"
}

installcheck() {
	as_postgres timeout -k 30 "$KIND_LIMIT" "${make[@]}" -C "$src" installcheck "$@"
}

installcheck_regress() {
	local status=0
	installcheck "$@" >"$run/installcheck.out" 2>&1 || status=$?
	cat "$run/installcheck.out"
	tally_regress "$run/installcheck.out"
	return "$status"
}

# ---- the kinds

kind_lint() {
	prove --exec '' test/lint/run
}

kind_regress() {
	installcheck_regress ISOLATION= TAP_TESTS=
}

kind_isolation() {
	installcheck_regress REGRESS= TAP_TESTS=
}

# Each file makes the extension itself and rolls back at its end, so that it runs the same under
# a plain pg_prove; only pgTAP is there.
kind_pgtap() {
	as_postgres createdb pgtap && as_postgres psql -Xqd pgtap -c 'CREATE EXTENSION pgtap' &&
		prove --ext .sql --source pgTAP --pgtap-option suffix=.sql --pgtap-option dbname=pgtap test/pgtap
}

# Through make, for PGXS knows what PostgreSQL::Test::Cluster wants in its environment.
kind_tap() {
	installcheck REGRESS= ISOLATION= PROVE="$src/scripts/test.d/prove-count --verbose"
}

# Plain C programs that print TAP, each linked with the wire client alone: it knows no PostgreSQL.
kind_unit() {
	local program programs=() sources=() compile
	compile=(as_postgres env -C "$run/unit" gcc -std=gnu99 -g "-fsanitize=address,undefined"
		-fno-sanitize-recover=undefined -Wall -Wextra -Werror -I"$src/src" -I"$src/test/unit")
	mapfile -t sources < <(find "$src/src/cql" -name '*.c')
	install -d -o postgres "$run/unit"
	"${compile[@]}" -c "${sources[@]}" || return
	for program in "$src"/test/unit/t_*.c; do
		programs+=("$run/unit/$(basename "$program" .c)")
		"${compile[@]}" -o "${programs[-1]}" "$program" "$run"/unit/*.o -llz4 || return
	done
	prove --exec '' "${programs[@]}"
}

# Lines of the wire client that unit tests and corpus reach: one test for each of its files.
kind_coverage() {
	prove --exec '' scripts/coverage :: --tap
}

# BTM_FUZZ_SECONDS for each target. What fails is kept where this run does not clean up.
kind_fuzz() {
	local KIND_LIMIT=$((1500 + 10 * ${BTM_FUZZ_SECONDS:-60}))
	install -d -o postgres "$cache/fuzz"
	BTM_FUZZ_KEEP=$cache/fuzz prove --exec '' test/fuzz/run
}

# Every one of the executables FILE... gets an empty database of its own.
prove_with_databases() {
	local file name passed failed sum=(0 0) status=0
	for file in "$@"; do
		name=$(basename "$file")
		rm -f "$COUNT_FILE"
		as_postgres createdb "$name" && PGDATABASE=$name prove --exec '' "${file#"$src/"}" || status=$?
		read -r passed failed < <(counted)
		sum=($((sum[0] + passed)) $((sum[1] + failed)))
	done
	rm -f "$COUNT_FILE"
	tally "${sum[@]}"
	return "$status"
}

kind_drivers() {
	NODE_PATH=$(node_path) prove_with_databases "$src"/test/drivers/run-*
}

# A scripted CQL server: for what a real one does not do.
kind_peer() {
	prove_with_databases "$src"/test/scylla/run-*
}

# The server is shared; what a test does to one, it does to a server of its own.
kind_cassandra() {
	local files
	mapfile -t files < <(find "$src"/test -path '*/cassandra/t_*' -executable -o -path '*/scylla/t_*' -executable | sort)
	NODE_PATH=$cache/node-cql/node_modules prove_with_databases "${files[@]}"
}

# Every page gets an empty database of its own.
kind_docs() {
	prove --exec '' test/docs/run-docs
}

# Every row of the benchmark at a small size: ours gives what hand-written SQL gives.
kind_bench() {
	as_postgres createdb bench && PGDATABASE=bench prove --exec '' bench/run :: --quick
}

# One node that asks for passwords and takes TLS and plain connections, for all tests that leave it as it is. A run
# beside this one has its own.
start_cassandra() {
	local command=(as_postgres env "BTM_CASSANDRA_ROOT=$run/cassandra" BTM_CASSANDRA_PORT=free "$src/test/cassandra/server")
	export BTM_CASSANDRA_CACHE=$cache/cassandra
	install -d -o postgres "$run/cassandra"
	"${command[@]}" start --auth --tls-optional && eval "$("${command[@]}" env)"
}

# ---- build: how the extension compiles and installs

# PGXS compiles each file a second time, to LLVM bitcode; once per run is enough, in check_vpath.
install_extension() {
	as_postgres "${make[@]}" -C "$src" -j2 with_llvm=no COPT="$WARNINGS" &&
		"${make[@]}" -C "$src" with_llvm=no docdir="$run/doc" install
}

# A separate build folder, with the other compiler: the one PGXS makes bitcode with.
check_vpath() {
	install -d -o postgres "$run/vpath"
	as_postgres "${make[@]}" -C "$run/vpath" -j2 -f "$src/Makefile" VPATH="$src" \
		CC="$(sed -n 's/^CLANG = //p' "$pgxs_makefile")" COPT="$WARNINGS $(clang_lacks)"
}

# Debian's make variables name warnings of gcc that clang does not know.
clang_lacks() {
	echo -Wno-unknown-warning-option
}

check_install() {
	local file share
	share=$("$PG_CONFIG" --sharedir)/extension
	install -d -o postgres "$run/dest"
	as_postgres "${make[@]}" -C "$run/vpath" -f "$src/Makefile" VPATH="$src" DESTDIR="$run/dest" install || return
	for file in "$share/$extension.control" "$share/$extension--$(extension_version).sql" \
		"$("$PG_CONFIG" --pkglibdir)/$extension.so"; do
		[[ -s $run/dest$file ]] || { echo "not installed: $file" && return 1; }
	done
}

extension_version() {
	sed -nE "s/^default_version *= *'(.*)'.*/\1/p" "$src/$extension.control"
}

# PostgreSQL loads libraries with RTLD_GLOBAL: an exported name can clash with any other library's.
check_exports() {
	local allowed='^(Pg_magic_func|_PG_init|pg_finfo_btm_[a-z0-9_]+|btm_[a-z0-9_]+)$'
	! nm -D --defined-only -j "$src/$extension.so" | grep -vE "$allowed"
}

# Hidden names too: they are what a reader of a stack trace sees, and the prefix says which side
# of the code a function belongs to.
check_prefixes() {
	local cql other
	cql=$(nm_globals "$src"/src/cql/*.o | grep -v '^cql_')
	other=$(nm_globals "$src"/src/*.o "$src"/src/{relation,pivot,scylla}/*.o |
		grep -vE '^(btm_|pg_finfo_btm_|_PG_init$|Pg_magic_func$)')
	printf '%s\n' ${cql:+"$cql"} ${other:+"$other"}
	[[ -z $cql$other ]]
}

# Globals of the object files among the arguments; a pattern that matched nothing is no file.
nm_globals() {
	local file
	for file in "$@"; do
		[[ ! -f $file ]] || nm -g --defined-only -j "$file" | grep -v ':$'
	done
}

kind_build() {
	local check number=0 failed=0
	for check in \
		'true gcc builds it without a warning' \
		'check_vpath clang builds it in a separate folder without a warning' \
		'check_install a staged install has the control file, the script and the library' \
		'check_exports only prefixed entry points are exported' \
		'check_prefixes every global name has the prefix of its folder'; do
		number=$((number + 1))
		if "${check%% *}" >"$run/check.out" 2>&1; then
			echo "ok $number - ${check#* }"
		else
			failed=$((failed + 1))
			echo "not ok $number - ${check#* }"
			sed 's/^/# /' "$run/check.out"
		fi
	done
	tally $((number - failed)) "$failed"
}

# ---- what a reader needs of a failed kind

show_failure() {
	case $1 in
		regress) show_regress "$2" "$src/regression.diffs" ;;
		isolation) show_regress "$2" "$src/output_iso/regression.diffs" ;;
		*) grep -vE '^( *ok |echo )' "$2" ;;
	esac
	[[ $1 != tap ]] || show_tap_logs "$2"
	[[ $3 == nothing || $3 == installed ]] || show_crash
	[[ $3 != cassandra ]] || grep -hE '^[^ ]+ +ERROR ' "$run/cassandra/n1/log"
}

show_regress() {
	grep -vE '^((test .*|    .*)\.\.\. ok\b|ok [0-9]|(SET|(CREATE|ALTER|DROP) (DATABASE|EXTENSION))$|=*$|echo )' "$1"
	show_file "$2"
}

show_file() {
	[[ ! -f $1 ]] || head -n 1000 "$1"
}

# PostgreSQL::Test keeps each file's commands and their output in a log; its end says why it died.
show_tap_logs() {
	local name
	sed -nE 's#^(\S+)\.pl +\(Wstat: .*#\1#p' "$1" | while read -r name; do
		name=$src/tmp_check/log/regress_log_$(basename "$name")
		[[ ! -f $name ]] || { echo "--- end of $(basename "$name")" && tail -n 40 "$name"; }
	done
}

show_crash() {
	! grep -E 'PANIC|terminated by signal|TRAP:' "$run/cluster/server.log"
}
