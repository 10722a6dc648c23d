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
