/**
 * What the machine image of real nodes is: a Debian cloud image as far as the product can tell, less
 * what cannot run in a node that is a set of Linux namespaces.
 */
export const machineImage = {
    suite: "bookworm",

    packages: [
        // An operating system that boots.
        ...["systemd", "systemd-sysv", "dbus", "kmod", "procps", "util-linux"],
        // What a cloud image has.
        ...["ca-certificates", "curl", "gpgv", "iproute2", "iputils-ping", "jq", "openssl"],
        "openssh-server",
        // What the product's installer adds where it is missing, as an image baked for it has.
        ...["conntrack", "ebtables", "ethtool", "haproxy", "iptables", "socat"],
        // For tests that look at a node from inside, and for container images made from it.
        ...["dnsutils", "ipset", "netcat-openbsd", "nftables"],
    ],

    /** Each installed package's own service that a node does not run. */
    disabled: [
        // The product starts its own instance.
        "haproxy.service",
        "nftables.service",
        // Started where a builder of an image is to be reached.
        "ssh.service",
    ],

    /** Units that must not run in a namespace; masked, as systemd's presets enable some of them. */
    masked: {
        "the launcher makes the devices": ["systemd-udevd.service", "systemd-udev-trigger.service"],
        "the launcher configures the network; waiting for networkd hangs for two minutes": [
            "systemd-networkd.service",
            "systemd-networkd.socket",
            "systemd-networkd-wait-online.service",
            "systemd-resolved.service",
        ],
        "would ask on a console": ["systemd-firstboot.service"],
        "the clock and the crash store are the whole machine's": [
            "systemd-timesyncd.service",
            "systemd-pstore.service",
        ],
        "nobody logs in": ["systemd-logind.service", "getty@tty1.service", "console-getty.service"],
        "would use processor time in the middle of a test": [
            "apt-daily.timer",
            "apt-daily-upgrade.timer",
            "dpkg-db-backup.timer",
            "e2scrub_all.timer",
            "e2scrub_reap.service",
            "fstrim.timer",
        ],
    },

    /** Kernel modules that `modprobe` finds built in; the machine's kernel must have or load them. */
    kernelModules: [
        "kernel/fs/overlayfs/overlay.ko",
        "kernel/net/bridge/br_netfilter.ko",
        "kernel/net/netfilter/nf_conntrack.ko",
        "kernel/drivers/net/vxlan/vxlan.ko",
    ],

    units: {
        // The part of cloud-init that the product relies on. As there, a script that began is not run
        // again at the next boot of the same instance, whether it succeeded or not: what must go on is a
        // unit of its own. An instance made of another one's disk has another machine id.
        "excloud-user-data.service": `[Unit]
Description=Run the user data of this instance once
After=network.target
ConditionPathExists=/var/lib/excloud/user-data
ConditionPathExists=!/var/lib/excloud/user-data.done-%m

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=infinity
ExecStartPre=/usr/bin/touch /var/lib/excloud/user-data.done-%m
ExecStart=/bin/bash /var/lib/excloud/user-data
StandardOutput=journal
StandardError=journal

[Install]
WantedBy=multi-user.target
`,
    },

    /** Removed at the end: what belongs to one node or to this machine, and what only takes room. */
    removed: [
        // The launcher writes one for each node. Without it systemd would enable every unit anew.
        "etc/machine-id",
        "var/lib/dbus/machine-id",
        "etc/hostname",
        "etc/resolv.conf",
        "var/log/bootstrap.log",
        "usr/share/doc",
        "usr/share/info",
        "usr/share/locale",
        "usr/share/man",
    ],

    /** Emptied at the end. */
    emptied: ["var/cache/apt", "var/lib/apt/lists"],
} as const;
