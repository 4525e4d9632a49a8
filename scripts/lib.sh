# shellcheck shell=bash
# What the scripts of this folder and of bench share. Sourcing it does nothing but define functions:
#
#   die MESSAGE                         message to stderr, exit 1
#   ensure_packages NAME...             Debian packages, installed only where missing (root)
#   ensure_postgres MAJOR               server and server headers of one major, at one version
#   default_major                       prints the PostgreSQL major this machine should use
#   use_postgres MAJOR                  sets and exports PG_CONFIG, sets PG_BIN; forgets libpq's variables
#   as_postgres COMMAND...              runs it as the system user postgres, from a folder it can read
#   copy_tree SOURCE TARGET             the project's files, without what git ignores, owned by postgres
#   install_below ROOT WORK             builds the project and installs it below WORK; sets the array install_settings
#   start_cluster FOLDER [SETTING...]   a throwaway server below FOLDER; exports PGHOST PGPORT PGUSER
#   stop_cluster FOLDER

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

# Version of an installed package, nothing where it is not installed.
package_version() {
	{ dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null || true; } | sed -n 's/^installed //p'
}

apt_quiet() {
	DEBIAN_FRONTEND=noninteractive apt-get -y -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
		-o Dpkg::Options::=--force-confold "$@"
}

# The package lists are fetched only when a first try fails: they may be absent (fresh machine)
# or older than the mirror (the wanted file is gone from it).
apt_install() {
	local log status=0
	log=$(mktemp)
	apt_quiet install --no-install-recommends "$@" >"$log" 2>&1 ||
		{ apt_quiet update >"$log" 2>&1 && apt_quiet install --no-install-recommends "$@" >>"$log" 2>&1; } ||
		status=$?
	[[ $status -eq 0 ]] || tail -n 40 "$log" >&2
	rm -f "$log"
	return "$status"
}

ensure_packages() {
	local name missing=()
	for name in "$@"; do
		[[ -n $(package_version "$name") ]] || missing+=("$name")
	done
	[[ ${#missing[@]} -eq 0 ]] || apt_install "${missing[@]}" || die "could not install: ${missing[*]}"
}

# One apt call for both: a server that is older than its headers loads no library built with them.
ensure_postgres() {
	local server=postgresql-$1 headers=postgresql-server-dev-$1 version
	version=$(package_version "$server")
	[[ -n $version && $version == "$(package_version "$headers")" ]] ||
		apt_install "$server" "$headers" || die "could not install $server and $headers"
}

# The newest installed server, else the one that this Debian release ships.
default_major() {
	local installed
	installed=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sed -nE 's#.*/([0-9]+)/bin/.*#\1#p' | sort -n | tail -n 1)
	[[ -z $installed ]] || { echo "$installed" && return; }
	case $(. /etc/os-release && echo "${VERSION_ID:-}") in
		13) echo 17 ;;
		14) echo 18 ;;
		*) echo 15 ;;
	esac
}

# Debian keeps one pg_config per major; the one in PATH belongs to whichever is newest.
# The caller's PGHOST, PGOPTIONS and the like must not reach the throwaway server.
use_postgres() {
	local name
	for name in "${!PG@}"; do
		[[ $name == PG_* ]] || unset "$name"
	done
	PG_BIN=/usr/lib/postgresql/$1/bin
	export PG_CONFIG=$PG_BIN/pg_config LC_ALL=C.UTF-8
	[[ -x $PG_CONFIG && -x $PG_BIN/postgres ]] || die "PostgreSQL $1 with its server headers is not installed"
}

# PostgreSQL refuses to run as root. PATH has Debian's own interpreters first: their modules are
# the ones that apt installed, and a private python or perl of root's is out of reach here.
as_postgres() {
	(
		cd / && exec runuser -u postgres -- env HOME="$(getent passwd postgres | cut -d: -f6)" \
			PATH="$PG_BIN:/usr/bin:/bin:/usr/local/bin:$PATH" "$@"
	)
}

# Names of the project's files, NUL between them: with git, the tracked ones and the new ones
# that it does not ignore; deleted ones left out.
list_tree() {
	local name
	if ! git -C "$1" -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
		(cd "$1" && find . -name .git -prune -o \( -type f -o -type l \) -printf '%P\0')
		return
	fi
	git -C "$1" -c safe.directory='*' ls-files -coz --exclude-standard | sort -zu |
		while IFS= read -r -d '' name; do
			[[ ! -e $1/$name && ! -L $1/$name ]] || printf '%s\0' "$name"
		done
}

# A clone may lie where the user postgres cannot look (below root's home), and building in it
# would leave files behind.
copy_tree() {
	mkdir -p "$2"
	list_tree "$1" | tar -C "$1" --null --no-recursion -T - -c | tar -C "$2" --no-same-owner -x
	chown -R postgres: "$2"
}

# The server finds it there by the settings in install_settings: what the machine has stays as it is.
install_below() {
	local folder=$2/installed
	copy_tree "$1" "$2/build"
	{ as_postgres make -s -C "$2/build" -j"$(nproc)" with_llvm=no PG_CONFIG="$PG_CONFIG" &&
		make -s -C "$2/build" with_llvm=no PG_CONFIG="$PG_CONFIG" DESTDIR="$folder" install; } >"$2/make.log" 2>&1 ||
		{ tail -n 30 "$2/make.log" >&2 && die 'the build failed'; }
	if [[ $("$PG_CONFIG" --version) =~ \ 1[5-7] ]]; then
		install_settings=("extension_destdir = '$folder'")
	else
		# shellcheck disable=SC2034
		install_settings=("extension_control_path = '$folder$("$PG_CONFIG" --sharedir):\$system'"
			"dynamic_library_path = '$folder$("$PG_CONFIG" --pkglibdir):\$libdir'")
	fi
}

# Reached through a socket in FOLDER alone, which only root and postgres may enter: no port of
# the machine is taken, and trust needs no password.
start_cluster() {
	local folder=$1 setting
	shift
	install -d -o postgres -m 700 "$folder"
	as_postgres "$PG_BIN/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
		--no-sync --no-instructions >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log" && return 1; }
	for setting in "unix_socket_directories = '$folder'" "listen_addresses = ''" "port = 5432" "$@"; do
		printf '%s\n' "$setting"
	done >>"$folder/data/postgresql.conf"
	as_postgres "$PG_BIN/pg_ctl" -D "$folder/data" -l "$folder/server.log" -w start >"$folder/start.log" 2>&1 ||
		{ cat "$folder/start.log" "$folder/server.log" && return 1; }
	export PGHOST=$folder PGPORT=5432 PGUSER=postgres
}

stop_cluster() {
	[[ ! -f $1/data/postmaster.pid ]] ||
		as_postgres "$PG_BIN/pg_ctl" -D "$1/data" -w -m immediate stop >/dev/null 2>&1
}
