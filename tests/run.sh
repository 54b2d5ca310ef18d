#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. ctest's summary comes last.
set -euo pipefail
cd "$(dirname "$0")/.."
packages="gcc make cmake pkg-config libgit2-dev libyaml-dev libsqlite3-dev liblua5.4-dev libssl-dev libxxhash-dev libjansson-dev libutf8proc-dev libcmocka-dev dataset-fashion-mnist"
missing=""
for package in $packages; do
	dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
	as_root=""
	[ "$(id -u)" = 0 ] || as_root=sudo
	$as_root apt-get -o DPkg::Lock::Timeout=500 update -qq
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive $as_root apt-get -o DPkg::Lock::Timeout=500 install -y -qq --no-install-recommends $missing
fi
build=${BUILD_DIR:-build-tests}
cmake -S . -B "$build" -DFLOW_WERROR=ON >/dev/null
cmake --build "$build" -j "$(nproc)"
ctest --test-dir "$build" --output-on-failure -j "$(nproc)"
