#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs clang-tidy over the product's sources: clang_tidy.sh BUILD_FOLDER [FILE...]. Each file is one count.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$1
shift
files=("$@")
[ ${#files[@]} -gt 0 ] || mapfile -t files < <(cd "$root" && git ls-files 'datastructs/*.cc' 'persistence/*.cc' \
  'replication/*.cc' 'cluster/*.cc' 'server/*.cc' | grep -v /examples/)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cd "$root" || exit 1
# The compile commands are gcc's; clang need not know all of its warning flags.
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -I{} sh -c \
  'name=$(echo "$3" | tr / _)
   clang-tidy --quiet -p "$1" --extra-arg=-Wno-unknown-warning-option "$3" >"$2/$name.out" 2>/dev/null ||
     touch "$2/$name.failed"' \
  sh "$build" "$out" {}
cat "$out"/*.out | grep -E "(warning|error):" | sort -u
failed=$(find "$out" -name '*.failed' | wc -l)
echo "$((${#files[@]} - failed)) passed, $failed failed"
[ "$failed" = 0 ]
