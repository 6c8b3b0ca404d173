#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs what is missing, builds, and runs every test:
#   tests/run.sh [--full] [--seed=N] [--preset=release|debug|sanitize] [--only=WORD]
# --full takes longer runs and clang-tidy (which CI has, too); --only takes the steps whose name has WORD in it.
# The last line is `N passed, N failed`; the exit code is 0 only if nothing failed.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/.ci/packages.sh"

preset=release
for argument in "$@"; do
  case $argument in
    --preset=*) preset=${argument#--preset=} ;;
    --full | --seed=* | --only=*) ;;
    *) sed -n '3,7s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  esac
done

give_up() {
  echo "$1"
  echo "0 passed, 1 failed"
  exit 1
}
need_packages "${build_packages[@]}" "${test_packages[@]}" nodejs npm || give_up "packages are missing"
CMAKE_MORE=(-DOURO_TESTS=ON)
# Said each time: another script may have made the build folder. The sanitizers' build is without benchmarks.
[ "$preset" = sanitize ] || CMAKE_MORE+=(-DOURO_BENCH=ON)
build_preset "$root" "$preset" || give_up "the build failed"
exec python3 "$root/tests/suite.py" "$@"
