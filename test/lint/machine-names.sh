#!/usr/bin/env bash
# No folder of one machine and no host of a package registry in the project: they are read from
# the machine's own configuration at run time, or the user's mirror is not used.
#
# To fix: paths start at the project's top, at a mktemp folder or at a documented system folder;
# packages are named to apt, npm or pip without saying where they come from.
set -euo pipefail
. scripts/lib.sh

# The hosts that this machine installs packages from, one a line.
registry_hosts() {
	{
		# shellcheck disable=SC2016 # apt's own variable
		apt-get indextargets --format '$(SITE)' 'Created-By: Packages' || true
		printf '%s\n' "${PIP_INDEX_URL:-}" "${npm_config_registry:-}"
	} 2>/dev/null | sed -nE 's#^[a-z+]+://([^/@]*@)?([^/:]+\.[^/:]+).*#\2#p' | sort -u
}

folders='(^|[^A-Za-z0-9_.})$~-])/(work|farm|home|root|Users)(/|$|[^A-Za-z0-9_-])'
known='(pypi|npmjs|crates|rubygems|maven\.apache|(deb|security|snapshot)\.debian|proxy\.golang)\.(org|io|com)'

list_tree . | xargs -0r grep -nIE "$folders" || true
list_tree . | xargs -0r grep -nIE "$known" || true
hosts=$(registry_hosts)
[[ -z $hosts ]] || list_tree . | xargs -0r grep -nIF "$hosts" || true
