#!/usr/bin/env bash
# First boot of a node: proves which VM this is, fetches its bundle and starts its bootstrap.
set -euo pipefail
IMDS_BASE_URL="${EXC_IMDS_BASE_URL:-http://imdsapi.excloud.in}"
BOOTSTRAP_BASE_URL='https://boot.test:8443'
NODE_ROLE='control-plane'
VERIFIER_MODE='selfHosted'
SLOT_SECRET='not-a-secret'
BOOTSTRAP_CA_PEM='-----BEGIN CERTIFICATE-----
AA==
-----END CERTIFICATE-----
'
PACKAGE_MIRROR=''

# Every path is below this folder: empty on a node, a scratch folder in tests.
EXK8S_ROOT="${EXK8S_ROOT:-}"
SELF="${EXK8S_ROOT}/usr/local/sbin/exk8s-userdata.sh"
RUNTIME="${EXK8S_ROOT}/etc/exk8s/runtime"
LOGS="${EXK8S_ROOT}/var/log/exk8s"
mkdir -p "${LOGS}" "${RUNTIME}"
umask 077
exec > >(tee -a "${LOGS}/bootstrap-userdata.log") 2>&1

# User data runs once; as a unit it survives a reboot and is tried again until it succeeds.
if [[ "${1:-}" != run && -f "$0" && -d "${EXK8S_ROOT}/run/systemd/system" ]]; then
    install -m 0700 "$0" "${SELF}"
    cat >"${EXK8S_ROOT}/etc/systemd/system/exk8s-userdata.service" <<UNIT
[Unit]
Description=First contact of this node with its bootstrap server
After=network-online.target
Wants=network-online.target
ConditionPathExists=${SELF}
StartLimitIntervalSec=0
[Service]
Type=oneshot
Environment="EXC_IMDS_BASE_URL=${IMDS_BASE_URL}"
ExecStart=${SELF} run
TimeoutStartSec=infinity
Restart=on-failure
RestartSec=10
[Install]
WantedBy=multi-user.target
UNIT
    # No reload: systemd reads a unit that it has not met when it starts it.
    systemctl --no-reload enable exk8s-userdata.service
    systemctl start --no-block exk8s-userdata.service
    exit 0
fi

STARTED="$(date -u +%Y-%m-%dT%H:%M:%SZ)"
WORK="$(mktemp -d)"
trap 'rm -rf "${WORK}"' EXIT

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

if ! command -v curl >/dev/null || ! command -v jq >/dev/null; then
    apt_install ca-certificates curl jq
fi

printf '%s' "${BOOTSTRAP_CA_PEM}" >"${RUNTIME}/bootstrap-ca.pem"
TRUST=()
[[ -z "${BOOTSTRAP_CA_PEM}" ]] || TRUST=(--cacert "${RUNTIME}/bootstrap-ca.pem")

# Secrets reach curl through standard input, where no process list shows them.
imds() {
    local token="$1" path="$2"
    {
        [[ -z "${token}" ]] || printf 'header = "X-exc-imds-token: %s"\n' "${token}"
    } | curl --config - -fsS --max-time 10 "${IMDS_BASE_URL}${path}"
}

# Tokens are asked for anew at every try: they may expire while a bundle is waited for.
factors() {
    IMDS_TOKEN="$(imds "" /token)" && [[ -n "${IMDS_TOKEN}" ]] || return 1
    VM_ID="$(imds "${IMDS_TOKEN}" /latest/identity/node-identity | jq -er .node_id)" || return 1
    ACCESS_TOKEN="$(imds "${IMDS_TOKEN}" /latest/identity/access-token | jq -er .access_token)"
}

fetch() {
    {
        printf 'header = "Authorization: Bearer %s"\n' "${ACCESS_TOKEN}"
        if [[ "${VERIFIER_MODE}" == excloud ]]; then
            printf 'header = "X-exc-imds-token: %s"\n' "${IMDS_TOKEN}"
        else
            printf 'header = "X-exk8s-slot-secret: %s"\n' "${SLOT_SECRET}"
        fi
    } | curl --config - -sS --max-time 60 "${TRUST[@]}" -o "${WORK}/bundle.json" \
        -w '%{http_code}' "${BOOTSTRAP_BASE_URL}/bootstrap/${NODE_ROLE}/${VM_ID}"
}

misses=0
# Seconds between tries; the last goes on.
pauses=(0.5 0.5 1 1 2 2 4 6 8 10)
while true; do
    if ! factors; then
        misses=$((misses + 1))
        if ((misses >= 120)); then
            echo "error: the metadata service at ${IMDS_BASE_URL} did not answer 120 times"
            exit 1
        fi
        sleep "$((misses < 10 ? 1 : 5))"
        continue
    fi
    misses=0
    FETCH_STARTED="${FETCH_STARTED:-$(date -u +%Y-%m-%dT%H:%M:%SZ)}"
    status="$(fetch)" || status=000
    if [[ "${status}" == 200 ]] && jq -e '.files and .attributes and .agent_token' "${WORK}/bundle.json" >/dev/null; then
        break
    fi
    # 401 too: until the server learns this VM's id it refuses like any stranger.
    echo "no bundle yet: HTTP ${status} $(jq -r '.error.code? // ""' "${WORK}/bundle.json" 2>/dev/null || true)"
    sleep "${pauses[0]}"
    ((${#pauses[@]} == 1)) || pauses=("${pauses[@]:1}")
done

{
    printf "BOOTSTRAP_BASE_URL='%s'\n" "${BOOTSTRAP_BASE_URL}"
    printf "NODE_NAME='%s'\n" "$(jq -r .node_name "${WORK}/bundle.json")"
    printf "VM_ID='%s'\n" "${VM_ID}"
} >"${RUNTIME}/bootstrap.env"

# The bundle brings its own writer.
mkdir -p "${WORK}/lib"
for part in common report; do
    jq -j --arg path "/usr/local/lib/exk8s/${part}.sh" '.files[$path]' "${WORK}/bundle.json" >"${WORK}/lib/${part}.sh"
    # shellcheck disable=SC1090
    . "${WORK}/lib/${part}.sh"
done
umask 022
exk8s_write_files "${WORK}/bundle.json" >/dev/null
exk8s_remove_files "${WORK}/bundle.json" >/dev/null
exk8s_write_runtime "${WORK}/bundle.json" >/dev/null
exk8s_load_environment
exk8s_report_later userdata "done" "${STARTED}" "${FETCH_STARTED}"
BUNDLE_DONE="$(exk8s_now)"

systemctl --no-reload enable exk8s-bootstrap.service
systemctl start --no-block exk8s-bootstrap.service
exk8s_report_later bundle "done" "${FETCH_STARTED}" "${BUNDLE_DONE}"
exk8s_reports_sent
# The secret of the slot has served its purpose.
rm -f "${SELF}"
