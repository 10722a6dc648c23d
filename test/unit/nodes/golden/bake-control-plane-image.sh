#!/usr/bin/env bash
# Makes this machine the image of a control plane: every package and program at its version, container
# images and chart in place, nothing of a cluster and nothing of this machine's own. Run it as root on a
# fresh Debian or Ubuntu, then power the machine off and make an image of its disk. It may run again.
set -euo pipefail
# Every path is below this folder: empty on a machine, a scratch folder in tests.
export EXK8S_ROOT="${EXK8S_ROOT:-}"
export BINARY_MIRROR='' PACKAGE_MIRROR=''
export HOME="${HOME:-/root}"
CHARTS='oci://quay.io/cilium/charts'
CNI='cilium'
CILIUM_VERSION='1.19.3'
STATE="${EXK8S_ROOT}/var/lib/exk8s"
IMAGES=(registry.k8s.io/pause:3.10.1 registry.k8s.io/kube-apiserver:v1.35.4 registry.k8s.io/kube-controller-manager:v1.35.4 registry.k8s.io/kube-scheduler:v1.35.4 registry.k8s.io/kube-proxy:v1.35.4 registry.k8s.io/coredns/coredns:v1.14.7)

# The terminal gets the steps, and the end of the log when one fails. What lies in /run is not in an image.
LOG="${EXK8S_ROOT}/run/exk8s-bake.log"
mkdir -p "${LOG%/*}"
exec 3>&1 4>&2 >"${LOG}" 2>&1
step() {
    printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*"
    printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*" >&3
}
trap 'status=$?; ((status == 0)) || { tail -n 40 "${LOG}"; echo "error: the image is not baked; the log is ${LOG}"; } >&4' EXIT

# place PATH MODE: writes standard input to a file.
place() {
    mkdir -p "${EXK8S_ROOT}${1%/*}"
    install -m "$2" /dev/stdin "${EXK8S_ROOT}$1"
}

# What stays: how the programs run.
place '/etc/containerd/config.toml' 0644 <<'EXK8S_END_OF_FILE'
version = 3
# Adjustments of an image or an operator; read in the order of their names.
imports = ["/etc/containerd/conf.d/*.toml"]

[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "registry.k8s.io/pause:3.10.1"

[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = "/etc/containerd/certs.d"

[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["/opt/cni/bin"]
  conf_dir = "/etc/cni/net.d"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  SystemdCgroup = true
EXK8S_END_OF_FILE
place '/etc/systemd/system/containerd.service' 0644 <<'EXK8S_END_OF_FILE'
[Unit]
Description=containerd container runtime
Documentation=https://containerd.io
After=network.target dbus.service

[Service]
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/local/bin/containerd
Type=notify
Delegate=yes
# The shims, and with them all containers, outlive a restart of the daemon.
KillMode=process
Restart=always
RestartSec=5
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
EXK8S_END_OF_FILE
place '/etc/sysctl.d/90-exk8s.conf' 0644 <<'EXK8S_END_OF_FILE'
# What pod networks need of the kernel, whichever they are.
net.ipv4.ip_forward = 1
net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
EXK8S_END_OF_FILE
place '/etc/modules-load.d/exk8s.conf' 0644 <<'EXK8S_END_OF_FILE'
overlay
br_netfilter
EXK8S_END_OF_FILE

# What installs them: the same files as on a node, and removed at the end.
place '/etc/exk8s/config/downloads.tsv' 0644 <<'EXK8S_END_OF_FILE'
kubelet	v1.35.4	dl.k8s.io/v1.35.4/bin/linux/ARCH/kubelet	dl.k8s.io/v1.35.4/bin/linux/ARCH/kubelet.sha256	-	-	/usr/local/bin/kubelet	-	-	/usr/local/bin/kubelet
kubectl	v1.35.4	dl.k8s.io/v1.35.4/bin/linux/ARCH/kubectl	dl.k8s.io/v1.35.4/bin/linux/ARCH/kubectl.sha256	-	-	/usr/local/bin/kubectl	-	-	/usr/local/bin/kubectl
containerd	v2.3.7	github.com/containerd/containerd/releases/download/v2.3.7/containerd-2.3.7-linux-ARCH.tar.gz	github.com/containerd/containerd/releases/download/v2.3.7/containerd-2.3.7-linux-ARCH.tar.gz.sha256sum	-	-	/usr/local/bin	1	-	/usr/local/bin/containerd
runc	v1.4.3	github.com/opencontainers/runc/releases/download/v1.4.3/runc.ARCH	github.com/opencontainers/runc/releases/download/v1.4.3/runc.sha256sum	-	-	/usr/local/sbin/runc	-	-	/usr/local/sbin/runc
cni-plugins	v1.9.1	github.com/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-ARCH-v1.9.1.tgz	github.com/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-ARCH-v1.9.1.tgz.sha256	-	-	/opt/cni/bin	0	-	/opt/cni/bin/loopback
etcd	v3.6.16	github.com/etcd-io/etcd/releases/download/v3.6.16/etcd-v3.6.16-linux-ARCH.tar.gz	github.com/etcd-io/etcd/releases/download/v3.6.16/SHA256SUMS	-	-	/usr/local/bin	1	etcd-v3.6.16-linux-ARCH/etcd,etcd-v3.6.16-linux-ARCH/etcdctl	/usr/local/bin/etcd
helm	v3.19.5	get.helm.sh/helm-v3.19.5-linux-ARCH.tar.gz	get.helm.sh/helm-v3.19.5-linux-ARCH.tar.gz.sha256sum	-	-	/usr/local/bin	1	linux-ARCH/helm	/usr/local/bin/helm
EXK8S_END_OF_FILE
place '/usr/local/lib/exk8s/common.sh' 0644 <<'EXK8S_END_OF_FILE'
# shellcheck shell=bash disable=SC2034
# What the exk8s scripts share: where things lie, the node's parameters, writing files, and calls to
# the bootstrap server as this node. To be sourced.

# Every path is below this folder: empty on a node, a scratch folder in tests.
EXK8S_ROOT="${EXK8S_ROOT:-}"
EXK8S_CONFIG="${EXK8S_ROOT}/etc/exk8s/config"
EXK8S_RUNTIME="${EXK8S_ROOT}/etc/exk8s/runtime"
EXK8S_PKI="${EXK8S_ROOT}/etc/exk8s/pki"
EXK8S_STATE="${EXK8S_ROOT}/var/lib/exk8s"
EXK8S_LOGS="${EXK8S_ROOT}/var/log/exk8s"
EXK8S_BIN="${EXK8S_ROOT}/usr/local/bin"

exk8s_log() { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*"; }

exk8s_die() {
    exk8s_log "error: $*" >&2
    exit 1
}

# Loads the parameters of the cluster, the node and the server; what is read later wins.
exk8s_load_environment() {
    local file
    set -a
    for file in "${EXK8S_CONFIG}/cluster.env" "${EXK8S_CONFIG}/node.env" \
        "${EXK8S_RUNTIME}/bootstrap.env" "${EXK8S_CONFIG}/bootstrap-server.env"; do
        if [[ -f "${file}" ]]; then
            # shellcheck disable=SC1090
            . "${file}"
        fi
    done
    set +a
}

# exk8s_until SECONDS WHAT COMMAND...: tries until the command succeeds; an error after SECONDS. It tries
# often at first, as most of what a boot waits for takes a few seconds; EXK8S_POLL sets the pause.
exk8s_until() {
    local limit="$1" what="$2"
    shift 2
    local begin="${SECONDS}" pause=0.2
    until "$@"; do
        if ((SECONDS - begin >= limit)); then
            exk8s_log "error: gave up after ${limit} s waiting for ${what}" >&2
            return 1
        fi
        ((SECONDS - begin < 15)) || pause=2
        sleep "${EXK8S_POLL:-${pause}}"
    done
}

# exk8s_replace TARGET MODE OWNER: writes standard input to a file in one step. The temporary name
# starts with a dot, which kubelet ignores in its manifest folder.
exk8s_replace() {
    local target="$1" mode="$2" owner="$3" temporary="${1%/*}/.exk8s.$$.${1##*/}" ownership=()
    exk8s_ensure_owner "${owner}"
    [[ -n "${EXK8S_ROOT}" ]] || ownership=(--owner="${owner%%:*}" --group="${owner##*:}")
    [[ -d "${target%/*}" ]] || mkdir -p "${target%/*}"
    install --mode="${mode}" "${ownership[@]}" /dev/stdin "${temporary}"
    mv -f "${temporary}" "${target}"
}

# exk8s_ensure_owner USER:GROUP: makes a system user that is missing. Below another root there are no such
# users, so nothing is done.
exk8s_ensure_owner() {
    local user="${1%%:*}" group="${1##*:}"
    [[ "$1" != root:root && -z "${EXK8S_ROOT}" ]] || return 0
    getent group "${group}" >/dev/null || groupadd --system "${group}"
    getent passwd "${user}" >/dev/null ||
        useradd --system --gid "${group}" --no-create-home --home-dir /nonexistent \
            --shell /usr/sbin/nologin "${user}"
}

# exk8s_write_files BUNDLE: writes every file of a bundle that differs from what is on disk. Prints
# each path before it is replaced, so that a record of it survives a crash in the middle.
exk8s_write_files() {
    local fields=() i path mode owner content present target
    # Taken apart by the shell itself: programs for each of dozens of files cost most of a second of a boot.
    mapfile -d '' -t fields < <(jq -j '.attributes as $a | .files | to_entries[]
        | (.key, $a[.key].mode, $a[.key].owner, .value) | . + "\u0000"' "$1")
    wait "$!"
    for ((i = 0; i < ${#fields[@]}; i += 4)); do
        path="${fields[i]}" mode="${fields[i + 1]}" owner="${fields[i + 2]}" content="${fields[i + 3]}"
        [[ "${path}" == /* && "${path}/" != */../* ]] || exk8s_die "the bundle names the path ${path}"
        target="${EXK8S_ROOT}${path}"
        if [[ -f "${target}" && ! -L "${target}" ]]; then
            IFS= read -r -d '' present <"${target}" || true
            if [[ "${present}" == "${content}" ]]; then
                exk8s_ensure_owner "${owner}"
                [[ -n "${EXK8S_ROOT}" ]] || chown "${owner}" "${target}"
                chmod "${mode}" "${target}"
                continue
            fi
        fi
        printf '%s\n' "${path}"
        exk8s_replace "${target}" "${mode}" "${owner}" < <(printf '%s' "${content}")
    done
}

# exk8s_remove_files BUNDLE: removes what the last bundle had and this one has not.
exk8s_remove_files() {
    local list="${EXK8S_STATE}/files" now path
    now="$(jq -r '.files | keys[]' "$1")"
    if [[ -f "${list}" ]]; then
        while IFS= read -r path; do
            if ! grep -qxF -- "${path}" <<<"${now}"; then
                printf '%s\n' "${path}"
                rm -f "${EXK8S_ROOT}${path}"
            fi
        done <"${list}"
    fi
    exk8s_replace "${list}" 0600 root:root <<<"${now}"
}

# exk8s_write_runtime BUNDLE: keeps what the server adds to the files. Prints the path of the peers
# when they changed. The revision comes last: as long as it is the old one the bundle is fetched again.
exk8s_write_runtime() {
    local bundle="$1" peers="${EXK8S_RUNTIME}/peers.json" new token
    new="$(jq -S '.peers' "${bundle}")"
    if [[ ! -f "${peers}" || "$(<"${peers}")" != "${new}" ]]; then
        printf '%s\n' "${peers#"${EXK8S_ROOT}"}"
        printf '%s\n' "${new}" | exk8s_replace "${peers}" 0644 root:root
    fi
    token="$(jq -r '.agent_token // ""' "${bundle}")"
    [[ -z "${token}" ]] ||
        printf '%s' "${token}" | exk8s_replace "${EXK8S_RUNTIME}/agent-token" 0600 root:root
    jq '{generation, revision, etcd}' "${bundle}" |
        exk8s_replace "${EXK8S_RUNTIME}/bundle.json" 0644 root:root
}

# exk8s_server_curl ARGUMENTS...: curl with the server's CA pinned. A CA from a bundle replaces that
# of the user data; an empty file stands for the public PKI.
exk8s_server_curl() {
    local trust=() file
    for file in "${EXK8S_CONFIG}/bootstrap-server-ca.pem" "${EXK8S_RUNTIME}/bootstrap-ca.pem"; do
        if [[ -e "${file}" ]]; then
            [[ ! -s "${file}" ]] || trust=(--cacert "${file}")
            break
        fi
    done
    curl --silent --show-error --connect-timeout 10 --max-time 60 "${trust[@]}" "$@"
}

# exk8s_agent_curl METHOD PATH ARGUMENTS...: a call as this node. The token goes in through standard
# input, where no process list shows it.
exk8s_agent_curl() {
    local method="$1" path="$2"
    shift 2
    printf 'header = "Authorization: Bearer %s"\n' "$(<"${EXK8S_RUNTIME}/agent-token")" |
        exk8s_server_curl --config - --request "${method}" "$@" "${BOOTSTRAP_BASE_URL}${path}"
}

exk8s_etcd_healthy() {
    curl --silent --fail --max-time 5 "http://127.0.0.1:2381/health" |
        jq -e '.health == "true"' >/dev/null
}

exk8s_apiserver_healthy() {
    curl --silent --fail --max-time 15 --cacert "${EXK8S_PKI}/ca.pem" \
        "https://127.0.0.1:6443/${1:-livez}" >/dev/null
}

# Any API server, through this node's balancer.
exk8s_api_ready() {
    curl --silent --fail --max-time 15 --cacert "${EXK8S_PKI}/ca.pem" "${APISERVER_ENDPOINT}/readyz" >/dev/null
}

exk8s_kubelet_healthy() {
    curl --silent --fail --max-time 5 "http://127.0.0.1:10248/healthz" >/dev/null
}
EXK8S_END_OF_FILE
place '/usr/local/bin/exk8s-install-control-plane-prereqs.sh' 0755 <<'EXK8S_END_OF_FILE'
#!/usr/bin/env bash
# Ensures that everything a control plane runs is there, each item at its version. An image may
# already hold some or all of it: run this when the image is made. What it holds is said by one stamp
# per item, /var/lib/exk8s/installed/<item>, with the version as its text.
set -euo pipefail
LIB="${EXK8S_ROOT:-}/usr/local/lib/exk8s"
. "${LIB}/common.sh"
exk8s_load_environment

STAMPS="${EXK8S_STATE}/installed"
PACKAGES=(ca-certificates conntrack curl ebtables ethtool haproxy iproute2 iptables jq openssl procps socat)
WORK="$(mktemp -d)"
trap 'rm -rf "${WORK}"' EXIT

architecture() {
    case "$(uname -m)" in
        x86_64) echo amd64 ;;
        aarch64) echo arm64 ;;
        *) exk8s_die "the architecture $(uname -m) is not supported; use an x86_64 or aarch64 image" ;;
    esac
}

missing_packages() {
    local package installed
    # It fails when it knows nothing of a package, which is then not among its lines.
    installed="$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${PACKAGES[@]}" 2>/dev/null)" || true
    for package in "${PACKAGES[@]}"; do
        [[ $'\n'"${installed}"$'\n' == *$'\n'"${package} installed"$'\n'* ]] || printf '%s\n' "${package}"
    done
}

# apt_install PACKAGE...: installs from the mirror, or from the image's sources when there is none.
apt_install() {
    local options=() components=main
    if [[ -n "${PACKAGE_MIRROR}" ]]; then
        # shellcheck disable=SC1091
        . "${EXK8S_ROOT}/etc/os-release"
        [[ "${ID}" != ubuntu ]] || components="main universe"
        printf 'deb %s %s %s\n' "${PACKAGE_MIRROR}" "${VERSION_CODENAME}" "${components}" >"${WORK}/apt.list"
        options=(-o "Dir::Etc::sourcelist=${WORK}/apt.list" -o Dir::Etc::sourceparts=-)
    fi
    export DEBIAN_FRONTEND=noninteractive
    # Another boot job may hold the package lock.
    options+=(-o DPkg::Lock::Timeout=600 -o Acquire::Retries=5)
    apt-get "${options[@]}" update -y
    apt-get "${options[@]}" install -y --no-install-recommends "$@"
}

install_packages() {
    local missing
    mapfile -t missing < <(missing_packages)
    ((${#missing[@]})) || return 0
    apt_install "${missing[@]}"
    # The distribution starts its own instance; ours is exk8s-balancer.
    systemctl disable --now haproxy.service 2>/dev/null || true
}

download() {
    local address="https://$1"
    [[ -z "${BINARY_MIRROR}" ]] || address="${BINARY_MIRROR}/$1"
    curl --fail --location --silent --show-error --retry 5 --retry-all-errors --retry-delay 3 \
        --connect-timeout 15 --output "$2" "${address}"
}

# digest_of CHECKSUMS FILE: the digest that upstream's file gives, which either lists `digest  name`
# or holds one digest alone.
digest_of() {
    awk -v name="$2" '
        { sub(/^\*/, "", $2) }
        NF == 1 { only = $1 }
        $2 == name { found = $1 }
        END { print (found == "" ? only : found) }' "$1"
}

# ensure NAME VERSION ADDRESS CHECKSUMS SHA256 TARGET STRIP MEMBERS PROOF: `-` stands for nothing.
ensure() {
    local name="$1" version="$2" address="$3" checksums="$4" wanted="$5"
    local target="${EXK8S_ROOT}$6" strip="$7" members="$8" proof="${EXK8S_ROOT}$9"
    local file="${WORK}/${address##*/}" seen list=()
    if [[ -e "${proof}" && -f "${STAMPS}/${name}" && "$(<"${STAMPS}/${name}")" == "${version}" ]]; then
        return 0
    fi
    exk8s_log "installing ${name} ${version}"
    download "${address}" "${file}"
    if [[ "${wanted}" == - ]]; then
        download "${checksums}" "${WORK}/checksums"
        wanted="$(digest_of "${WORK}/checksums" "${file##*/}")"
    fi
    seen="$(sha256sum <"${file}")"
    seen="${seen%% *}"
    # In full they would look like secrets and be taken out of reports.
    [[ -n "${wanted}" && "${seen}" == "${wanted}" ]] ||
        exk8s_die "${name} ${version} from ${address} has SHA-256 ${seen::16}..., expected ${wanted::16}${wanted:+...}; check the mirror"
    if [[ "${strip}" == - ]]; then
        exk8s_replace "${target}" 0755 root:root <"${file}"
    else
        [[ "${members}" == - ]] || IFS=, read -r -a list <<<"${members}"
        mkdir -p "${target}"
        # --unlink-first: a running program's file is replaced, not written into.
        tar -xzf "${file}" -C "${target}" --strip-components="${strip}" --no-same-owner --unlink-first "${list[@]}"
    fi
    [[ -e "${proof}" ]] || exk8s_die "${name} ${version} does not hold ${proof}"
    exk8s_replace "${STAMPS}/${name}" 0644 root:root <<<"${version}"
    # Tells the node agent, when it runs this, which service has a new program.
    if [[ -n "${EXK8S_CHANGES:-}" ]]; then
        printf '%s\n' "${proof#"${EXK8S_ROOT}"}" >>"${EXK8S_CHANGES}"
    fi
    rm -f "${file}"
}

install_downloads() {
    local architecture name version address checksums amd64 arm64 target strip members proof sha256
    architecture="$(architecture)"
    while IFS=$'\t' read -r name version address checksums amd64 arm64 target strip members proof; do
        sha256="${amd64}"
        [[ "${architecture}" == amd64 ]] || sha256="${arm64}"
        ensure "${name}" "${version}" "${address//ARCH/${architecture}}" \
            "${checksums//ARCH/${architecture}}" "${sha256}" "${target}" "${strip}" \
            "${members//ARCH/${architecture}}" "${proof}"
    done <"${EXK8S_CONFIG}/downloads.tsv"
}

# etcd's user is made with the image rather than at the boot.
prepare_folders() {
    exk8s_ensure_owner etcd:etcd
    mkdir -p "${EXK8S_ROOT}/opt/cni/bin" "${EXK8S_ROOT}/etc/cni/net.d" "${EXK8S_ROOT}/etc/containerd/conf.d" \
        "${EXK8S_ROOT}/etc/kubernetes/manifests" "${EXK8S_ROOT}/etc/kubernetes/kubelet.conf.d" "${EXK8S_ROOT}/var/lib/kubelet"
}

prepare_folders
install_packages
install_downloads
EXK8S_END_OF_FILE
place '/etc/exk8s/config/cilium-values.yaml' 0644 <<'EXK8S_END_OF_FILE'
enableIPv4Masquerade: true
ipam:
  mode: cluster-pool
  operator:
    clusterPoolIPv4MaskSize: 24
    clusterPoolIPv4PodCIDRList:
      - 10.244.0.0/16
ipv4:
  enabled: true
ipv6:
  enabled: false
k8sServiceHost: 127.0.0.1
k8sServicePort: 7443
kubeProxyReplacement: "false"
routingMode: tunnel
tunnelProtocol: vxlan
EXK8S_END_OF_FILE

# A chart in a folder is already where nodes look for it.
pull_chart() {
    local from=("${CHARTS}/cilium")
    [[ "${CHARTS}" != /* ]] || return 0
    [[ "${CHARTS}" == oci://* ]] || from=(cilium --repo "${CHARTS}")
    mkdir -p "${STATE}/charts"
    helm pull "${from[@]}" --version "${CILIUM_VERSION}" --destination "${STATE}/charts"
}

cilium_images() {
    local chart="${STATE}/charts/cilium-${CILIUM_VERSION}.tgz"
    [[ "${CHARTS}" != /* ]] || chart="${CHARTS}/cilium"
    helm template cilium "${chart}" --namespace kube-system \
        --values "${EXK8S_ROOT}/etc/exk8s/config/cilium-values.yaml" |
        grep -oP '^[ -]*image: *"?\K[^" ]+'
}

pull_images() {
    local image
    for image in "$@"; do
        step "pulling ${image%@*}"
        ctr --namespace k8s.io images pull --hosts-dir /etc/containerd/certs.d "${image}"
    done
}

# What belongs to one machine and would be shared by all that are made of the image.
remove_own() {
    local root="${EXK8S_ROOT}"
    apt-get clean
    # A new machine gets both anew from cloud-init; without it nothing would make the host keys.
    if command -v cloud-init >/dev/null; then
        cloud-init clean --logs
        rm -f "${root}"/etc/ssh/ssh_host_*
    fi
    rm -rf "${root}/etc/exk8s" "${root}/usr/local/lib/exk8s" "${root}/var/log/exk8s" \
        "${root}/usr/local/bin"/exk8s-*.sh "${root}/etc/containerd/certs.d" \
        "${root}/etc/ssh/sshd_config.d/00-exk8s-bake.conf" \
        "${root}/root/.ssh/authorized_keys" "${root}"/home/*/.ssh/authorized_keys \
        "${root}/root/.cache/helm" "${root}/root/.config/helm" "${root}/root/.bash_history" \
        "${root}"/var/lib/apt/lists/* "${root}"/var/log/journal/*
    # systemd fills an empty one; without the file it would take the next boot for a first installation.
    : >"${root}/etc/machine-id"
}

step "packages and programs"
"${EXK8S_ROOT}/usr/local/bin/exk8s-install-control-plane-prereqs.sh"
sed -n 's/^[^ ]* \(installing .*\)/\1/p' "${LOG}" >&3
systemctl daemon-reload
systemctl enable --now containerd
if [[ "${CNI}" == cilium ]]; then
    step "the chart of Cilium ${CILIUM_VERSION}"
    pull_chart
    mapfile -t -O "${#IMAGES[@]}" IMAGES < <(cilium_images | sort -u)
fi
pull_images "${IMAGES[@]}"
step "removing what is this machine's own"
remove_own
sync
step "done: power this machine off and make an image of its disk"
