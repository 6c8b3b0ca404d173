#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Measures ouro-server beside redis-server on this machine, in one sitting:
#   bench/run.sh [--only=speed|memory|large|promises] [--quick] [--rounds=N] [--tests=GET,SET,...] [--server=PROGRAM]
#                [--rival=PROGRAM]
# Tables, CSV and SVG plots go to build/bench/. --quick takes less than three minutes.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/.ci/packages.sh"
need_packages "${build_packages[@]}" redis-server redis-tools python3
CMAKE_MORE=()
[ -e "$root/build/release/CMakeCache.txt" ] || CMAKE_MORE=(-DOURO_TESTS=OFF -DOURO_BENCH=OFF)
build_preset "$root" release ouro-server
if [ "${1-}" = --only=promises ]; then
  shift
  exec python3 "$root/bench/promises.py" "$@"
fi
exec python3 "$root/bench/compare.py" "$@"
