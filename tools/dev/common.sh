# Sourced by the commands of ./dev, which run in the repository's root.
set -euo pipefail

# ccache takes a precompiled header only with this.
export CCACHE_SLOPPINESS=pch_defines,time_macros

# Tests and demo must not be led to somebody's database.
unset PGHOST PGHOSTADDR PGPORT PGUSER PGPASSWORD PGDATABASE PGSERVICE PGOPTIONS PGSSLMODE

say() { printf '==> %s\n' "$*"; }
fail() { printf './dev: %s\n' "$*" >&2; exit 1; }

# Prints a command, then runs it.
run() {
  printf '  $ %s\n' "$*"
  "$@"
}

# Refuses what a command does not know.
no_more_arguments() {
  [ $# -eq 0 ] || { printf './dev: unknown argument "%s"; see --help\n' "$1" >&2; exit 2; }
}

jobs() { nproc; }

# Configures a build directory if it isn't, and builds the targets. Its status is that of the build, also where a caller
# looks at it (bash forgets `set -e` there).
#   build_in DIR COMPILER MESON-OPTIONS... -- TARGETS...
build_in() {
  local dir=$1 compiler=$2 start options=() log
  shift 2
  while [ "${1:---}" != -- ]; do options+=("$1"); shift; done
  [ $# -eq 0 ] || shift
  start=$(date +%s)
  if [ ! -f "$dir/build.ninja" ]; then
    rm -rf "$dir"
    say "configuring $dir"
    log=$(mktemp)
    if ! CXX="ccache $compiler" CXX_LD=mold run meson setup "$dir" "${options[@]}" > "$log"; then
      cat "$log"
      rm -f "$log"
      printf './dev: meson setup of %s failed\n' "$dir" >&2
      return 1
    fi
    rm -f "$log"
  fi
  say "building $dir"
  run ninja -C "$dir" "$@" || { printf './dev: the build of %s failed\n' "$dir" >&2; return 1; }
  say "built $dir in $(($(date +%s) - start)) s"
}

build_release() { build_in build g++ -- "$@" || exit 1; }
