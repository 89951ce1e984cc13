#!/bin/sh
# What the command line does without a server: exit codes, completion, help. $1: the binary.
set -u
bin=$1
failures=0
cases=0
expect() { # code words...
  want=$1; shift
  cases=$((cases + 1))
  out=$(env -i PATH="$PATH" HOME=/nonexistent MILLRACE_SERVER=http://127.0.0.1:1 "$bin" "$@" 2>&1 < /dev/null)
  got=$?
  [ "$got" = "$want" ] && return
  failures=$((failures + 1))
  echo "FAIL: millrace $*: exit $got, not $want: $out"
}
expect 0 version
expect 0 version -o json
expect 0 --help
expect 0 sync --help
expect 0 completion bash
expect 0 completion zsh
expect 0 completion fish
expect 2
expect 2 nonsense
expect 2 sync
expect 2 get no-such-kind
expect 2 job x
expect 2 jobs -o nonsense
expect 2 jobs --limit 0
expect 2 replay 1 --mode sideways
expect 2 server --no-auth --listen 0.0.0.0:0 --data-dir /nonexistent/x
expect 2 server --tls-cert x --data-dir /nonexistent/x
expect 2 server --config /nonexistent
expect 2 copy nonsense:x postgres://x/y --state-dir /tmp/millrace-none
expect 1 validate -f /nonexistent
expect 1 get sources
expect 1 plan -f /nonexistent --detailed-exitcode
"$bin" completion bash > /tmp/millrace-completion-$$ && bash -n /tmp/millrace-completion-$$ || failures=$((failures + 1))
rm -rf /tmp/millrace-completion-$$ /tmp/millrace-none
echo "$cases cases, $failures failures"
[ "$failures" = 0 ]
