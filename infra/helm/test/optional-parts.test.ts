// The optional parts of the chart, where they are switched on: webhooks, the admin page,
// attachments.

import { expect } from "chai";
import { readConfig } from "#shared/process/config.ts";
import { configSchema as operatorSchema } from "../../../services/operator/config.ts";
import { configSchema as webhooksSchema } from "../../../services/webhooks/config.ts";
import {
  componentOf,
  environmentOf,
  helmOrSkip,
  ofKind,
  podsOf,
  render,
  secretsMountedBy,
  VARIANTS,
} from "./chart.ts";
import type { KubernetesObject, PodSpec } from "./chart.ts";

const RELEASES = [
  "auth=jwks",
  "webhooks, with monitoring",
  "the admin page, with monitoring",
  "the admin page, with auth=dev",
  "attachments in a volume",
  "attachments in S3",
];

describe("The optional parts of the Helm chart", function () {
  this.timeout(30 * 60_000);
  const releases = new Map<string, KubernetesObject[]>();
  const release = (name: string): KubernetesObject[] => releases.get(name)!;

  before(async function () {
    const helm = await helmOrSkip(this);
    const renders = RELEASES.map((name) => [name, render(helm, VARIANTS[name]!)] as const);
    for (const [name, objects] of renders) releases.set(name, await objects);
  });

  it("W8: the environment of webhooks is valid; they have a role of their own, which migrate creates", () => {
    const pods = new Map(podsOf(release("webhooks, with monitoring")));
    // The password is a file of the Secret.
    const { DATABASE_PASSWORD_FILE: file, ...environment } = environmentOf(
      pods.get("webhooks")!.containers[0]!,
    );
    expect(file).to.equal("/secrets/postgres-webhooks-password");
    const { WEBHOOKS_ALLOW, WEBHOOKS_HTTP, DATABASE_URL } = readConfig(webhooksSchema, environment);
    expect(WEBHOOKS_ALLOW.map(([network, bits]) => `${network.toString()}/${bits}`)).to.deep.equal([
      "10.20.0.0/16",
      "fd00::/8",
    ]);
    expect(WEBHOOKS_HTTP).to.equal("1");
    expect(new URL(DATABASE_URL).username).to.equal("parley_webhooks");
    expect(environmentOf(pods.get("migrate")!.containers[0]!)).to.include({
      DATABASE_WEBHOOKS_ROLE: "parley_webhooks",
      DATABASE_WEBHOOKS_PASSWORD_FILE: file,
    });
    const off = new Map(podsOf(release("auth=jwks")));
    expect(off.has("webhooks")).to.equal(false);
    expect(environmentOf(off.get("migrate")!.containers[0]!)).to.not.have.any.keys(
      "DATABASE_WEBHOOKS_ROLE",
    );
  });

  it("LP1: previews of links are off unless they are switched on, alike for gateways and webhooks", async function () {
    const helm = await helmOrSkip(this);
    const previewsOf = async (webhooks: object): Promise<unknown[]> => {
      const pods = new Map(podsOf(await render(helm, { auth: "dev", webhooks })));
      return ["gateway", "webhooks"].map((service) => {
        const pod = pods.get(service);
        return pod && environmentOf(pod.containers[0]!)["LINK_PREVIEWS"];
      });
    };
    const linkPreviews = true;
    expect(await previewsOf({})).to.deep.equal(["off", undefined]);
    expect(await previewsOf({ enabled: true })).to.deep.equal(["off", "off"]);
    expect(await previewsOf({ enabled: true, linkPreviews })).to.deep.equal(["on", "on"]);
    expect(await previewsOf({ linkPreviews }), "no pod fetches").to.deep.equal(["off", undefined]);
  });

  it("runs the admin page as one pod in the mode of the gateways, with a user of its own; off by default", () => {
    const objects = release("the admin page, with monitoring");
    const { spec } = ofKind(objects, "Deployment").find((one) => componentOf(one) === "operator")!;
    expect(spec.replicas).to.equal(1);
    const [, pod] = podsOf(objects).find(([component]) => component === "operator")!;
    expect(secretsMountedBy(pod)).to.deep.equal({ "parley-operator": ["operator.seed"] });
    const environment = environmentOf(pod.containers[0]!);
    const config = readConfig(operatorSchema, environment);
    expect(config).to.deep.include({
      AUTH: "jwks",
      NODE_ENV: "production",
      JWT_ISSUER: "https://issuer.example",
      ORIGINS: ["https://admin.example"],
      OIDC_CLIENT_ID: "admin-page",
      OIDC_SCOPE: "openid profile offline_access",
      OIDC_ORIGINS: ["https://login.example"],
    });
    const service = ofKind(objects, "Service").find(
      ({ metadata }) => metadata.name === "parley-operator",
    )!;
    expect(service.spec).to.deep.include({ type: "ClusterIP" });
    const dev = new Map(podsOf(release("the admin page, with auth=dev"))).get("operator")!;
    expect(readConfig(operatorSchema, environmentOf(dev.containers[0]!))).to.deep.include({
      AUTH: "dev",
      DEV_SECRET_FILE: "/owned/dev-secret",
      ORIGINS: ["http://localhost:8090"],
    });
    expect(dev.initContainers?.map(({ name }) => name)).to.deep.equal(["dev-secret"]);
    for (const one of objects) expect(one.kind).to.not.match(/Ingress|HTTPRoute/);
    for (const one of release("auth=jwks")) expect(componentOf(one)).to.not.equal("operator");
  });

  it("gives the store of attachments to gateways and persistence alike, and to no other pod; none by default", () => {
    const storeOf = (pod: PodSpec): object[] => [
      Object.entries(environmentOf(pod.containers[0]!)).filter(([name]) =>
        name.startsWith("ATTACHMENTS_"),
      ),
      pod.containers[0]!.volumeMounts.filter(({ name }) => name === "attachments"),
      pod.volumes.filter(({ name }) => name === "attachments"),
    ];
    const expected: Readonly<Record<string, object[]>> = {
      "auth=jwks": [[], [], []],
      "attachments in a volume": [
        [
          ["ATTACHMENTS_STORE", "folder"],
          ["ATTACHMENTS_DIR", "/attachments"],
        ],
        [{ name: "attachments", mountPath: "/attachments" }],
        [{ name: "attachments", persistentVolumeClaim: { claimName: "files" } }],
      ],
      "attachments in S3": [
        [
          ["ATTACHMENTS_STORE", "s3"],
          ["ATTACHMENTS_S3_URL", "https://s3.example:9443/chat"],
          ["ATTACHMENTS_S3_REGION", "eu-north-1"],
          ["ATTACHMENTS_S3_ACCESS_KEY", ""], // Of the Secret.
          ["ATTACHMENTS_S3_SECRET_KEY_FILE", "/secrets/s3-secret-key"],
        ],
        [],
        [],
      ],
    };
    for (const [name, store] of Object.entries(expected)) {
      for (const [component, pod] of podsOf(release(name))) {
        const uses = component === "gateway" || component === "persistence";
        const none = [[], [], []];
        expect(storeOf(pod), `${name}: ${component}`).to.deep.equal(uses ? store : none);
      }
      expect(ofKind(release(name), "PersistentVolumeClaim"), name).to.deep.equal([]);
    }
    const gateway = new Map(podsOf(release("attachments in S3"))).get("gateway")!;
    expect(secretsMountedBy(gateway)["parley-attachments"]).to.deep.equal(["s3-secret-key"]);
    expect(gateway.containers[0]!.env).to.deep.include({
      name: "ATTACHMENTS_S3_ACCESS_KEY",
      valueFrom: { secretKeyRef: { name: "parley-attachments", key: "s3-access-key" } },
    });
  });
});
