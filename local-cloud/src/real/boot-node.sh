#!/bin/bash
# Powers a node on: systemd in namespaces of its own, on a root file system of its own. Becomes the
# process that lives as long as the node and dies of the signal that ended the node's init.
#
#   IMAGE      machine image, the read-only lower layer of the node's root
#   DISK       file that holds the node's disk, an ext4 file system
#   WORK       folder of what lives while the node runs
#   SEED       folder of files that are put onto the disk at every boot
#   SYSCTL     folder of files that stand over those of /proc/sys
#   NETNS      network namespace
#   HOSTNAME_  host name
set -euo pipefail

# A cgroup below that of the caller in every hierarchy, before the cgroup namespace is made: a node sees
# its own as the root. Read as a whole first, as joining one changes the list.
enter_cgroups() {
    local line controllers path hierarchy folder
    local -a lines
    mapfile -t lines </proc/self/cgroup
    : >"${WORK}/cgroups"
    for line in "${lines[@]}"; do
        IFS=: read -r _ controllers path <<<"${line}"
        case "${controllers}" in
            "") hierarchy=unified ;;
            name=systemd) hierarchy=systemd ;;
            *) hierarchy="${controllers%%,*}" ;;
        esac
        folder="/sys/fs/cgroup/${hierarchy}${path%/}/${NETNS}"
        mkdir -p "${folder}"
        if [[ "${hierarchy}" == cpuset ]]; then
            cat "${folder}/../cpuset.cpus" >"${folder}/cpuset.cpus"
            cat "${folder}/../cpuset.mems" >"${folder}/cpuset.mems"
        fi
        printf '%s\n' "${folder}" >>"${WORK}/cgroups"
        printf '%s\n' "$$" >"${folder}/cgroup.procs"
    done
}

mount_root() {
    local folder
    mkdir -p "${WORK}/disk" "${ROOT}"
    mount -o loop "${DISK}" "${WORK}/disk"
    mkdir -p "${WORK}/disk/upper" "${WORK}/disk/work"
    mount -t overlay overlay \
        -o "lowerdir=${IMAGE},upperdir=${WORK}/disk/upper,workdir=${WORK}/disk/work" "${ROOT}"
    # An overlay cannot be the upper layer of another, which containers need.
    for folder in var/lib/containerd var/lib/kubelet var/lib/etcd var/log/pods; do
        mkdir -p "${WORK}/disk/data/${folder}" "${ROOT}/${folder}"
        mount --bind "${WORK}/disk/data/${folder}" "${ROOT}/${folder}"
    done
    cp -a "${SEED}/." "${ROOT}/"
}

mount_kernel_files() {
    local file controller
    mount -t proc -o nosuid,nodev,noexec proc "${ROOT}/proc"
    mount --bind "${ROOT}/proc/sys" "${ROOT}/proc/sys"
    mount --bind "${ROOT}/proc/sys/net" "${ROOT}/proc/sys/net"
    mount -o remount,bind,ro "${ROOT}/proc/sys"
    while IFS= read -r -d '' file; do
        mount --bind "${SYSCTL}/${file}" "${ROOT}/proc/sys/${file}"
    done < <(cd "${SYSCTL}" && find . -type f -print0)
    mount -t sysfs -o nosuid,nodev,noexec sysfs "${ROOT}/sys"
    mount -t tmpfs -o mode=755 tmpfs "${ROOT}/sys/fs/cgroup"
    for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
        mkdir "${ROOT}/sys/fs/cgroup/${controller}"
        mount -t cgroup -o "${controller}" cgroup "${ROOT}/sys/fs/cgroup/${controller}"
    done
    mkdir "${ROOT}/sys/fs/cgroup/systemd" "${ROOT}/sys/fs/cgroup/unified"
    mount -t cgroup -o none,name=systemd cgroup "${ROOT}/sys/fs/cgroup/systemd"
    mount -t cgroup2 cgroup2 "${ROOT}/sys/fs/cgroup/unified"
}

mount_devices() {
    local name mode major minor
    mount -t tmpfs -o mode=755,nosuid tmpfs "${ROOT}/dev"
    mkdir -p "${ROOT}/dev/pts" "${ROOT}/dev/shm" "${ROOT}/dev/mqueue" "${ROOT}/dev/net"
    while read -r name mode major minor; do
        mknod -m "${mode}" "${ROOT}/dev/${name}" c "${major}" "${minor}"
    done <<'DEVICES'
null 666 1 3
zero 666 1 5
full 666 1 7
random 666 1 8
urandom 666 1 9
kmsg 644 1 11
tty 666 5 0
fuse 666 10 229
net/tun 666 10 200
DEVICES
    touch "${ROOT}/dev/console"
    mount --bind "${WORK}/console.log" "${ROOT}/dev/console"
    mount -t devpts -o newinstance,mode=620,ptmxmode=666,gid=5 devpts "${ROOT}/dev/pts"
    ln -s pts/ptmx "${ROOT}/dev/ptmx"
    ln -s /proc/self/fd "${ROOT}/dev/fd"
    ln -s fd/0 "${ROOT}/dev/stdin"
    ln -s fd/1 "${ROOT}/dev/stdout"
    ln -s fd/2 "${ROOT}/dev/stderr"
    mount -t tmpfs -o mode=1777 tmpfs "${ROOT}/dev/shm"
    mount -t mqueue mqueue "${ROOT}/dev/mqueue"
    mount -t tmpfs -o mode=755,size=25% tmpfs "${ROOT}/run"
}

start_init() {
    hostname "${HOSTNAME_}"
    mount_root
    mount_kernel_files
    mount_devices
    cd "${ROOT}"
    mkdir -p .outside
    pivot_root . .outside
    cd /
    umount -l /.outside
    rmdir /.outside
    # systemd does this by itself only outside containers; mounts of pods that spread to the node need it.
    mount --make-rshared /
    exec env -i container=excloud-local PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=linux \
        /sbin/init --log-target=journal </dev/null
}

ROOT="${WORK}/root"
if [[ "${1:-}" == init ]]; then
    start_init
else
    enter_cgroups
    exec nsenter --net="/run/netns/${NETNS}" \
        unshare --mount --uts --ipc --cgroup --pid --fork --kill-child=SIGKILL --propagation private \
        /bin/bash "$0" init
fi
