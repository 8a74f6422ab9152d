// Control plane: the words with which each program of a cluster starts.
//
// Owns: the order of the start and the settings. Does not own: processes and waits (cluster.ts).

import { join } from "node:path";
import { NODE, API_PORT } from "./certificates.ts";
import { pathsIn, POD_ADDRESSES } from "./node-config.ts";
import { NODE_ADDRESS } from "./sandbox.ts";

const ETCD = "http://127.0.0.1:2379";
const ETCD_PEER = "http://127.0.0.1:2380";

export const API_SERVER = "kube-apiserver";
/** In the order of their start. The last ones need the API. */
export const PROGRAMS = [
  "etcd",
  "containerd",
  API_SERVER,
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "coredns",
] as const;
export type Program = (typeof PROGRAMS)[number];

export function wordsOf(folder: string): Readonly<Record<Program, readonly string[]>> {
  const paths = pathsIn(folder);
  const certificate = (name: string): string => join(paths.certificates, name);
  const kubeconfig = (name: string): string => certificate(`${name}.kubeconfig`);
  return {
    etcd: [
      `--data-dir=${join(folder, "etcd")}`,
      `--listen-client-urls=${ETCD}`,
      `--advertise-client-urls=${ETCD}`,
      `--listen-peer-urls=${ETCD_PEER}`,
      // A cluster for tests need not survive a crash of the machine.
      "--unsafe-no-fsync",
    ],
    containerd: ["--config", paths.containerdConfig],
    "kube-apiserver": apiServer(certificate),
    "kube-controller-manager": [
      ...["", "authentication-", "authorization-"].map(
        (use) => `--${use}kubeconfig=${kubeconfig("controller-manager")}`,
      ),
      `--service-account-private-key-file=${certificate("tokens.key")}`,
      `--root-ca-file=${certificate("ca.crt")}`,
      `--cluster-signing-cert-file=${certificate("ca.crt")}`,
      `--cluster-signing-key-file=${certificate("ca.key")}`,
      `--cluster-cidr=${POD_ADDRESSES}`,
      "--use-service-account-credentials=true",
      "--leader-elect=false",
      "--allocate-node-cidrs=false",
      "--horizontal-pod-autoscaler-sync-period=5s",
    ],
    "kube-scheduler": [
      ...["", "authentication-", "authorization-"].map(
        (use) => `--${use}kubeconfig=${kubeconfig("scheduler")}`,
      ),
      "--leader-elect=false",
    ],
    kubelet: [
      `--config=${paths.kubeletConfig}`,
      `--kubeconfig=${kubeconfig("kubelet")}`,
      `--root-dir=${paths.kubelet}`,
      `--cert-dir=${join(paths.kubelet, "pki")}`,
      `--hostname-override=${NODE}`,
      `--node-ip=${NODE_ADDRESS}`,
    ],
    "kube-proxy": [
      `--kubeconfig=${kubeconfig("proxy")}`,
      `--hostname-override=${NODE}`,
      `--cluster-cidr=${POD_ADDRESSES}`,
      "--proxy-mode=iptables",
      // The table of connections belongs to the machine.
      "--conntrack-max-per-core=0",
    ],
    coredns: ["-conf", paths.corefile],
  };
}

function apiServer(certificate: (name: string) => string): string[] {
  return [
    `--etcd-servers=${ETCD}`,
    `--advertise-address=${NODE_ADDRESS}`,
    `--secure-port=${API_PORT}`,
    "--service-cluster-ip-range=10.96.0.0/16",
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    `--client-ca-file=${certificate("ca.crt")}`,
    `--tls-cert-file=${certificate("apiserver.crt")}`,
    `--tls-private-key-file=${certificate("apiserver.key")}`,
    `--kubelet-certificate-authority=${certificate("ca.crt")}`,
    `--kubelet-client-certificate=${certificate("admin.crt")}`,
    `--kubelet-client-key=${certificate("admin.key")}`,
    "--kubelet-preferred-address-types=InternalIP",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${certificate("tokens.pub")}`,
    `--service-account-signing-key-file=${certificate("tokens.key")}`,
    // For the metrics that prometheus-adapter serves through this server.
    `--requestheader-client-ca-file=${certificate("ca.crt")}`,
    "--requestheader-allowed-names=front-proxy-client",
    "--requestheader-username-headers=X-Remote-User",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    `--proxy-client-cert-file=${certificate("front-proxy.crt")}`,
    `--proxy-client-key-file=${certificate("front-proxy.key")}`,
    "--enable-aggregator-routing=true",
  ];
}
