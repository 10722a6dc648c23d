# shellcheck shell=bash
# Leases of the bootstrap server: what only one node of the cluster may do at a time. To be sourced
# after common.sh.

EXK8S_LEASE_TTL="${EXK8S_LEASE_TTL:-60}"

# exk8s_lease_take NAME: takes or renews the lease; fails while another node holds it.
exk8s_lease_take() {
    exk8s_agent_curl PUT "/agent/leases/$1" --fail --header "Content-Type: application/json" \
        --data "{\"ttl_seconds\": ${EXK8S_LEASE_TTL}}" | jq -e '.granted' >/dev/null
}

# exk8s_lease_hold NAME SECONDS: waits for the lease and renews it until exk8s_lease_release or the
# end of the calling script. The renewing process ends with the script even when that is killed, so
# that the lease passes on.
exk8s_lease_hold() {
    local name="$1" owner="$$"
    # What another node holds it for takes long, and every try is a call of the server.
    EXK8S_POLL="${EXK8S_POLL:-2}" exk8s_until "$2" "the lease ${name}" exk8s_lease_take "${name}"
    (
        while sleep "$((EXK8S_LEASE_TTL / 3))" && kill -0 "${owner}" 2>/dev/null; do
            exk8s_lease_take "${name}" || exk8s_log "could not renew the lease ${name}"
        done
    ) >/dev/null 2>&1 &
    EXK8S_LEASE_RENEWER=$!
    EXK8S_LEASE_NAME="${name}"
    trap exk8s_lease_release EXIT
}

exk8s_lease_release() {
    trap - EXIT
    kill "${EXK8S_LEASE_RENEWER}" 2>/dev/null || true
    exk8s_agent_curl DELETE "/agent/leases/${EXK8S_LEASE_NAME}" --output /dev/null || true
}
