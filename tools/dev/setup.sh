#!/usr/bin/env bash
# ./dev setup: the Debian packages of tools/packages.txt.
. tools/dev/common.sh

extra=no quiet=no
for argument; do
  case "$argument" in
    -h | --help)
      cat <<'TEXT'
usage: ./dev setup [--extra] [--list]

Installs the Debian packages of tools/packages.txt that are missing, as root or through sudo. Nothing else on the
machine is changed. When all is there, it takes a fraction of a second.

  --extra   also what only ./dev lint, ./dev fmt and ./dev test --all need (clang 19)
  --list    print the packages and why each is needed, and do nothing
TEXT
      exit 0 ;;
    --extra) extra=yes ;;
    --list) grep -v '^#' tools/packages.txt; exit 0 ;;
    --quiet) quiet=yes ;;  # for the other commands: silent when there is nothing to do
    *) no_more_arguments "$argument" ;;
  esac
done

command -v apt-get > /dev/null || fail "this needs Debian 12 (apt-get is missing)"
mapfile -t wanted < <(awk -v extra=$extra '/^(core|extra)[ \t]/ && ($1 == "core" || extra == "yes") {print $2}' tools/packages.txt)
missing=()
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2> /dev/null || true)
for package in "${wanted[@]}"; do
  # A node from elsewhere brings npm along and does not go with Debian's package of it.
  [ "$package" != npm ] || ! command -v npm > /dev/null || continue
  [ "$package" != nodejs ] || ! command -v node > /dev/null || continue
  grep -qx "$package installed" <<< "$installed" || missing+=("$package")
done

if [ ${#missing[@]} -eq 0 ]; then
  [ $quiet = yes ] || say "all ${#wanted[@]} packages are installed"
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo > /dev/null || fail "packages are missing (${missing[*]}): run ./dev setup as root, or install sudo"
  as_root=(sudo)
fi
say "installing ${#missing[@]} packages: ${missing[*]}"
run "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update
run "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"
say "set up"
