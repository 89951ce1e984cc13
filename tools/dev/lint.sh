#!/usr/bin/env bash
# ./dev lint: everything that can be said about the code without running it.
. tools/dev/common.sh

since='' tidy=yes
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help)
      cat <<'TEXT'
usage: ./dev lint [--changed [COMMIT]] [--fast]

Checks the layout (clang-format 19), the walls between the rooms, the documentation (each error code has a page, links
lead somewhere, packages are explained) and runs clang-tidy 19 over all files (half a minute each on the large ones).

  --changed [COMMIT]   clang-tidy only on files changed since COMMIT (default HEAD~1) or not committed
  --fast               without clang-tidy
TEXT
      exit 0 ;;
    --changed)
      since=HEAD~1
      if [ $# -gt 1 ] && [ "${2#-}" = "$2" ]; then since=$2; shift; fi ;;
    --fast) tidy=no ;;
    *) no_more_arguments "$1" ;;
  esac
  shift
done

bash tools/dev/setup.sh --quiet --extra
wrong=0
check() {
  local what=$1
  shift
  say "$what"
  "$@" || { printf '  failed: %s\n' "$what"; wrong=$((wrong + 1)); }
}
layout() { git ls-files -z '*.cc' '*.h' | xargs -0 clang-format-19 --dry-run -Werror; }
scripts() {
  local file
  for file in dev .ci/run tools/dev/*.sh; do bash -n "$file" || return 1; done
  git ls-files -z '*.py' tools/rooms | xargs -0 python3 -c '
import ast, sys
for name in sys.argv[1:]:
    ast.parse(open(name, encoding="utf-8").read(), name)'
}

check 'layout: clang-format' layout
check 'walls between rooms' tools/rooms
check 'documentation' python3 -B tools/check_docs.py
types() { [ -d ui/node_modules ] || (cd ui && npm ci --ignore-scripts --no-audit --no-fund); (cd ui && npm run --silent check); }

check 'scripts parse' scripts
check 'web UI: types' types

if [ $tidy = yes ]; then
  if [ -n "$since" ]; then
    mapfile -t files < <({ git diff --name-only --diff-filter=d "$since" -- '*.cc'; git ls-files --others --exclude-standard '*.cc'; } | sort -u)
  else
    mapfile -t files < <(git ls-files '*.cc')
  fi
  # A build of its own with clang: its flags are what clang-tidy reads. Nothing is compiled.
  if [ ! -f build-tidy/build.ninja ]; then
    CXX=clang++-19 meson setup build-tidy -Db_pch=false > build-tidy.log 2>&1 || { cat build-tidy.log; fail "meson setup failed"; }
    rm -f build-tidy.log
  else
    meson setup --reconfigure build-tidy > /dev/null
  fi
  if [ ${#files[@]} -gt 0 ]; then
    check "clang-tidy on ${#files[@]} files" bash -c \
      'printf "%s\0" "$@" | xargs -0 -n 1 -P "$(nproc)" clang-tidy-19 -p build-tidy --quiet 2> /dev/null' tidy "${files[@]}"
  fi
fi

[ $wrong -eq 0 ] || fail "$wrong checks failed"
say "lint: all well"
