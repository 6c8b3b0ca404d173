#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Measures ouro-server beside redis-server and memcached on this machine, in one sitting:
#   bench/run.sh [--only=speed|latency|memory|large|snapshot|durability|replication|promises|protect|mariadb] [--quick]
#                [--rounds=N] [--tests=GET,SET,...] [--server=PROGRAM] [--rival=PROGRAM] [--memcached=PROGRAM] [--rate=N]
# Tables, CSV and SVG plots go to build/bench/. --quick takes about eight minutes.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/.ci/packages.sh"
need_packages "${build_packages[@]}" redis-server redis-tools memcached libbenchmark-dev python3
CMAKE_MORE=(-DOURO_BENCH=ON)
[ -e "$root/build/release/CMakeCache.txt" ] || CMAKE_MORE+=(-DOURO_TESTS=OFF)
build_preset "$root" release ouro-server ouro_load embed_bench
case ${1-} in
  --only=promises) program=bench/promises.py ;;
  --only=protect) program=bench/protect/protect.py ;;
  --only=mariadb)
    need_packages mariadb-server-core mariadb-client-core python3-pymysql python3-redis
    exec /usr/bin/python3 "$root/bench/protect/mariadb.py" "${@:2}"
    ;;
  *) exec python3 "$root/bench/compare.py" "$@" ;;
esac
exec python3 "$root/$program" "${@:2}"
