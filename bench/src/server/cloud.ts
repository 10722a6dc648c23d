// Excloud's IAM and computeapi as far as first contacts ask them, for any number of VMs: the token
// and the address of a VM follow from its id. It counts its calls.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { answer } from "./processes";
import { addressOf, operatorKey, organisation, vmOfToken } from "./vms";

const calls = { me: 0, compute: 0 };

function reply(path: string, token: string): unknown {
    if (path === "/calls") {
        return calls;
    }
    if (path === "/me") {
        calls.me += 1;
        if (token === operatorKey) {
            return { org_id: organisation, kind: "user" };
        }
        const vmId = vmOfToken(token);
        return vmId && { org_id: organisation, kind: "machine", vm_id: vmId };
    }
    calls.compute += 1;
    const vmId = Number(path.replace("/compute/", ""));
    return { vm_id: vmId, interface_ipv4: addressOf(vmId) };
}

const server = createServer((request, response) => {
    const token = (request.headers.authorization ?? "").replace("Bearer ", "");
    const body = reply(request.url ?? "", token);
    response.writeHead(body === undefined ? 401 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(body ?? {}));
});
server.listen(0, "127.0.0.1", () => {
    answer({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
