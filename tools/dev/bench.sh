#!/usr/bin/env bash
# ./dev bench: benchmarks, always beside the native tool in the same run.
. tools/dev/common.sh

known() { sed -n "s/.*executable('bench_\([a-z_]*\)'.*/\1/p" bench/*/meson.build | sort -u; }
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

folder=$(dirname "$(grep -l "executable('bench_$name'" bench/*/meson.build)")
bash tools/dev/setup.sh --quiet
build_release "$folder/bench_$name" millrace
run "build/$folder/bench_$name" "$@"
