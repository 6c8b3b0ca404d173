#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds ouro-server if needed and becomes it:
#   server/run.sh [--build-only] [arguments of ouro-server]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/.ci/packages.sh"

build_only=
if [ "${1-}" = --build-only ]; then
  build_only=yes
  shift
fi
need_packages "${build_packages[@]}"
# A build folder that another script made keeps what that one needs.
CMAKE_MORE=()
[ -e "$root/build/release/CMakeCache.txt" ] || CMAKE_MORE=(-DOURO_TESTS=OFF -DOURO_BENCH=OFF)
build_preset "$root" release ouro-server
[ -z "$build_only" ] || exit 0
exec "$root/build/release/ouro-server" "$@"
