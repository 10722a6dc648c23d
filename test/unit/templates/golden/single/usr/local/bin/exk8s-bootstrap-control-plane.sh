#!/usr/bin/env bash
# Brings this control plane up, phase by phase. Every phase finds out by itself what is left to do, so
# a run that failed or was cut off is simply started again.
set -euo pipefail
LIB="${EXK8S_ROOT:-}/usr/local/lib/exk8s"
. "${LIB}/common.sh"
. "${LIB}/report.sh"
exk8s_load_environment
export KUBECONFIG="${EXK8S_ROOT}/etc/exk8s/kubeconfig/admin.kubeconfig"

# A certificate is not valid before the moment it was made; on a clock that lags every connection
# would fail with a misleading message.
clock_is_right() {
    local begin
    begin="$(openssl x509 -noout -startdate -in "${EXK8S_PKI}/apiserver.pem" | cut -d= -f2)"
    (($(date +%s) >= $(date -d "${begin}" +%s)))
}

install_phase() {
    "${EXK8S_BIN}/exk8s-install-control-plane-prereqs.sh"
    exk8s_until 600 "the clock to pass the start of the certificates' validity" clock_is_right
    systemctl daemon-reload
    # A kernel may have the modules built in; what counts is checked after it.
    systemctl restart systemd-modules-load || true
    systemctl restart systemd-sysctl || true
    [[ "$(sysctl -n net.ipv4.ip_forward)" == 1 ]] ||
        exk8s_die "net.ipv4.ip_forward is off and /etc/sysctl.d/90-exk8s.conf did not turn it on"
    systemctl enable containerd exk8s-imds-guard exk8s-balancer
    systemctl restart containerd
    systemctl start --no-block exk8s-imds-guard
}

etcd_phase() {
    "${EXK8S_BIN}/exk8s-etcd-join.sh"
}

kubelet_phase() {
    local resolv="${EXK8S_ROOT}/run/systemd/resolve/resolv.conf"
    # The stub of systemd-resolved would make CoreDNS ask itself.
    [[ -f "${resolv}" ]] || resolv=/etc/resolv.conf
    exk8s_replace "${EXK8S_ROOT}/etc/kubernetes/kubelet.conf.d/20-resolv-conf.conf" 0644 root:root <<CONFIG
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
resolvConf: ${resolv}
CONFIG
    mkdir -p "${EXK8S_ROOT}/etc/kubernetes/manifests"
    "${EXK8S_BIN}/exk8s-balancer.sh"
    systemctl enable kubelet
    systemctl restart --no-block kubelet
    exk8s_until 300 "the kubelet" exk8s_kubelet_healthy
}

apiserver_phase() {
    exk8s_until 1200 "the API server of this node" exk8s_apiserver_healthy readyz
    # From here on this node can take its turn at the addons, on which a Ready node depends.
    systemctl start --no-block exk8s-addons
}

node_is_registered() { kubectl get node "${NODE_NAME}" >/dev/null; }

node_phase() {
    exk8s_until 300 "the registration of node ${NODE_NAME}" node_is_registered
    # A kubelet may not give itself this label.
    kubectl label --overwrite node "${NODE_NAME}" node-role.kubernetes.io/control-plane=
    if [[ "${CNI}" == none ]]; then
        exk8s_log "the node is registered; it becomes Ready when the cluster's owner installs a pod network"
        return
    fi
    kubectl wait --for=condition=Ready "node/${NODE_NAME}" --timeout=20m
}

exk8s_phase install install_phase
exk8s_phase etcd etcd_phase
exk8s_phase kubelet kubelet_phase
exk8s_phase apiserver apiserver_phase
exk8s_phase node-ready node_phase

# Before the mark: after it, nothing comes back here to enable the timer.
systemctl enable exk8s-node-agent.timer
exk8s_now | exk8s_replace "${EXK8S_RUNTIME}/bootstrap.done" 0644 root:root
systemctl start exk8s-node-agent.timer
systemctl start --no-block exk8s-node-agent.service
