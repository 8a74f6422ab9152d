// Node configuration: the files that containerd, its CNI plug-ins, kubelet and CoreDNS read.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cgroupName, NODE_ADDRESS, sandboxFolder } from "./sandbox.ts";

/** Every pod has a container of this image, which does nothing. */
export const PAUSE_IMAGE = "parley-pause:local";
export const POD_ADDRESSES = "10.91.0.0/16";
const DOMAIN = "cluster.local";

export interface NodePaths {
  readonly certificates: string;
  readonly containerdSocket: string;
  readonly containerdConfig: string;
  readonly kubelet: string;
  readonly kubeletConfig: string;
  readonly corefile: string;
  readonly volumes: string;
}

export function pathsIn(folder: string): NodePaths {
  return {
    certificates: join(folder, "certificates"),
    containerdSocket: join(folder, "containerd.sock"),
    containerdConfig: join(folder, "containerd.toml"),
    kubelet: join(folder, "kubelet"),
    kubeletConfig: join(folder, "kubelet.json"),
    corefile: join(folder, "Corefile"),
    volumes: join(folder, "volumes"),
  };
}

export function writeNodeConfig(folder: string): void {
  const paths = pathsIn(folder);
  const cni = join(folder, "cni");
  for (const needed of [cni, paths.kubelet, paths.volumes]) mkdirSync(needed, { recursive: true });
  writeFileSync(join(cni, "10-bridge.conflist"), JSON.stringify(bridge(folder)));
  writeFileSync(paths.containerdConfig, containerd(folder, cni));
  writeFileSync(paths.kubeletConfig, JSON.stringify(kubelet(folder)));
  writeFileSync(paths.corefile, corefile(paths));
}

function bridge(folder: string): object {
  const ipam = {
    type: "host-local",
    dataDir: join(folder, "addresses"),
    ranges: [[{ subnet: POD_ADDRESSES }]],
    routes: [{ dst: "0.0.0.0/0" }],
  };
  const network = { type: "bridge", bridge: "cni0", isGateway: true, ipMasq: true, ipam };
  return {
    cniVersion: "0.4.0",
    name: "parley",
    plugins: [
      { ...network, hairpinMode: true },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
}

function containerd(folder: string, cni: string): string {
  return `version = 2
root = "${folder}/containerd/root"
state = "${folder}/containerd/state"
[grpc]
  address = "${pathsIn(folder).containerdSocket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/library/${PAUSE_IMAGE}"
  # A container may not lower the oom_score_adj that this process has.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${cni}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`;
}

function kubelet(folder: string): object {
  const { certificates, containerdSocket } = pathsIn(folder);
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: "0.0.0.0",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(certificates, "ca.crt") },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: join(certificates, "kubelet-server.crt"),
    tlsPrivateKeyFile: join(certificates, "kubelet-server.key"),
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroupName(sandboxFolder())}`,
    failCgroupV1: false,
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    clusterDNS: [NODE_ADDRESS],
    clusterDomain: DOMAIN,
    resolvConf: "",
    failSwapOn: false,
    podLogsDir: join(folder, "pod-logs"),
    volumePluginDir: join(folder, "volume-plugins"),
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      "nodefs.available": "1%",
      "imagefs.available": "1%",
      "memory.available": "200Mi",
    },
    enforceNodeAllocatable: ["pods"],
  };
}

function corefile({ certificates }: NodePaths): string {
  return `.:53 {
  bind ${NODE_ADDRESS}
  errors
  kubernetes ${DOMAIN} in-addr.arpa {
    kubeconfig ${join(certificates, "admin.kubeconfig")}
    ttl 5
  }
}
`;
}
