/** Parts of a package's name and the platform they stand for, in the lock file's fields. */
const PLATFORM = {
    cpu: named("arm", "arm64", "ia32", "loong64", "ppc64", "riscv64", "s390x", "x64"),
    libc: { gnu: "glibc", gnueabihf: "glibc", musl: "musl", musleabihf: "musl" },
    os: named("android", "darwin", "freebsd", "linux", "openharmony", "win32"),
};

function named(...names) {
    return Object.fromEntries(names.map((name) => [name, name]));
}

/** Entries by folder that a lock file lacks for optional dependencies of packages it has. */
export function absentOptionalPackages(lock) {
    const absent = {};
    for (const [folder, entry] of Object.entries(lock.packages)) {
        for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
            if (!isLocked(lock, folder, name)) {
                absent[`node_modules/${name}`] = entryFor(name, range, entry);
            }
        }
    }
    return absent;
}

/** Looks where Node.js would: in the package's own folder, then in every one around it. */
function isLocked(lock, folder, name) {
    if (`${folder === "" ? "" : `${folder}/`}node_modules/${name}` in lock.packages) {
        return true;
    }
    const around = folder.lastIndexOf("node_modules/");
    return around < 0
        ? folder !== "" && isLocked(lock, "", name)
        : isLocked(lock, folder.slice(0, around).replace(/\/$/, ""), name);
}

function entryFor(name, version, parent) {
    if (!/^\d+\.\d+\.\d+/.test(version)) {
        throw new Error(`${name} is wanted as ${version}: only an exact version can be put back`);
    }
    const parts = name.split("/").at(-1).split("-");
    const platform = Object.entries(PLATFORM)
        .map(([field, values]) => [field, parts.map((part) => values[part]).filter(Boolean)])
        .filter(([, values]) => values.length > 0);
    if (platform.length === 0) {
        throw new Error(`${name} names no platform: the lock file has to get it from a registry`);
    }
    return {
        version,
        ...(parent.dev ? { dev: true } : {}),
        optional: true,
        ...Object.fromEntries(platform),
    };
}
