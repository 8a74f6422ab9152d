// Kubernetes programs: the parts of a cluster and of its metrics, as pinned Go programs.
//
//   kubernetes.1. Each program reports the version of its go.mod. Without it, Helm and the API
//        would take the programs for version 0.0.0.

import type { GoProgram } from "./go-program.ts";

export const KUBERNETES_RELEASE = "1.34.4";

const [MAJOR = "", MINOR = ""] = KUBERNETES_RELEASE.split(".");
const VERSION = "k8s.io/component-base/version";
/** kubernetes.1. */
const LINKED = [
  `-X ${VERSION}.gitVersion=v${KUBERNETES_RELEASE}`,
  `-X ${VERSION}.gitMajor=${MAJOR}`,
  `-X ${VERSION}.gitMinor=${MINOR}`,
  "-s -w",
].join(" ");

export type KubernetesProgram =
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kubelet"
  | "kube-proxy"
  | "kubectl";

function part(name: KubernetesProgram): GoProgram {
  return {
    name,
    variable: name.toUpperCase().replaceAll("-", "_"),
    folder: "kubernetes",
    module: `k8s.io/kubernetes/cmd/${name}`,
    ldflags: LINKED,
    isOnlyOwn: true,
  };
}

/** All of them are of one version, so none is taken from PATH. */
export const KUBERNETES_PROGRAMS: Readonly<Record<KubernetesProgram, GoProgram>> = {
  "kube-apiserver": part("kube-apiserver"),
  "kube-controller-manager": part("kube-controller-manager"),
  "kube-scheduler": part("kube-scheduler"),
  kubelet: part("kubelet"),
  "kube-proxy": part("kube-proxy"),
  kubectl: part("kubectl"),
};

export const ETCD: GoProgram = {
  name: "etcd",
  variable: "ETCD",
  folder: "etcd",
  module: "go.etcd.io/etcd/server/v3",
  isOnlyOwn: true,
};

export const COREDNS: GoProgram = {
  name: "coredns",
  variable: "COREDNS",
  folder: "coredns",
  module: "github.com/coredns/coredns",
};

export const PROMETHEUS_ADAPTER: GoProgram = {
  name: "prometheus-adapter",
  variable: "PROMETHEUS_ADAPTER",
  folder: "prometheus-adapter",
  module: "sigs.k8s.io/prometheus-adapter/cmd/adapter",
};
