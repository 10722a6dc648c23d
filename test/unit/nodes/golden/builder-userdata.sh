#!/usr/bin/env bash
# First boot of a machine that an image is made from: root may log in with one key, and the machine is known
# by one host key. Both lie in memory only, so that no image holds them.
set -euo pipefail
KEYS=/run/exk8s-bake
mkdir -p "${KEYS}"
install -m 0600 /dev/stdin "${KEYS}/host_key" <<'KEY'
-----BEGIN OPENSSH KEY-----
AA==
-----END OPENSSH KEY-----
KEY
install -m 0644 /dev/stdin "${KEYS}/authorized_keys" <<'KEY'
ssh-ed25519 AAAA
KEY
cat >/etc/ssh/sshd_config.d/00-exk8s-bake.conf <<CONFIG
HostKey ${KEYS}/host_key
AuthorizedKeysFile ${KEYS}/authorized_keys
PermitRootLogin prohibit-password
CONFIG
systemctl restart ssh
# Whatever becomes of the run that bakes, this machine does not go on for long.
systemd-run --on-active=7200 systemctl poweroff
