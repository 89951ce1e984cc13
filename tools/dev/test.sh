#!/usr/bin/env bash
# ./dev test: every test. The last line is "N passed, N failed, N skipped".
. tools/dev/common.sh

all=no rounds=3 only=
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help)
      cat <<'TEXT'
usage: ./dev test [--all] [--crash-rounds N] [--unit | --python GLOB]

Sets up, builds the release binary and runs every test: one program a room, the black-box tests, a few rounds of the
crash test. PostgreSQL clusters are throw-away ones that the tests start themselves. The last line is
"N passed, N failed, N skipped"; the exit code is 0 only if none failed.

  --all              adds what is long: 10,000 simulated seeds, ASan and UBSan, TSan, clang, 25 crash rounds, 300 power cuts, fuzzing, lint
  --crash-rounds N   rounds of each crash test (default 3; 25 with --all)
  --unit             only the programs of the rooms
  --python GLOB      only these Python modules, such as 'e2e/test_*.py'
TEXT
      exit 0 ;;
    --all) all=yes rounds=25 ;;
    --crash-rounds) rounds=${2:?--crash-rounds needs a number}; shift ;;
    --unit) only=unit ;;
    --python) only=${2:?--python needs a pattern}; shift ;;
    *) no_more_arguments "$1" ;;
  esac
  shift
done

started=$(date +%s)
counts=$(mktemp)
trap 'rm -f "$counts"' EXIT
# Failed tests are counted, and are no error here; a runner that dies is one more failure.
tests() {
  python3 -B tools/run_tests.py --counts "$counts" "$@" ||
    python3 -B tools/run_tests.py --counts "$counts" --failed "the runner of: $*"
}
finish() {
  say "tests took $(($(date +%s) - started)) s"
  python3 -B tools/run_tests.py --counts "$counts" --total
}

if [ $all = yes ]; then bash tools/dev/setup.sh --quiet --extra; else bash tools/dev/setup.sh --quiet; fi

# A build that fails is one failure, and whatever doesn't need it still runs.
build_or_count() {
  local name=$1
  shift
  build_in "$@" || { tests --failed "build of $name"; return 1; }
}

cuts=30 finished_jobs=300 seeds=1000
[ $all = no ] || cuts=300 finished_jobs=10000 seeds=10000
if build_or_count build build g++ --; then
  if [ -z "$only" ] || [ "$only" = unit ]; then
    say "programs of the rooms ($cuts power cuts, $seeds simulated seeds)"
    tests --build build --env MILLRACE_POWER_CUTS=$cuts --env MILLRACE_SIM_SEEDS=$seeds
  fi
  if [ -z "$only" ]; then
    say "tools, helpers and black-box tests"
    tests --python 'support/test_*.py' 'tools/test_*.py' 'e2e/test_*.py' --env MILLRACE_FINISHED_JOBS=$finished_jobs
    say "crash tests, $rounds rounds each"
    # One after the other: their kills are timed, and a busy machine would move them.
    tests --python 'crash/test_*.py' --jobs 1 --env MILLRACE_CRASH_ROUNDS=$rounds --timeout 5400 --verbose
  elif [ "$only" != unit ]; then
    tests --python "$only" --env MILLRACE_CRASH_ROUNDS=$rounds --timeout 5400 --verbose
  fi
fi

if [ $all = yes ]; then
  debug=(-Doptimization=1 -Ddebug=true -Db_lundef=false)
  say "address and undefined-behaviour sanitizers"
  if build_or_count build-asan build-asan g++ "${debug[@]}" -Db_sanitize=address,undefined --; then
    tests --build build-asan --label asan: --timeout-scale 6 --env MILLRACE_POWER_CUTS=10 --env MILLRACE_SIM_SEEDS=200 \
      --env ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 --env UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  fi
  say "thread sanitizer"
  # Asio's fences are no news, and nothing that g++ could mend: -Wtsan would only stop the build.
  if build_or_count build-tsan build-tsan g++ "${debug[@]}" -Db_sanitize=thread -Dcpp_args=-Wno-tsan --; then
    # Debian's RocksDB is not instrumented; without this its inner locking looks like races.
    tests --build build-tsan --label tsan: --timeout-scale 10 --env MILLRACE_POWER_CUTS=5 --env MILLRACE_SIM_SEEDS=100 \
      --env TSAN_OPTIONS=ignore_noninstrumented_modules=1:halt_on_error=1:second_deadlock_stack=1
  fi
  say "clang"
  if build_or_count build-clang build-clang clang++-19 --; then
    tests --build build-clang --label clang: --env MILLRACE_POWER_CUTS=30 --env MILLRACE_SIM_SEEDS=1000
  fi
  say "fuzzing"
  # Every target that there is: tests/<room>/fuzz_<what>.
  mapfile -t targets < <(grep -o "executable('fuzz_[a-z_]*'" tests/*/meson.build | sed "s|/meson.build:executable('|/|; s|'$||")
  if build_or_count build-fuzz build-fuzz clang++-19 -Dfuzz=true -Doptimization=1 -Ddebug=true -Db_lundef=false -- "${targets[@]}"; then
    tests --build build-fuzz --only '^fuzz' --label fuzz: --timeout-scale 4
  fi
  say "lint"
  bash tools/dev/lint.sh || tests --failed lint
fi
finish
