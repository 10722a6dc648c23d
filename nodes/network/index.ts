import { bridge } from "./bridge";
import { cilium } from "./cilium";
import type { PodNetworkName } from "./names";
import { none } from "./none";
import type { PodNetwork } from "./pod-network";

/** The pod networks, by name. */
export const podNetworks: Readonly<Record<PodNetworkName, PodNetwork>> = { cilium, bridge, none };
