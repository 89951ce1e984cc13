#!/usr/bin/env bash
# ./dev build: the release build.
. tools/dev/common.sh

targets=()
for argument; do
  case "$argument" in
    -h | --help)
      cat <<'TEXT'
usage: ./dev build [TARGET...]

Builds everything (or the named ninja targets) in build/, optimised, with ccache and mold; warnings are errors. The
binary is build/millrace.
TEXT
      exit 0 ;;
    -*) no_more_arguments "$argument" ;;
    *) targets+=("$argument") ;;
  esac
done

bash tools/dev/setup.sh --quiet
build_release "${targets[@]}"
