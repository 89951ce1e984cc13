#!/usr/bin/env bash
# ./dev sim: the engine in one thread from one seed, with faults.
. tools/dev/common.sh

case "${1:-}" in
  -h | --help)
    cat <<'TEXT'
usage: ./dev sim [--seeds N] [--seed S] [--verbose] [--jobs J] [--first]
       ./dev sim --all
       ./dev sim --faults [--seeds N] [NAME...]

Builds and runs the simulation (tests/sim/README.md): the whole engine in one thread, on virtual time, over a store that
crashes, one simulation a seed. A seed that fails is printed with what was found, its faults and the command that shows
it again. The exit code is 0 only if nothing was found.

  --seeds N    so many (default 1000), from --seed S on (default 1)
  --all        10,000 seeds
  --verbose    the engine's log and the last histories; for one seed
  --first      stop at the first failure
  --faults     applies each patch of tests/sim/faults to a scratch copy and says which invariant finds it, if one does
TEXT
    exit 0 ;;
  --faults)
    shift
    bash tools/dev/setup.sh --quiet
    exec python3 -B tools/plant_faults.py "$@" ;;
  --all)
    shift
    set -- --seeds 10000 "$@" ;;
esac

bash tools/dev/setup.sh --quiet
build_release tests/sim/sim
say "revision $(git rev-parse --short HEAD 2>/dev/null || echo unknown)$(git diff --quiet HEAD 2>/dev/null || echo ' with changes')"
run build/tests/sim/sim --jobs "$(jobs)" "$@"
