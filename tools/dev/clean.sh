#!/usr/bin/env bash
# ./dev clean: removes what the other commands made.
. tools/dev/common.sh

cache=no
for argument; do
  case "$argument" in
    -h | --help)
      cat <<'TEXT'
usage: ./dev clean [--cache]

Removes the build directories, the web UI's packages and Python's caches. Packages stay; so does ccache's cache, unless --cache is given.
TEXT
      exit 0 ;;
    --cache) cache=yes ;;
    *) no_more_arguments "$argument" ;;
  esac
done

for dir in build build-asan build-tsan build-clang build-fuzz build-tidy; do
  [ ! -e "$dir" ] || run rm -rf "$dir"
done
rm -rf ui/node_modules
find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
[ $cache = no ] || run ccache --clear
say "clean"
