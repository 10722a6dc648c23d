#!/usr/bin/env bash
# Writes the balancer's configuration from the peers: this node's own API server first, if it has one,
# all others as backups. A running balancer is left alone when nothing changed.
set -euo pipefail
LIB="${EXK8S_ROOT:-}/usr/local/lib/exk8s"
. "${LIB}/common.sh"
exk8s_load_environment

TARGET="${EXK8S_RUNTIME}/haproxy.cfg"
NEXT="${TARGET}.next"

{
    cat "${EXK8S_CONFIG}/haproxy.cfg"
    jq -r --arg own "${NODE_NAME}" '
        [.[] | select(.role == "control-plane")]
        | (any(.name == $own)) as $serves
        | sort_by(.name != $own, .name)[]
        | "    server \(.name) "
          + (if .name == $own then "127.0.0.1" else .address end) + ":6443"
          + (if $serves and .name != $own then " backup" else "" end)' "${EXK8S_RUNTIME}/peers.json"
} >"${NEXT}"

if cmp -s "${NEXT}" "${TARGET}"; then
    rm -f "${NEXT}"
    systemctl start exk8s-balancer
else
    haproxy -c -q -f "${NEXT}" || exk8s_die "haproxy refuses ${NEXT}; the former configuration stays"
    mv -f "${NEXT}" "${TARGET}"
    systemctl reload-or-restart exk8s-balancer
fi
