import type { Work } from "../lifecycle";
import type { CallFaults } from "./call-faults";

/** The same work, except that VMs whose creation was hit fail, or stay, in CREATING. */
export const spoiltVms =
    (work: Work, faults: CallFaults): Work =>
    (vm, done, failed) => {
        if (vm.state !== "CREATING") {
            return work(vm, done, failed);
        }
        // Which VMs are hit is known once their creation is answered, after the work has started.
        const created = (): void => {
            const fault = faults.vms.get(vm.vm_id);
            if (fault === "vm-error") {
                failed();
            }
            // The lifecycle ignores this for a VM that has been terminated meanwhile.
            else if (fault === "vm-stuck") {
                void faults.untilCleared().then(done);
            } else {
                done();
            }
        };
        return work(vm, created, failed);
    };
