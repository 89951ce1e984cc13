#!/usr/bin/env bash
# ./dev demo: the whole of a sync on real data.
. tools/dev/common.sh

for argument; do
  case "$argument" in
    -h | --help)
      cat <<'TEXT'
usage: ./dev demo [--keep] [--rows N]

Sets up, builds, and shows the main job on real data: the Debian package index of this machine becomes a PostgreSQL
database; Millrace copies it to another one; a second, larger sync is interrupted with kill -9 and goes on where it
stopped; both sides are compared row by row. Both PostgreSQL clusters are throw-away ones on free ports.

  --keep     leave all of it running at the end, and say how to look round and how to stop it
  --rows N   rows of the large table (default 4,000,000)
TEXT
      exit 0 ;;
    *) break ;;
  esac
done

bash tools/dev/setup.sh --quiet
build_release
# The index of the machine is the data; a fresh container has none.
if [ "$(apt-cache dumpavail 2> /dev/null | grep -c '^Package:')" -lt 10000 ]; then
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  say "fetching the package index, which is the data of the demo"
  run "${as_root[@]}" apt-get -q update
fi
exec python3 -B demo/demo.py "$@"
