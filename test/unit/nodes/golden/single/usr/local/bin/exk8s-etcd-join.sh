#!/usr/bin/env bash
# Starts this node's etcd member: as one of the founders on the cluster's first day, as a new member
# ever after. Members are found and changed under a lease, so that two nodes never join at once.
set -euo pipefail
LIB="${EXK8S_ROOT:-}/usr/local/lib/exk8s"
. "${LIB}/common.sh"
. "${LIB}/lease.sh"
exk8s_load_environment

DATA="${EXK8S_ROOT}/var/lib/etcd/data"
SETTINGS="${EXK8S_RUNTIME}/etcd.env"
OWN_URL="https://${NODE_IPV4}:2380"

# write_settings STATE MEMBERS: etcd takes both from its environment.
write_settings() {
    printf "ETCD_INITIAL_CLUSTER_STATE='%s'\nETCD_INITIAL_CLUSTER='%s'\n" "$1" "$2" |
        exk8s_replace "${SETTINGS}" 0644 root:root
}

peer_addresses() {
    jq -r '.[] | select(.role == "control-plane") | .address' "${EXK8S_RUNTIME}/peers.json"
}

# The founders are frozen by the server: all start with the same list, whoever is replaced meanwhile.
founders() {
    jq -r '[.etcd.members // [] | .[] | "\(.name)=https://\(.address):2380"] | join(",")' \
        "${EXK8S_RUNTIME}/bundle.json"
}

others() {
    peer_addresses | awk -v own="${NODE_IPV4}" -v port=2379 \
        '$1 != own { printf "%shttps://%s:%s", sep, $1, port; sep = "," }'
}

ctl() {
    etcdctl --endpoints="${ENDPOINTS}" --command-timeout=15s --cacert="${EXK8S_PKI}/etcd-ca.pem" \
        --cert="${EXK8S_PKI}/apiserver-etcd-client.pem" --key="${EXK8S_PKI}/apiserver-etcd-client-key.pem" "$@"
}

# The member list as `id state name peer-url learner`, with `-` for no name. The plain form, because a
# member id is too large for the numbers that jq computes with.
list_members() {
    local text
    text="$(ctl member list -w simple)"
    awk -F', ' '{ print $1, $2, ($3 == "" ? "-" : $3), $4, $6 }' <<<"${text}"
}

# Members that no longer exist and would count for the quorum: this node's former self, and joiners
# that never started and whose address no node has.
remove_dead_members() {
    local members="$1" id state name url known
    known="$(peer_addresses | sed 's#.*#https://&:2380#')"
    while read -r id state name url _; do
        if [[ "${name}" == "${NODE_NAME}" ]] ||
            { [[ "${state}" == started && "${url}" == "${OWN_URL}" ]]; } ||
            { [[ "${state}" == unstarted ]] && ! grep -qxF "${url}" <<<"${known}"; }; then
            exk8s_log "removing the dead member ${id} (${name}, ${url})"
            ctl member remove "${id}"
        fi
    done <<<"${members}"
}

# The members as etcd wants them: name=url,...; the one without a name at our address is this node.
initial_cluster() {
    awk -v own="${OWN_URL}" -v name="${NODE_NAME}" '
        $3 == "-" && $4 == own { $3 = name }
        $3 != "-" { printf "%s%s=%s", sep, $3, $4; sep = "," }' <<<"$1"
}

join() {
    local members
    ENDPOINTS="$(others)"
    [[ -n "${ENDPOINTS}" ]] ||
        exk8s_die "this cluster was founded, but no other control plane is left to join; restore etcd from a snapshot"
    exk8s_lease_hold etcd-join 3600
    members="$(list_members)"
    remove_dead_members "${members}"
    members="$(list_members)"
    if ! grep -q " ${OWN_URL} " <<<"${members}"; then
        # As a learner it does not count for the quorum until it has caught up.
        exk8s_log "adding this node as a learner"
        ctl member add "${NODE_NAME}" --learner --peer-urls="${OWN_URL}"
        members="$(list_members)"
    fi
    write_settings existing "$(initial_cluster "${members}")"
}

# Makes a learner a voting member once it has caught up with its leader.
promoted() {
    local members id learner
    members="$(list_members)" || return 1
    read -r id learner < <(awk -v own="${OWN_URL}" '$4 == own { print $1, $5 }' <<<"${members}") || return 1
    [[ "${learner}" == true ]] || return 0
    ctl member promote "${id}" && return 0
    return 1
}

start() {
    # Readiness needs a quorum, so never wait for the start job itself.
    systemctl start --no-block etcd
}

ENDPOINTS=""
if [[ -d "${DATA}/member" ]]; then
    # A member that has data knows its cluster; the settings only have to exist.
    [[ -f "${SETTINGS}" ]] || write_settings existing "$(founders)"
elif [[ "$(jq -r .etcd.state "${EXK8S_RUNTIME}/bundle.json")" == new ]]; then
    write_settings new "$(founders)"
else
    join
fi
start
ENDPOINTS="$(others)"
if [[ -n "${ENDPOINTS}" ]] && grep -q "STATE='existing'" "${SETTINGS}"; then
    exk8s_until 900 "this member to catch up and be promoted" promoted
fi
exk8s_until 1800 "etcd on this node; it needs a majority of the control planes" exk8s_etcd_healthy
