#!/usr/bin/env bash
# Differences between PostgreSQL versions live in src/compat.h alone.
#
# To fix: give the newest version's interface a wrapper in src/compat.h, under its own name or a
# btm_ one, with the reason beside it, and call that.
set -euo pipefail
[[ ! -d src ]] || grep -rnE 'PG_VERSION_NUM|PG_MAJORVERSION' --include='*.[ch]' src | grep -v '^src/compat\.h:' || true
