// The cluster itself: a pod that runs an imported image, and a Service that other pods reach by its
// name. The tests of the chart depend on both.

import { expect } from "chai";
import { until } from "#shared/testing/wait.ts";
import { LOOK_EVERY_MS } from "./api.ts";
import { startCluster } from "./cluster.ts";
import type { KubernetesCluster } from "./cluster.ts";
import { IMAGE, imagesFile } from "./images.ts";

const WITHIN_MS = 120_000;
const NAMESPACE = "names";
const SERVER = `require("http").createServer((_, answer) => answer.end("hello")).listen(8080)`;
const CLIENT = `fetch("http://server.${NAMESPACE}.svc.cluster.local").then((a) => a.text()).then(console.log)`;

function pod(name: string, script: string, restartPolicy: string): object {
  const image = `${IMAGE.repository}:${IMAGE.tag}`;
  const container = { name, image, imagePullPolicy: "Never", command: ["node", "-e", script] };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE, labels: { name } },
    spec: { restartPolicy, terminationGracePeriodSeconds: 1, containers: [container] },
  };
}

describe("The cluster for tests", () => {
  let cluster: KubernetesCluster;
  before(async () => {
    cluster = await startCluster();
    await cluster.importImages(imagesFile());
    await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
  });
  after(async () => {
    await cluster.kubectl("delete", "namespace", NAMESPACE);
  });

  it("kubernetes/cluster.1: a pod reaches another one by the name of its Service", async () => {
    await cluster.apply(pod("server", SERVER, "Always"), {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "server", namespace: NAMESPACE },
      spec: { selector: { name: "server" }, ports: [{ port: 80, targetPort: 8080 }] },
    });
    const ready = ["--for=condition=Ready", "pod/server", "--timeout=120s"];
    await cluster.kubectl("wait", `--namespace=${NAMESPACE}`, ...ready);
    await cluster.apply(pod("client", CLIENT, "OnFailure"));
    await until(
      async () => {
        const log = await cluster
          .kubectl("logs", `--namespace=${NAMESPACE}`, "client")
          .catch(() => "");
        return log.trim() === "hello";
      },
      {
        withinMs: WITHIN_MS,
        everyMs: LOOK_EVERY_MS,
        what: "the answer of the Service in the log of the client",
      },
    );
  });

  it("kubernetes/cluster.2: startCluster returns the cluster that runs", async () => {
    const again = await startCluster();
    expect(await again.kubectl("get", "nodes", "--output=name")).to.equal("node/node1\n");
  });
});
