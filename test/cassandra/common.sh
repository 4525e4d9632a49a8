# shellcheck shell=bash
# shellcheck disable=SC2154 # here: the folder of this file, set by who sources it
# What test/cassandra/server and test/cassandra/install share. Sourcing it does nothing but define functions:
#
#   cassandra_cache         prints the folder of the jars and the class archive
#   cassandra_java_home     prints where Java 17 is, fails where there is none
#   cassandra_jars          is everything there that a server needs to start?
#   cassandra_archive_mark  prints what the class archive was made from, or must be made from

# One for the machine; where that cannot be made or written, one of the user's own.
cassandra_cache() {
	local machine=/var/cache/belongs_to_many
	if [[ -n ${BTM_CASSANDRA_CACHE:-} ]]; then
		echo "$BTM_CASSANDRA_CACHE"
	elif [[ $EUID -eq 0 || -e $machine/cassandra/pom.xml ]]; then
		echo "$machine/cassandra"
	else
		echo "${XDG_CACHE_HOME:-$HOME/.cache}/belongs_to_many/cassandra"
	fi
}

# Cassandra 5.0 runs on 11 and 17; java in PATH may be any.
cassandra_java_home() {
	local folder
	for folder in "${JAVA_HOME:-}" /usr/lib/jvm/*; do
		if [[ -x $folder/bin/java ]] && grep -qs '^JAVA_VERSION="17[".]' "$folder/release"; then
			echo "$folder"
			return
		fi
	done
	echo 'there is no Java 17 (Debian: openjdk-17-jre-headless)' >&2
	return 1
}

# The copy of pom.xml is put there last.
cassandra_jars() {
	cmp -s "$here/pom.xml" "$(cassandra_cache)/pom.xml"
}

cassandra_archive_mark() {
	cat "$here/pom.xml" "$here/jvm.flags" "$(cassandra_java_home)/release" | cksum
}
