/** Where the etcd of a cluster stands: not begun, begun by a fixed set of control planes, or there. */
export const etcdStates = ["unfounded", "founding", "founded"] as const;
export type EtcdState = (typeof etcdStates)[number];
