#!/usr/bin/env bash
# One run of the node agent: asks the server for this node's bundle, writes what changed, does what the
# table /etc/exk8s/config/agent-actions says of it, waits until the node is well and reports.
# A change is remembered until its actions are done, so a run that was cut off is resumed.
set -euo pipefail
LIB="${EXK8S_ROOT:-}/usr/local/lib/exk8s"
. "${LIB}/common.sh"
. "${LIB}/report.sh"
ROLE="${EXK8S_CONFIG}/role.env"
# The role's file may be missing, or empty after a loss of power; fetching writes it.
load_environment() {
    exk8s_load_environment
    [[ ! -s "${ROLE}" ]] || . "${ROLE}"
}
load_environment

CHANGES="${EXK8S_STATE}/changes"
REPORTED="${EXK8S_STATE}/reported"
ACTIONS="${EXK8S_CONFIG}/agent-actions"
ADDONS_DONE="${EXK8S_ROOT}/etc/exk8s/runtime/addons.done"
HEALTH_SECONDS="${EXK8S_HEALTH_SECONDS:-600}"
TOKEN="${EXK8S_RUNTIME}/agent-token"
FORMER_TOKEN="${TOKEN}.former"
# A token older than so many days is renewed.
TOKEN_DAYS=30
mkdir -p "${EXK8S_STATE}" "${EXK8S_LOGS}"
LOG="${EXK8S_LOGS}/node-agent.log"

exec 9>"${EXK8S_STATE}/agent.lock"
flock -n 9 || exit 0

WORK="$(mktemp -d)"
trap 'rm -rf "${WORK}"' EXIT

# The agent and what it sources, as one digest.
self() { cat "${BASH_SOURCE[0]}" "${LIB}"/*.sh | sha256sum; }
SELF="$(self)"

revision() { jq -r '.revision' "${EXK8S_RUNTIME}/bundle.json"; }
generation() { jq -r '.generation' "${EXK8S_RUNTIME}/bundle.json"; }

# The revision that this node has whole. While files of another one may be on it, none is: the server may have
# gone back to the former one.
whole_revision() { [[ -s "${CHANGES}" || ! -s "${ROLE}" ]] || printf '"%s"' "$(revision)"; }

# Fetches the bundle if it is another one than this node has, and writes what differs.
fetch() {
    local status
    status="$(
        exk8s_agent_curl GET /agent/bundle --output "${WORK}/bundle.json" --write-out '%{http_code}' \
            --header "If-None-Match: $(whole_revision)"
    )" || exk8s_die "the bootstrap server at ${BOOTSTRAP_BASE_URL} cannot be reached"
    case "${status}" in
        304) ;;
        200)
            jq -e '.files and .attributes and .peers and .revision' "${WORK}/bundle.json" >/dev/null ||
                exk8s_die "the bootstrap server sent a bundle that is not complete"
            exk8s_log "writing revision $(jq -r .revision "${WORK}/bundle.json")"
            exk8s_write_files "${WORK}/bundle.json" >>"${CHANGES}"
            exk8s_remove_files "${WORK}/bundle.json" >>"${CHANGES}"
            exk8s_write_runtime "${WORK}/bundle.json" >>"${CHANGES}"
            load_environment
            ;;
        401)
            exchange_tokens
            exk8s_die "the bootstrap server refused this node's token"
            ;;
        *) exk8s_die "the bootstrap server answered HTTP ${status}" ;;
    esac
}

# A server that was restored from a backup may know the former token only: each run tries the other one.
exchange_tokens() {
    [[ -s "${FORMER_TOKEN}" ]] || return 0
    cp -p "${TOKEN}" "${WORK}/token"
    mv -f "${FORMER_TOKEN}" "${TOKEN}"
    exk8s_replace "${FORMER_TOKEN}" 0600 root:root <"${WORK}/token"
}

# The server takes the former token until the new one was used, so nothing is lost by a cut anywhere here.
# Last in a run: the new token is on disk for long before it is used.
renew_token() {
    local token
    [[ -n "$(find "${TOKEN}" -mtime "+${TOKEN_DAYS}")" ]] || return 0
    exk8s_agent_curl POST /agent/token --fail --output "${WORK}/token.json" &&
        token="$(jq -er .agent_token "${WORK}/token.json")" &&
        exk8s_replace "${FORMER_TOKEN}" 0600 root:root <"${TOKEN}" &&
        printf '%s' "${token}" | exk8s_replace "${TOKEN}" 0600 root:root &&
        exk8s_log "renewed this node's token"
}

# changes_for ACTION: the remembered changes that ask for it, one a line.
changes_for() {
    local path action pattern
    while IFS= read -r path; do
        while read -r action pattern; do
            # The right side is a pattern on purpose.
            # shellcheck disable=SC2053
            if [[ "${action}" == "$1" && "${path}" == ${pattern} ]]; then
                printf '%s\n' "${path}"
            fi
        done <"${ACTIONS}"
    done <"${CHANGES}"
}

# newest ACTION: when the latest of the changed files that ask for this action was written.
newest() {
    local path latest=0 time
    while IFS= read -r path; do
        [[ -e "${EXK8S_ROOT}${path}" ]] || continue
        time="$(stat -c %Y "${EXK8S_ROOT}${path}")"
        latest=$((time > latest ? time : latest))
    done < <(changes_for "$1")
    printf '%s\n' "${latest}"
}

# The processes of one of our pods, told from a user's by a file of ours on the command line.
pids_of() {
    case "$1" in
        kube-apiserver) pgrep -f -- '^kube-apiserver .*=/etc/exk8s/pki/apiserver\.pem' ;;
        kube-controller-manager) pgrep -f -- '^kube-controller-manager .*=/etc/exk8s/kubeconfig/' ;;
        kube-scheduler) pgrep -f -- '^kube-scheduler .*=/etc/exk8s/kubeconfig/' ;;
        kube-proxy) pgrep -f -- '^kube-proxy --config=/var/lib/kube-proxy/' ;;
    esac
}

# started_after PROGRAM TIME: whether its process runs and is younger than the time.
started_after() {
    local pid age pids
    pids="$(pids_of "$1")" || return 1
    for pid in ${pids}; do
        age="$(ps -o etimes= -p "${pid}")" || return 1
        (($(date +%s) - age >= $2)) || return 1
    done
}

# kubelet starts an ended container of a static pod again, with the files as they are now.
renew_pod() {
    local program="$1" since pid pids
    since="$(newest "pod:${program}")"
    started_after "${program}" "${since}" && return
    # A program that does not run here needs no renewal; kubelet starts it with the new files.
    pids="$(pids_of "${program}")" || return 0
    for pid in ${pids}; do
        kill "${pid}" || true
    done
    exk8s_until "${HEALTH_SECONDS}" "the new ${program}" started_after "${program}" "${since}"
}

wait_replaced() {
    exk8s_until "${HEALTH_SECONDS}" "kubelet to replace ${1}" started_after "$1" "$(newest "replaced:$1")"
}

act() {
    case "$1" in
        daemon-reload) systemctl daemon-reload ;;
        install) EXK8S_CHANGES="${CHANGES}" "${EXK8S_BIN}/exk8s-install-control-plane-prereqs.sh" ;;
        restart:etcd)
            # Its start waits for a quorum; the old process must be gone before health is asked.
            systemctl stop etcd
            systemctl start --no-block etcd
            ;;
        restart:exk8s-*) systemctl restart --no-block "${1#restart:}" ;;
        restart:systemd-modules-load) systemctl restart systemd-modules-load || true ;;
        restart:*) systemctl restart "${1#restart:}" ;;
        pod:*) renew_pod "${1#pod:}" ;;
        replaced:*) wait_replaced "${1#replaced:}" ;;
        balancer) "${EXK8S_BIN}/exk8s-balancer.sh" ;;
        addons)
            # Stopped first: a run with the former files must not set the mark again.
            systemctl stop exk8s-addons
            rm -f "${ADDONS_DONE}"
            resume_addons
            ;;
    esac
    case "$1" in
        restart:etcd) settle etcd ;;
        *:kube-apiserver) settle apiserver ;;
        restart:kubelet)
            settle kubelet
            exk8s_until "${HEALTH_SECONDS}" "kubelet to have this node's static pods ready" static_pods_ready
            ;;
    esac
}

# Whether kubelet itself says that the static pods are ready. A kubelet of another minor replaces them all some
# seconds after it is healthy: the API server too, so the next node must not have its turn before that.
static_pods_ready() {
    local pods
    read -r -a pods <<<"${STATIC_PODS}"
    ((${#pods[@]})) || return 0
    kubectl --kubeconfig="${EXK8S_ROOT}/etc/exk8s/kubeconfig/admin.kubeconfig" --request-timeout=15s \
        get --raw "/api/v1/nodes/${NODE_NAME}/proxy/pods" |
        jq -e '[.items[] | select(.metadata.name | IN($ARGS.positional[]))
                | any(.status.conditions[]?; .type == "Ready" and .status == "True")]
            | length == ($ARGS.positional | length) and all' --args "${pods[@]/%/-${NODE_NAME}}" >/dev/null
}

# The addons may have been cut off at any point, by a reboot too.
resume_addons() {
    [[ ! -e "${EXK8S_ROOT}/etc/systemd/system/exk8s-addons.service" || -e "${ADDONS_DONE}" ]] ||
        systemctl start --no-block exk8s-addons
}

settle() { exk8s_until "${HEALTH_SECONDS}" "$1 to be healthy" "exk8s_$1_healthy"; }

run_actions() {
    local action actions asking
    mapfile -t actions < <(awk '!/^#/ && !seen[$1]++ { print $1 }' "${ACTIONS}")
    wait "$!"
    for action in "${actions[@]}"; do
        # Looked up again each time: the installer adds the programs it replaced.
        asking="$(changes_for "${action}")"
        if [[ -n "${asking}" ]]; then
            exk8s_log "action ${action}"
            act "${action}"
        fi
    done
}

health() {
    local check answer='{}' well
    for check in ${HEALTH_CHECKS}; do
        well=false
        ! "exk8s_${check}_healthy" || well=true
        answer="$(jq -c --arg check "${check}" --argjson well "${well}" '. + {($check): $well}' <<<"${answer}")"
    done
    printf '%s\n' "${answer}"
}

all_well() {
    HEALTH="$(health)"
    jq -e 'all(.[]; .)' <<<"${HEALTH}" >/dev/null
}

apply() {
    run_actions
    exk8s_until "${HEALTH_SECONDS}" "this node to be healthy" all_well
}

STARTED="$(exk8s_now)"
fetch
if [[ "$(self)" != "${SELF}" ]]; then
    # The new table of actions is meant for the new agent; it resumes from the remembered changes.
    rm -rf "${WORK}"
    exec "${BASH_SOURCE[0]}"
fi
if [[ -s "${CHANGES}" ]]; then
    # From here on the server waits for word that this node is well, whether anything else is news or not.
    rm -f "${REPORTED}"
    exk8s_report applied running "${STARTED}" || true
    set +e
    (
        set -e
        apply
    ) >"${LOG}" 2>&1
    status=$?
    set -e
    cat "${LOG}"
    if ((status != 0)); then
        exk8s_report applied failed "${STARTED}" "$(exk8s_now)" \
            "applying the generation failed; it is tried again" "${LOG}" "$(health)" || true
        exit "${status}"
    fi
    rm -f "${CHANGES}"
fi
resume_addons
# Said again only when there is news.
HEALTH="$(health)"
NEWS="$(generation) ${HEALTH}"
if [[ ! -f "${REPORTED}" || "$(<"${REPORTED}")" != "${NEWS}" ]]; then
    STATE="done"
    jq -e 'all(.[]; .)' <<<"${HEALTH}" >/dev/null || STATE=failed
    exk8s_report applied "${STATE}" "${STARTED}" "$(exk8s_now)" "" "" "${HEALTH}"
    exk8s_replace "${REPORTED}" 0644 root:root <<<"${NEWS}"
fi
renew_token || exk8s_log "this node's token was not renewed; it is tried again"
