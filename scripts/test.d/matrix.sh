# shellcheck shell=bash
# scripts/test --matrix: the suite on every supported PostgreSQL. Those that the machine's Debian
# does not ship run in root file systems of the Debian releases that do, made with debootstrap
# from the machine's own mirror and kept below $cache. A run changes nothing in them: they are
# mounted read-only, in a mount and process namespace that takes its mounts and processes along
# when it ends, however it ends.
# shellcheck disable=SC2154 # scripts/test sets the variables

MAJORS=(15 17 18)

# Kinds that depend on the server or its Debian; lint, coverage, fuzz, drivers and bench do not.
ROOTFS_KINDS=build,regress,isolation,pgtap,tap,unit,peer,docs

suite_of() {
	case $1 in
		15) echo bookworm ;;
		17) echo trixie ;;
		18) echo forky ;;
	esac
}

# The first archive of the machine's own release, as apt itself understands its sources.
machine_mirror() {
	local codename
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
		sed -nE "s#^$codename ((https?|ftp|file):.*)#\1#p" | head -n 1
}

# Runs a command in a root file system as process 1 of a namespace of its own. WRITABLE is a
# folder that becomes its /tmp, and then all else is read-only; "" leaves it writable.
in_rootfs() {
	local root=$1 writable=$2
	shift 2
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount --propagation private --pid --fork --kill-child bash -euc '
		root=$1 writable=$2
		shift 2
		mount --bind "$root" "$root"
		mount -t proc proc "$root/proc"
		mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
		mount -t tmpfs -o mode=755 tmpfs "$root/run"
		[[ -z $writable ]] || mount --bind "$writable" "$root/tmp"
		[[ -z $writable ]] || mount -o remount,bind,ro "$root"
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LC_ALL=C.UTF-8 \
			http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" CI="${CI:-}" "$@"
	' bash "$root" "$writable" "$@"
}

# ---- making and checking a root file system

rootfs_packages() {
	echo postgresql-"$1" postgresql-server-dev-"$1" "$(server_packages "$1")"
}

# What a finished root file system was made as; it is made anew when this changes.
rootfs_mark() {
	echo "$(suite_of "$1") $(rootfs_packages "$1")"
}

# Whole when its mark, written last, is there and the things that tests call all answer.
rootfs_healthy() {
	[[ $(cat "$2/.complete" 2>/dev/null) == "$(rootfs_mark "$1")" ]] &&
		in_rootfs "$2" '' bash -euc "
			/usr/lib/postgresql/$1/bin/postgres --version
			printf '#include \"postgres.h\"\n#include \"fmgr.h\"\n' |
				gcc -fsyntax-only -I\$(/usr/lib/postgresql/$1/bin/pg_config --includedir-server) -x c -
			perl -MIPC::Run -MTAP::Parser::SourceHandler::pgTAP -e1
			test -s /usr/share/postgresql/$1/extension/pgtap.control
			test -z \"\$(dpkg --audit)\"
		" >/dev/null 2>&1
}

# debootstrap before forky's time has no script for it; every later release is made as sid is.
debootstrap_script() {
	local scripts=/usr/share/debootstrap/scripts
	[[ -e $scripts/$1 ]] && echo "$scripts/$1" || echo "$scripts/sid"
}

bootstrap() {
	local suite=$1 root=$2 mirror=$3 options=(--variant=minbase)
	# the base system has no certificates, without which its apt reads no https mirror
	[[ $mirror != https:* ]] || options+=(--include=ca-certificates)
	unshare --mount-proc --propagation private --pid --fork --kill-child \
		debootstrap "${options[@]}" "$suite" "$root" "$mirror" \
		"$(debootstrap_script "$suite")" || return
	[[ $mirror != https:* ]] || cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
	cp -L /etc/hosts /etc/resolv.conf "$root/etc/"
}

# No service and no default cluster is started in it. A testing release's index may be past its
# date on a mirror that is not refreshed daily.
install_in_rootfs() {
	local major=$1 root=$2 names
	read -ra names <<<"$(rootfs_packages "$major")"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	mkdir -p "$root/etc/postgresql-common"
	echo 'create_main_cluster = false' >"$root/etc/postgresql-common/createcluster.conf"
	in_rootfs "$root" '' bash -euc '
		export DEBIAN_FRONTEND=noninteractive
		apt-get -q -o Acquire::Check-Valid-Until=false -o Acquire::Check-Date=false update
		apt-get -q -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-unsafe-io \
			install --no-install-recommends "$@"
		apt-get clean
		rm -rf /var/lib/apt/lists/*
	' bash "${names[@]}"
}

# Made under another name and renamed when complete, so that an interrupted run leaves nothing
# that looks whole. Called with the lock of ensure_rootfs held.
make_rootfs() {
	local major=$1 root=$2 new=$2.new mirror
	mirror=$(machine_mirror)
	[[ -n $mirror ]] || { echo 'no mirror for this Debian release in the sources of apt' && return 1; }
	eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
	export http_proxy https_proxy
	rm -rf --one-file-system "$new" "$root.old"
	bootstrap "$(suite_of "$major")" "$new" "$mirror" && install_in_rootfs "$major" "$new" || return
	rootfs_mark "$major" >"$new/.complete"
	[[ ! -e $root ]] || mv "$root" "$root.old"
	mv "$new" "$root"
	rm -rf --one-file-system "$root.old"
}

# Another run on this machine may be making the same one: the lock makes this one wait for it.
ensure_rootfs() {
	local major=$1 root=$cache/pg$1 started=${EPOCHREALTIME/[.,]/} log=$matrix_run/rootfs-$1.log
	mkdir -p "$cache"
	exec 9>"$root.lock"
	flock 9
	if rootfs_healthy "$major" "$root"; then
		report "rootfs $major" 'reused' "$started"
	elif make_rootfs "$major" "$root" >"$log" 2>&1 && rootfs_healthy "$major" "$root"; then
		report "rootfs $major" "made ($(suite_of "$major"))" "$started"
	else
		report "rootfs $major" FAILED "$started"
		tail -n 40 "$log"
		return 1
	fi
}

# ---- the versions

kinds_of_rootfs() {
	local kind kinds=()
	for kind in ${ROOTFS_KINDS//,/ }; do
		! wanted "$kind" || kinds+=("$kind")
	done
	(IFS=, && echo "${kinds[*]}")
}

# Both write a log, which follow shows: an interrupted run ends at once, not at the end of a pipe.
run_here() {
	exec "$matrix_run/src/scripts/test" --pg "$major" --no-install ${only:+--only "$only"} --counts "$matrix_run/counts-$major"
}

run_in_rootfs() {
	local tmp=$matrix_run/tmp-$1
	install -d -m 1777 "$tmp"
	cp -a "$matrix_run/src" "$tmp/src"
	in_rootfs "$cache/pg$1" "$tmp" /tmp/src/scripts/test --pg "$1" --no-install --only "$(kinds_of_rootfs)" --counts /tmp/counts || true
	[[ ! -f $tmp/counts ]] || mv "$tmp/counts" "$matrix_run/counts-$1"
}

# Shows the log of a version, each line marked, until the process that writes it has ended. That one
# may not have come so far yet as to open it.
follow() {
	touch "$matrix_run/log-$1"
	tail -n +1 -s 0.2 -f --pid="$2" "$matrix_run/log-$1" | sed -u "s/^/[$1] /" &
	wait "$!"
}

# The machine's own version runs while the root file systems are made, then the others side by
# side; their lines are shown one version after the other.
run_versions() {
	local other
	declare -A testers=()
	run_here >"$matrix_run/log-$major" 2>&1 &
	here=$!
	follow "$major" "$here"
	for other in "${others[@]}"; do
		wait "${makers[$other]}" || continue
		run_in_rootfs "$other" >"$matrix_run/log-$other" 2>&1 &
		testers[$other]=$!
	done
	for other in "${others[@]}"; do
		[[ -z ${testers[$other]:-} ]] || follow "$other" "${testers[$other]}"
	done
}

# The run of the machine's own version cleans up behind itself; a job in a root file system has a
# child that waits for a namespace.
end_matrix() {
	local job child
	trap '' INT TERM
	[[ -z ${here:-} ]] || kill "$here" 2>/dev/null || true
	for job in $(jobs -p); do
		[[ $job != "${here:-}" ]] || continue
		for child in $(children_of "$job"); do
			kill_contained "$child"
		done
	done
	wait 2>/dev/null
	rm -rf --one-file-system "$matrix_run"
}

summarize() {
	local version passed failed sum=(0 0)
	for version in "$major" "${others[@]}"; do
		passed=0 failed=1
		[[ ! -s $matrix_run/counts-$version ]] || read -r passed failed <"$matrix_run/counts-$version"
		sum=($((sum[0] + passed)) $((sum[1] + failed)))
		printf 'PostgreSQL %s: %d passed, %d failed\n' "$version" "$passed" "$failed"
	done
	conclude "${sum[@]}"
}

run_matrix() {
	local other
	declare -A makers=()
	others=()
	for other in "${MAJORS[@]}"; do
		[[ $other == "$major" || -z $(kinds_of_rootfs) ]] || others+=("$other")
	done
	matrix_run=$(mktemp -d /tmp/btm-matrix.XXXXXX)
	trap end_matrix EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	chmod 755 "$matrix_run"
	copy_tree "$top" "$matrix_run/src"
	for other in "${others[@]}"; do
		ensure_rootfs "$other" &
		makers[$other]=$!
	done
	run_versions
	summarize
}
