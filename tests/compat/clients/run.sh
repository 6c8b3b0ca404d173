#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Starts a server on a free port and runs one client's script against it:
#   run.sh SCRIPT BUILD_FOLDER [SERVER]         SERVER: ouro-server of the build folder, or another program to compare with
# The script gets the port as its last argument and ends with `N passed, N failed`.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
script=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
build=$(cd "$2" && pwd)
server=${3:-$build/ouro-server}

case $script in
  *.py) command=(/usr/bin/python3 "$script") ;;
  *.rb) command=(/usr/bin/ruby "$script") ;;
  *.php) command=(/usr/bin/php "$script") ;;
  *.mjs)
    # The libraries go to a build folder, never into the tree; node looks for them above the script's own place.
    modules=$root/build/node
    mkdir -p "$modules"
    cp "$here/package.json" "$modules/"
    if ! cmp -s "$here/package.json" "$modules/.installed"; then
      (cd "$modules" && npm install --no-audit --no-fund --loglevel=error) >&2 || { echo "0 passed, 1 failed"; exit 1; }
      cp "$here/package.json" "$modules/.installed"
    fi
    cp "$here"/*.mjs "$modules/"
    [ "$(dirname "$script")" = "$here" ] || cp "$script" "$modules/"
    command=(node "$modules/$(basename "$script")")
    ;;
  *.cc)
    mkdir -p "$build/clients"
    program=$build/clients/$(basename "$script" .cc)
    g++ -std=c++20 -O1 -Wall -Wextra -Werror "$script" -o "$program" -lhiredis || { echo "0 passed, 1 failed"; exit 1; }
    command=("$program")
    ;;
esac
exec python3 "$here/../with_server.py" --server "$server" -- "${command[@]}"
