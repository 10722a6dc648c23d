import type { Mirror, MirrorFault } from "../real/mirror";

/** What goes wrong on purpose around the nodes; nothing by default. */
export class NodeFaults {
    /** How long the metadata service thinks about each request, in milliseconds. */
    imdsDelayMs = 0;
    private mirror: Mirror | undefined;

    /** The mirror whose faults are set here; without real nodes there is none. */
    use(mirror: Mirror): void {
        this.mirror = mirror;
    }

    /** @throws Error when there is no mirror */
    async setMirror(fault: MirrorFault | undefined): Promise<void> {
        if (this.mirror === undefined) {
            throw new Error("only real nodes have a mirror");
        }
        await this.mirror.setFault(fault);
    }
}
