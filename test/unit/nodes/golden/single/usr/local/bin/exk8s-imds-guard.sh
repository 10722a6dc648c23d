#!/usr/bin/env bash
# Drops what pods send to the instance metadata service, which would tell them who this VM is. Pods
# on the host's network are the host and are not covered. IPv4 only, the pods' one family: pods
# that a user gives IPv6 addresses are not kept away over IPv6.
set -euo pipefail
LIB="${EXK8S_ROOT:-}/usr/local/lib/exk8s"
. "${LIB}/common.sh"
exk8s_load_environment

authority="${IMDS_URL#*://}"
authority="${authority%%/*}"
host="${authority%%:*}"
port=80
[[ "${IMDS_URL}" != https://* ]] || port=443
[[ "${authority}" != *:* ]] || port="${authority##*:}"

addresses="$(getent ahostsv4 "${host}" | awk '{ print $1 }' | sort -u)"
[[ -n "${addresses}" ]] || exk8s_die "the metadata service's name ${host} has no address yet"
for address in ${addresses}; do
    rule=(-s "${POD_CIDR}" -d "${address}" -p tcp --dport "${port}" -j DROP)
    # In the table that is asked first: Cilium accepts all that its pods send in those after it.
    iptables -w 10 -t raw -C PREROUTING "${rule[@]}" 2>/dev/null ||
        iptables -w 10 -t raw -I PREROUTING 1 "${rule[@]}"
done
