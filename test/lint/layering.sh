#!/usr/bin/env bash
# Dependencies point one way: belongs_to_many.c -> {pivot, scylla} -> relation -> PostgreSQL, and
# scylla -> cql -> libc, liblz4. The wire client in src/cql is built and fuzzed without PostgreSQL.
#
# To fix: what both sides need belongs in the lower folder; what the lower one must call in the
# upper one is handed to it (a callback, a table of functions) by the upper one. In src/cql, take
# bytes and an allocator from the caller rather than a header of PostgreSQL or of the system.
set -euo pipefail

includes() {
	[[ ! -d src/$1 ]] || grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include' "src/$1" || true
}

# Findings only: includes in src/$1 of a header below one of the folders $2 (a|b|c).
forbid() {
	includes "$1" | grep -E "\"([^\"]*/)?($2)/" || true
}

forbid relation 'pivot|scylla|cql'
forbid pivot 'scylla|cql'
forbid cql 'relation|pivot|scylla'

# in src/cql: its own headers, those of libc that do no I/O and allocate nothing, and LZ4
includes cql | grep -vE '"(cql/)?[a-z0-9_]+\.h"|<(assert|ctype|errno|inttypes|limits|stdarg|stdbool|stddef|stdint|stdio|string|lz4)\.h>' || true
includes cql | grep -E '"(postgres|postgres_ext|fmgr|c|miscadmin|compat)\.h"' || true

# paths start at src, so that the folder is seen
includes . | grep -F '"../' || true
