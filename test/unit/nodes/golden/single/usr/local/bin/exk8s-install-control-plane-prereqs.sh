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
