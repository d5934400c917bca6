#!/usr/bin/env bash
# A Ray cluster without containers, closed to everybody who has no token. On the first machine, then on every other one:
#
#   docker/ray-start.sh head                       # prints what to do on the others
#   docker/ray-start.sh worker ADDRESS:6379        # after copying the token file, with its mode
#
# Further arguments go to `ray start`, such as --num-gpus=8. The dashboard, which takes jobs, listens on loopback: reach it
# through `ssh -L 8265:127.0.0.1:8265 HEAD`. It stays in the foreground; Ctrl-C ends this node.
set -euo pipefail

usage() {
    echo "usage: docker/ray-start.sh head [ARGUMENT...] | worker ADDRESS [ARGUMENT...]" >&2
    exit 2
}

token=${RAY_AUTH_TOKEN_PATH:-$HOME/.ray/auth_token}
role=${1:-}
[ "$role" = head ] || [ "$role" = worker ] || usage
shift

umask 077
export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0
if [ "$role" = worker ]; then
    [ $# -gt 0 ] || usage
    address=$1
    shift
    [ -n "${RAY_AUTH_TOKEN:-}" ] || [ -s "$token" ] || {
        echo "error: $token is missing: copy it from the head" >&2
        exit 1
    }
    exec ray start --block --address "$address" --disable-usage-stats "$@"
fi
if [ -z "${RAY_AUTH_TOKEN:-}" ] && [ ! -s "$token" ]; then
    mkdir -p "$(dirname "$token")"
    head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$token"
fi
echo "on every other machine: copy $token there (mode 0600), then docker/ray-start.sh worker $(hostname -i | cut -d' ' -f1):6379"
exec ray start --block --head --port 6379 --dashboard-host 127.0.0.1 --disable-usage-stats "$@"
