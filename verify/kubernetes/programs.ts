// Programs: the paths of all programs of a cluster. Those that are missing are built or installed
// once, which needs the network, so it happens before the sandbox opens.

import { ensureDebianPrograms } from "#tools/programs/debian.ts";
import { ensureGoProgram, HELM } from "#tools/programs/go-program.ts";
import { COREDNS, ETCD, KUBERNETES_PROGRAMS } from "#tools/programs/kubernetes.ts";
import type { KubernetesProgram } from "#tools/programs/kubernetes.ts";
import type { Program } from "./control-plane.ts";

export type ProgramPaths = Readonly<Record<Program | KubernetesProgram | "helm", string>>;

/** Program → its Debian package. CNI plug-ins are in a folder of their own. */
const DEBIAN = {
  containerd: "containerd",
  runc: "runc",
  "/usr/lib/cni/bridge": "containernetworking-plugins",
  iptables: "iptables",
  conntrack: "conntrack",
  ethtool: "ethtool",
  socat: "socat",
  openssl: "openssl",
} as const;

/** Throws ToolMissing with the remedy. */
export async function findPrograms(): Promise<ProgramPaths> {
  const { containerd } = await ensureDebianPrograms(DEBIAN);
  const kubernetes = {} as Record<KubernetesProgram, string>;
  for (const [name, program] of Object.entries(KUBERNETES_PROGRAMS)) {
    kubernetes[name as KubernetesProgram] = await ensureGoProgram(program);
  }
  return {
    ...kubernetes,
    containerd,
    etcd: await ensureGoProgram(ETCD),
    coredns: await ensureGoProgram(COREDNS),
    helm: await ensureGoProgram(HELM),
  };
}
