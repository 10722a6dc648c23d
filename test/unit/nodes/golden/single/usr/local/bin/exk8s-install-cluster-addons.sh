#!/usr/bin/env bash
# Installs or updates what every cluster has: rights, pod network, kube-proxy, DNS. Any control plane
# may do it: they take turns by a lease, and whoever comes later finds the mark of the one before.
set -euo pipefail
LIB="${EXK8S_ROOT:-}/usr/local/lib/exk8s"
. "${LIB}/common.sh"
. "${LIB}/report.sh"
. "${LIB}/lease.sh"
exk8s_load_environment
export KUBECONFIG="${EXK8S_ROOT}/etc/exk8s/kubeconfig/admin.kubeconfig"
MANIFESTS="${EXK8S_ROOT}/etc/exk8s/manifests"
VALUES="${EXK8S_CONFIG}/cilium-values.yaml"

control_planes() { jq '[.[] | select(.role == "control-plane")] | length' "${EXK8S_RUNTIME}/peers.json"; }

# Everything the addons depend on, as one digest.
digest() {
    {
        printf '%s\n' "${CNI}" "${CILIUM_VERSION}" "${CHARTS}" "$(operator_replicas)"
        cat "${MANIFESTS}"/*.yaml
        [[ ! -f "${VALUES}" ]] || cat "${VALUES}"
        cat "${BASH_SOURCE[0]}"
    } | sha256sum | cut -d' ' -f1
}

operator_replicas() { (($(control_planes) > 1)) && echo 2 || echo 1; }

marked() { kubectl -n kube-system get configmap exk8s-addons -o 'jsonpath={.data.digest}' --ignore-not-found; }

# One call for each object, and none for the API's schemas: the manifests are ours and known to be right.
apply() { kubectl apply --server-side --force-conflicts --validate=ignore "${@/#/--filename=}"; }

mark() {
    apply - <<MARK
apiVersion: v1
kind: ConfigMap
metadata:
  name: exk8s-addons
  namespace: kube-system
data:
  digest: "$1"
MARK
}

rollout() { kubectl -n kube-system rollout status "$1" --timeout=15m; }

# The chart that came with the image, or in a registry (oci://), in a chart repository (https://), or in a
# folder on this node.
cilium_chart() {
    local baked="${EXK8S_STATE}/charts/cilium-${CILIUM_VERSION}.tgz"
    if [[ -f "${baked}" ]]; then
        printf '%s\n' "${baked}"
        return
    fi
    case "${CHARTS}" in
        http://* | https://*) printf '%s\n' cilium --repo "${CHARTS}" ;;
        *) printf '%s\n' "${CHARTS}/cilium" ;;
    esac
}

install_cilium() {
    local chart
    mapfile -t chart < <(cilium_chart)
    # A node that died in the middle leaves the release locked. We hold the lease, so nobody is at it.
    kubectl -n kube-system delete secret --ignore-not-found \
        --selector 'owner=helm,name=cilium,status in (pending-install,pending-upgrade,pending-rollback)'
    helm upgrade --install cilium "${chart[@]}" --version "${CILIUM_VERSION}" --namespace kube-system \
        --values "${VALUES}" --set "operator.replicas=$(operator_replicas)" --wait --timeout 15m
    # helm counts agents that crash as ready, within the DaemonSet's maxUnavailable.
    rollout daemonset/cilium
}

services_work() {
    curl --silent --fail --connect-timeout 0.5 --max-time 5 --cacert "${EXK8S_PKI}/ca.pem" \
        "https://${SERVICE_CLUSTER_IP}/readyz" >/dev/null
}

# That kube-proxy runs on all nodes is not enough: its rules come later, so they are tried. On a node that
# is alone they tell all, a second before kubelet tells the API what runs.
wait_for_services() {
    [[ "$(jq length "${EXK8S_RUNTIME}/peers.json")" == 1 ]] || rollout daemonset/kube-proxy
    exk8s_until 900 "kube-proxy's rules on this node" services_work
}

install_addons() {
    # kube-proxy's pods are made while Cilium is installed; neither waits for the other.
    exk8s_until 120 "the rights of administrators and kube-proxy" apply "${MANIFESTS}"/{rbac,kube-proxy}.yaml
    if [[ "${CNI}" == cilium ]]; then
        install_cilium
    fi
    wait_for_services
    # Not before kube-proxy: a lookup tracked before its rule exists stays stuck.
    apply "${MANIFESTS}/coredns.yaml"
    if [[ "${CNI}" != none ]]; then
        rollout deployment/coredns
    fi
}

addons() {
    local digest
    exk8s_until 1200 "the API" exk8s_api_ready
    exk8s_lease_hold addons 5400
    digest="$(digest)"
    if [[ "$(marked)" == "${digest}" ]]; then
        exk8s_log "the addons are up to date"
    else
        install_addons
        mark "${digest}"
    fi
    # Tells the node agent that there is nothing to resume.
    exk8s_replace "${EXK8S_ROOT}/etc/exk8s/runtime/addons.done" 0644 root:root <<<"${digest}"
    exk8s_lease_release
}

exk8s_phase addons addons
exk8s_reports_sent
