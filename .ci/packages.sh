# SPDX-License-Identifier: BSD-3-Clause
# Sourced by server/run.sh, tests/run.sh, bench/run.sh and .ci/run: what must be installed, and how to build.
# shellcheck shell=bash

build_packages=(build-essential cmake ninja-build pkg-config ccache liburing-dev libmimalloc-dev libssl-dev
                libxxhash-dev liblzf-dev libluajit-5.1-dev lua-cjson-dev libbsd-dev)
test_packages=(libgtest-dev libgmock-dev libbenchmark-dev libhiredis-dev redis-server redis-tools
               python3 python3-redis python3-hiredis clang-format clang-tidy tcl
               python3-rq python3-celery python3-django-redis ruby-sidekiq php-cli php-redis prometheus-redis-exporter)

# need_packages NAME...: installs those Debian packages that are missing. Nodejs and npm are asked for as programs,
# since they often come from elsewhere.
need_packages() {
  local missing=() name
  for name in "$@"; do
    case $name in
      nodejs) command -v node >/dev/null || missing+=("$name") ;;
      npm) command -v npm >/dev/null || missing+=("$name") ;;
      *) dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q ' installed$' || missing+=("$name") ;;
    esac
  done
  [ ${#missing[@]} = 0 ] && return 0
  command -v apt-get >/dev/null || { echo "please install: ${missing[*]}" >&2; return 1; }
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  echo "installing ${missing[*]}" >&2
  # redis-server would start a service of its own; the tests start theirs on free ports.
  local policy=/usr/sbin/policy-rc.d made_policy=
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
    "${as_root[@]}" chmod +x $policy
    made_policy=yes
  fi
  local rc=0
  { "${as_root[@]}" apt-get update -q &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}"; } >&2 || rc=$?
  [ -z "$made_policy" ] || "${as_root[@]}" rm -f $policy
  return $rc
}

# build_preset ROOT PRESET [TARGET...]: configures and builds; says nothing but warnings, errors and the time, on
# standard error. CMAKE_MORE holds further arguments for the configuring run.
build_preset() {
  local root=$1 preset=$2 started=$SECONDS
  shift 2
  (cd "$root" && cmake --preset "$preset" ${CMAKE_MORE[@]+"${CMAKE_MORE[@]}"} >"/tmp/ouro-cmake.$$" 2>&1) || {
    cat "/tmp/ouro-cmake.$$" >&2
    rm -f "/tmp/ouro-cmake.$$"
    return 1
  }
  rm -f "/tmp/ouro-cmake.$$"
  ninja --quiet -C "$root/build/$preset" "$@" >&2 || return 1
  echo "built $preset in $((SECONDS - started)) s" >&2
}
