#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs the in-process library into a folder of its own, builds the examples against it, with CMake's find_package and
# with pkg-config, runs them and compares what they print:
#   tests/compat/install_test.sh BUILD      where the target `ouro` has been built
set -uo pipefail
build=$(cd "$1" && pwd)
examples=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../server/embed/examples" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# check NAME COMMAND...: the command must succeed; its output is shown if it does not.
check() {
  local name=$1
  shift
  if "$@" >"$work/log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "failed: $name"
    cat "$work/log"
  fi
}

expected_of() {
  case $1 in
    cache_aside) printf 'Ada Lovelace\nAda Lovelace\nAda Lovelace\n12 bytes\nada visited 3 times, 1 query\n' ;;
    threaded) echo 'served 8, rendered 1' ;;
    hello)
      printf 'greeting: hello\ncount: 42\nnew tags: 2\n'
      echo "error: ERR wrong number of arguments for 'incrby' command"
      ;;
  esac
}

prints_what_it_should() {
  diff <(expected_of "$(basename "$1")") <("$1")
}

# The installed headers name nothing but the standard library.
only_standard_includes() {
  ! grep -hE '^#\s*include' "$work"/prefix/include/*.h | grep -vE '<(std[a-z]+\.h|[a-z_]+)>'
}

# Flags of the library's own allocator would be the host's: none may come with it.
needs_no_allocator() {
  ! nm "$libdir/libouro.a" 2>/dev/null | grep -E ' [TU] mi_(malloc|free)'
}

with_cmake() {
  cmake -S "$examples" -B "$work/cmake" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" && ninja -C "$work/cmake"
}

with_pkg_config() {
  local flags libs strict="-Wall -Wextra -Werror"
  flags=$(pkg-config --cflags ouro) && libs=$(pkg-config --libs ouro) || return 1
  mkdir -p "$work/plain"
  # shellcheck disable=SC2086
  c++ -std=c++20 $strict $flags "$examples/cache_aside.cpp" -o "$work/plain/cache_aside" $libs &&
    c++ -std=c++20 $strict $flags "$examples/threaded.cpp" -o "$work/plain/threaded" $libs &&
    cc -std=c99 -Wpedantic $strict $flags "$examples/hello.c" -o "$work/plain/hello" $libs
}

check "install" cmake --install "$build" --prefix "$work/prefix" --component library
libdir=$(dirname "$(find "$work/prefix" -name libouro.a)")
export PKG_CONFIG_PATH=$libdir/pkgconfig
check "standard includes" only_standard_includes
check "the host's allocator" needs_no_allocator
check "build with find_package" with_cmake
check "build with pkg-config" with_pkg_config
for name in cache_aside threaded hello; do
  check "cmake/$name" prints_what_it_should "$work/cmake/$name"
  check "pkg-config/$name" prints_what_it_should "$work/plain/$name"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
