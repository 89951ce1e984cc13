#!/usr/bin/env bash
# ./dev fmt: the layout of the code.
. tools/dev/common.sh

for argument; do
  case "$argument" in
    -h | --help)
      cat <<'TEXT'
usage: ./dev fmt

Lays out all C++ files with clang-format 19 and the rules of .clang-format.
TEXT
      exit 0 ;;
    *) no_more_arguments "$argument" ;;
  esac
done

command -v clang-format-19 > /dev/null || bash tools/dev/setup.sh --extra
git ls-files -z '*.cc' '*.h' | xargs -0 clang-format-19 -i
say "laid out $(git ls-files '*.cc' '*.h' | wc -l) files; changed now: $(git diff --name-only -- '*.cc' '*.h' | wc -l)"
