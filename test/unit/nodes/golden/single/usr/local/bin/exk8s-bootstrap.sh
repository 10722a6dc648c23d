#!/usr/bin/env bash
# Brings this node up by the phases of its role. Every phase finds out by itself what is left to do, so
# a run that failed or was cut off is simply started again.
set -euo pipefail
LIB="${EXK8S_ROOT:-}/usr/local/lib/exk8s"
. "${LIB}/common.sh"
. "${LIB}/report.sh"
exk8s_load_environment
. "${EXK8S_CONFIG}/role.env"
export KUBECONFIG="${EXK8S_ROOT}/etc/exk8s/kubeconfig/admin.kubeconfig"

# A certificate is not valid before the moment it was made; on a clock that lags every connection
# would fail with a misleading message.
clock_is_right() {
    local file begin
    for file in "${EXK8S_PKI}"/*.pem; do
        # Keys have no start.
        begin="$(openssl x509 -noout -startdate -in "${file}" 2>/dev/null | cut -d= -f2)" || continue
        (($(date +%s) >= $(date -d "${begin}" +%s))) || return 1
    done
}

install_phase() {
    "${EXK8S_BIN}/exk8s-install-control-plane-prereqs.sh"
    exk8s_until 600 "the clock to pass the start of the certificates' validity" clock_is_right
    systemctl daemon-reload
    # A kernel may have the modules built in; what counts is checked after it.
    systemctl restart systemd-modules-load systemd-sysctl || true
    [[ "$(sysctl -n net.ipv4.ip_forward)" == 1 ]] ||
        exk8s_die "net.ipv4.ip_forward is off and /etc/sysctl.d/90-exk8s.conf did not turn it on"
    # Words of their own on purpose.
    # shellcheck disable=SC2086
    systemctl --no-reload enable ${BOOT_UNITS}
    systemctl restart containerd
    systemctl start --no-block exk8s-imds-guard
}

# The static pods are given to kubelet when they can do their work. Earlier, the API server would
# end for want of etcd and the others would fail to get their leases: they would try again after pauses that
# grow, and take processor time from what they wait for.
MANIFESTS="${EXK8S_ROOT}/etc/kubernetes/manifests"
HELD="${EXK8S_STATE}/held-pods"
read -r -a PODS <<<"${STATIC_PODS}"

# Once only: a kubelet that runs must not lose its pods when this script is started again.
hold_pods() {
    [[ ! -e "${HELD}/done" ]] || return 0
    mkdir -p "${HELD}"
    move_pods "${MANIFESTS}" "${HELD}" "${PODS[@]}"
    : >"${HELD}/done"
}

release_pods() { move_pods "${HELD}" "${MANIFESTS}" "$@"; }

# move_pods FROM TO NAME...: the manifests that are there.
move_pods() {
    local from="$1" to="$2" pod
    shift 2
    for pod; do
        [[ ! -f "${from}/${pod}.yaml" ]] || mv -f "${from}/${pod}.yaml" "${to}/"
    done
}

# Without pods to run yet: what kubelet needs to start goes on while etcd starts, or waits for others.
start_kubelet() {
    local resolv="${EXK8S_ROOT}/run/systemd/resolve/resolv.conf"
    # The stub of systemd-resolved would make CoreDNS ask itself.
    [[ -f "${resolv}" ]] || resolv=/etc/resolv.conf
    exk8s_replace "${EXK8S_ROOT}/etc/kubernetes/kubelet.conf.d/20-resolv-conf.conf" 0644 root:root <<CONFIG
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
resolvConf: ${resolv}
CONFIG
    hold_pods
    systemctl restart --no-block kubelet
}

# Pulls what kubelet will be asked to run, in that order. It pulls by itself what is missing then.
pull_images() {
    grep -hsoP '^ *image: *\K\S+' "${MANIFESTS}"/*.yaml "${HELD}"/*.yaml "${EXK8S_ROOT}/etc/exk8s/manifests"/*.yaml |
        grep -Fxvf <(ctr --namespace k8s.io images list --quiet) |
        xargs --no-run-if-empty --max-args=1 \
            ctr --namespace k8s.io images pull --hosts-dir /etc/containerd/certs.d >/dev/null
}

# A founder without others needs nobody's vote.
founds_alone() { jq -e '.etcd.state == "new" and (.etcd.members | length == 1)' "${EXK8S_RUNTIME}/bundle.json" >/dev/null; }

etcd_phase() {
    start_kubelet
    # The API server takes longer than such an etcd before either needs the other.
    ! founds_alone || release_pods kube-apiserver
    pull_images &
    "${EXK8S_BIN}/exk8s-etcd-join.sh"
    release_pods kube-apiserver
}

kubelet_phase() {
    "${EXK8S_BIN}/exk8s-balancer.sh"
    exk8s_until 300 "the kubelet" exk8s_kubelet_healthy
}

apiserver_phase() {
    exk8s_until 1200 "the API server of this node" exk8s_apiserver_healthy readyz
    release_pods "${PODS[@]}"
    # From here on this node can take its turn at the addons, on which a Ready node depends.
    systemctl start --no-block exk8s-addons
}

# node_is_registered PATIENCE: whether it is, or comes to be in that time.
node_is_registered() { kubectl wait --for=create "node/${NODE_NAME}" --timeout="$1"; }

node_ready_phase() {
    exk8s_until 300 "the API behind the balancer" exk8s_api_ready
    # kubelet tried while there was no API, and waits twice as long after each failure; a new one tries at once.
    node_is_registered 1s || systemctl restart kubelet
    exk8s_until 300 "the registration of node ${NODE_NAME}" node_is_registered 30s
    # A kubelet may not give itself this label.
    [[ -z "${NODE_LABEL}" ]] || kubectl label --overwrite node "${NODE_NAME}" "${NODE_LABEL}="
    if [[ "${CNI}" == none ]]; then
        exk8s_log "the node is registered; it becomes Ready when the cluster's owner installs a pod network"
        return
    fi
    kubectl wait --for=condition=Ready "node/${NODE_NAME}" --timeout=20m
}

for phase in ${BOOT_PHASES}; do
    exk8s_phase "${phase}" "${phase//-/_}_phase"
done

# Before the mark: after it, nothing comes back here to enable the timer.
systemctl enable exk8s-node-agent.timer
exk8s_now | exk8s_replace "${EXK8S_RUNTIME}/bootstrap.done" 0644 root:root
systemctl start exk8s-node-agent.timer
systemctl start --no-block exk8s-node-agent.service
exk8s_reports_sent
