import { renderTemplate } from "../templates/render";
import { envLines } from "../templates/shell";
import { checkUserDataSize } from "./user-data";
import { check } from "./values/check";
import { defaultImdsUrl } from "./values/settings";

/**
 * Node.js and npm for the server, from the npm registry, each with the SHA-512 (base64) that the registry publishes:
 * distributions have a Node.js that is too old.
 */
export const serverRuntime = {
    node: {
        version: "22.23.3",
        sha512: {
            x64: "qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==",
            arm64: "l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==",
        },
    },
    npm: {
        version: "10.9.9",
        sha512: "1g+6jLQvaIuB4zwvHL7yrXuXcWZwDsCtBX8bbWDqbvJSSr9nPiDDWTHNgwXR27iIcTTW7v3A57hDW9RYv2W4Yg==",
    },
} as const;

/** Where the server listens on its VM. */
export const bootstrapServerPort = 8443;

const folder = "/opt/excloud-k8s-bootstrap";
const dataDir = "/var/lib/excloud-k8s-bootstrap";
const privateDataDir = "/var/lib/private/excloud-k8s-bootstrap";

/** What the VM of a bootstrap server is told. */
export interface BootstrapServerUserDataValues {
    /** Version of `excloud-k8s-bootstrap`. */
    version: string;
    /** Authority of the server's certificate; RSA, as the server issues its certificate itself. */
    caPem: string;
    caKeyPem: string;
    operatorToken: string;
    /** The server's own credential at Excloud. */
    apiKey: string;
    /** DNS name of the server; `""` for none. */
    host: string;
    /** npm registry, a URL without a slash at its end. */
    registry: string;
    computeBaseUrl: string;
    iamBaseUrl: string;
    imdsUrl?: string;
}

/**
 * Renders the script that a bootstrap server's VM runs at first boot.
 *
 * @throws when a value is malformed, or the text is larger than clouds take
 */
export function renderBootstrapServerUserData(values: BootstrapServerUserDataValues): string {
    check(
        "npmRegistry",
        values.registry,
        /^https?:\/\/\S*[^/\s]$/,
        "a URL without a slash at its end",
    );
    const { node, npm } = serverRuntime;
    const text = renderTemplate("bootstrap-server/bootstrap-server-userdata.sh", {
        folder,
        dataDir,
        privateDataDir,
        caPem: `${values.caPem.trim()}\n`,
        caKeyPem: `${values.caKeyPem.trim()}\n`,
        apiKey: values.apiKey,
        config: JSON.stringify({
            listen: `0.0.0.0:${bootstrapServerPort}`,
            computeBaseUrl: values.computeBaseUrl,
            iamBaseUrl: values.iamBaseUrl,
            operatorToken: values.operatorToken,
        }),
        release: envLines({
            SERVER_VERSION: values.version,
            SERVER_HOST: values.host,
            COMPUTE_BASE_URL: values.computeBaseUrl,
            REGISTRY: values.registry,
            NODE_VERSION: node.version,
            NODE_SHA512_X64: node.sha512.x64,
            NODE_SHA512_ARM64: node.sha512.arm64,
            NPM_VERSION: npm.version,
            NPM_SHA512: npm.sha512,
            IMDS_URL: values.imdsUrl ?? defaultImdsUrl,
        }),
    });
    checkUserDataSize(text);
    return text;
}
