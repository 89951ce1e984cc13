#!/usr/bin/env bash
# ./dev bench: benchmarks, always beside the native tool in the same run.
. tools/dev/common.sh

known() { (cd bench && ls -d *.py *.sh 2> /dev/null | sed 's/\.[a-z]*$//'; sed -n "s/^ *executable('\([a-z_]*\)_bench'.*/\1/p" meson.build) | sort -u; }
usage() {
  cat <<TEXT
usage: ./dev bench NAME [options of the benchmark]

Builds and runs a benchmark. Each one measures the native tool in the same run and prints the ratio.
Benchmarks here: $(known | tr '\n' ' ')
TEXT
}
case "${1:-}" in
  -h | --help) usage; exit 0 ;;
  '') usage >&2; exit 2 ;;
esac
name=$1
shift
known | grep -qx -- "$name" || { usage >&2; exit 2; }

bash tools/dev/setup.sh --quiet
build_release
if [ -f "bench/$name.py" ]; then run python3 -B "bench/$name.py" "$@"
elif [ -f "bench/$name.sh" ]; then run bash "bench/$name.sh" "$@"
else run "build/bench/${name}_bench" "$@"; fi
