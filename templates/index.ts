/** The texts on a node: what each file says, and how a bundle of them is named. */
export * from "./bake";
export * from "./bootstrap-server";
export * from "./cidr";
export * from "./components";
export type { ConfigObject } from "./config-object";
export * from "./downloads";
export * from "./files";
export type { ExtraArgs } from "./flags";
export * from "./kubeconfig";
export * from "./paths";
export * from "./settings";
export * from "./shell";
export * from "./userdata";
export * from "./values";
export * from "./versions";
