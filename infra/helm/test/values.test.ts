// Values: every bad value gives one error that names it and what was expected, before anything is
// changed. Missing Secrets are looked up in a small stand-in of the Kubernetes API.

import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { NATS_USERS } from "../../nats/permissions.ts";
import { SECRETS } from "../secrets.ts";
import { ApiStandIn } from "./api-stand-in.ts";
import { CANARY, CHART, helmOrSkip, JWKS, RELEASE, runHelm, templateWithServer } from "./chart.ts";
import type { HelmResult } from "./chart.ts";

const DEV = { auth: "dev" };
const REGION = {
  ...DEV,
  nats: { url: "nats://nats.example" },
  postgres: { url: "postgres://db.example/chat" },
  region: { name: "east", peer: "west", witness: "nats://witness.example" },
};

const withCanary = (canary: object): object => ({ ...DEV, canary: { ...CANARY, ...canary } });

/** Values → a part of the only complaint. */
const BAD: readonly (readonly [object, string])[] = [
  [{}, "auth is not chosen: set auth=jwks and jwks.* for your issuer, or auth=dev"],
  [{ auth: "none" }, "at '/auth': value must be one of"],
  [{ ...DEV, replicas: 3 }, "additional properties 'replicas' not allowed"],
  [{ ...DEV, gateway: { replica: 3 } }, "at '/gateway': additional properties 'replica'"],
  [{ ...DEV, nats: null }, "missing property 'nats'"],
  [{ ...JWKS, jwks: { ...JWKS.jwks, issuer: "" } }, "jwks.issuer is not set"],
  [
    { ...JWKS, jwks: { ...JWKS.jwks, url: "http://x/keys" } },
    "jwks.url is not valid: expected https",
  ],
  [{ ...DEV, partitions: "16" }, "at '/partitions': got string, want integer"],
  [{ ...DEV, partitions: 0 }, "at '/partitions': minimum: got 0, want 1"],
  [{ ...DEV, gateway: { origins: ["chat.example"] } }, "chat.example is not an origin"],
  [{ ...DEV, gateway: { origins: [] } }, "at '/gateway/origins': minItems"],
  [{ ...DEV, gateway: { proxyProtocol: true } }, "needs gateway.trustedProxies"],
  [{ ...DEV, gateway: { traceRatio: 0.5 } }, "gateway.traceRatio needs tracing.endpoint"],
  [
    { ...DEV, gateway: { autoscaling: { min: 11 } } },
    "gateway.autoscaling: min is 11, above max 10",
  ],
  [
    { ...DEV, room: { autoscaling: { scaleDown: { periodSeconds: 0 } } } },
    "at '/room/autoscaling/scaleDown/periodSeconds': minimum: got 0, want 1",
  ],
  [{ ...DEV, nats: { url: "http://nats" } }, "nats.url is not valid: expected nats://host:4222"],
  [{ ...DEV, nats: { url: "nats://u:p@nats" } }, "without a user (seeds are in Secrets)"],
  [
    { ...DEV, nats: { claim: { size: "2Gi" } } },
    "nats.claim.size: 2Gi is too small: 16 partitions",
  ],
  [{ ...DEV, partitions: 64 }, "64 partitions of 256Mi and 1Gi need at least 17408Mi"],
  [{ ...DEV, nats: { claim: { size: "8G" } } }, "nats.claim.size: 8G is not a size"],
  [{ ...DEV, nats: { logSize: "lots" } }, "nats.logSize: lots is not a size"],
  [
    { ...DEV, room: { resources: { limits: { memory: "1G" } } } },
    "resources.limits.memory: 1G is not a size",
  ],
  [{ ...DEV, nats: { spread: "never" } }, "at '/nats/spread': value must be one of"],
  [
    { ...DEV, postgres: { url: "db.example/chat" } },
    "postgres.url is not valid: expected postgres://",
  ],
  [{ ...DEV, postgres: { url: "postgres://u:p@db/chat" } }, "without a user"],
  [{ ...DEV, postgres: { claim: { size: "100Mi" } } }, "postgres.claim.size: 100Mi is too small"],
  [
    { ...REGION, region: { ...REGION.region, peer: "east" } },
    "region.peer: expected the name of the other region",
  ],
  [
    { ...REGION, region: { ...REGION.region, witness: "witness.example" } },
    "region.witness is not valid: expected nats://host:4222",
  ],
  [{ ...REGION, region: { ...REGION.region, homes: true } }, "region.peerPostgres is not valid"],
  [
    {
      ...REGION,
      partitions: 1,
      region: { ...REGION.region, homes: true, peerPostgres: "postgres://db.west.example/chat" },
    },
    "region.homes needs at least 2 partitions",
  ],
  [{ ...REGION, nats: {} }, "region.name needs nats.url"],
  [{ ...REGION, postgres: {} }, "region.name needs postgres.url"],
  [{ ...DEV, postgres: { serving: "parley" } }, "postgres.serving is also the owner"],
  [{ ...DEV, postgres: { webhooks: "parley" } }, "postgres.webhooks is also the owner"],
  [{ ...DEV, postgres: { webhooks: "parley_serving" } }, "also the role of persistence"],
  [{ ...DEV, webhooks: { allow: ["10.0.0.1"] } }, "at '/webhooks/allow/0'"],
  [{ ...DEV, webhooks: { linkPreviewsAllow: ["x"] } }, "at '/webhooks/linkPreviewsAllow/0'"],
  [{ ...DEV, webhooks: { resources: { limits: { memory: "1G" } } } }, "1G is not a size"],
  [{ ...DEV, attachments: { store: "disk" } }, "at '/attachments/store': value must be one of"],
  [{ ...DEV, attachments: { store: "folder" } }, "attachments.claim is not set"],
  [{ ...DEV, attachments: { claim: "files" } }, "attachments.claim needs attachments.store=folder"],
  [{ ...DEV, attachments: { store: "s3" } }, "attachments.s3.url is not valid: expected https"],
  [
    { ...DEV, attachments: { store: "s3", s3: { url: "https://key:secret@s3.example/chat" } } },
    "without a user (the keys are in a Secret)",
  ],
  [
    { ...DEV, attachments: { s3: { url: "https://s3.example/chat" } } },
    "attachments.s3.url needs attachments.store=s3",
  ],
  [
    { ...REGION, attachments: { store: "folder", claim: "files" } },
    "attachments.store=folder is the volume of one region",
  ],
  [
    { ...DEV, environment: { gateway: { ATTACHMENTS_STORE: "s3" } } },
    "environment.gateway: the chart sets ATTACHMENTS_STORE itself",
  ],
  [{ ...DEV, operator: { origins: ["admin.example"] } }, "operator.origins: admin.example is not"],
  [{ ...DEV, operator: { origins: [] } }, "at '/operator/origins': minItems"],
  [{ ...DEV, operator: { oidcClientId: "a" } }, "operator.oidcClientId needs auth=jwks"],
  [{ ...DEV, operator: { replicas: 2 } }, "at '/operator': additional properties 'replicas'"],
  [{ ...DEV, operator: { resources: { limits: { memory: "1G" } } } }, "1G is not a size"],
  [{ ...DEV, persistence: { searchLanguage: "de-DE" } }, "at '/persistence/searchLanguage'"],
  [{ ...DEV, environment: { room: { rooms: 1 } } }, "at '/environment/room'"],
  [
    { ...DEV, environment: { gateway: { INVITE_KEY: "x" } } },
    "environment.gateway: the chart sets INVITE_KEY itself",
  ],
  [withCanary({ gateway: { name: "" } }), "canary.gateway.name is not set"],
  [withCanary({ hosts: [] }), "canary.hosts is empty"],
  [withCanary({ hosts: ["https://chat.example"] }), "at '/canary/hosts/0'"],
  [withCanary({ prometheus: "prometheus:9090" }), "canary.prometheus is not valid: expected http"],
  [withCanary({ weights: [10, 50, 25] }), "canary.weights: 25 follows 50: expected rising"],
  [withCanary({ weights: [101] }), "at '/canary/weights/0': maximum: got 101, want 100"],
  [withCanary({ weights: [] }), "at '/canary/weights': minItems"],
  [withCanary({ interval: "soon" }), "at '/canary/interval'"],
  [withCanary({ slowSeconds: 1 }), "at '/canary/slowSeconds': value must be one of 0.1, 0.25, 0.5"],
  [withCanary({ failedChecks: 0 }), "at '/canary/failedChecks': minimum: got 0, want 1"],
  [withCanary({ maxWeight: 50 }), "at '/canary': additional properties 'maxWeight' not allowed"],
];

describe("The Helm chart's values", function () {
  this.timeout(30 * 60_000);
  let helm = "";
  let refusals: ReadonlyMap<object, Promise<HelmResult>>;

  before(async function () {
    helm = await helmOrSkip(this);
    refusals = new Map(BAD.map(([values]) => [values, runHelm(helm, "template", values)]));
  });

  for (const [values, expected] of BAD) {
    it(`refuses ${JSON.stringify(values)} with one error`, async () => {
      const { ok, output, errors } = await refusals.get(values)!;
      expect(ok, errors).to.equal(false);
      expect(output).to.equal("");
      expect(errors).to.contain(expected);
      // A heading, and one complaint.
      const complaints = errors.split("\n").filter((line) => /^(?:  |- at )/.test(line));
      expect(complaints, errors).to.have.length(1);
    });
  }

  it("reports every complaint of one attempt together", async () => {
    const { errors } = await runHelm(helm, "template", {
      nats: { url: "http://nats" },
      postgres: { url: "db" },
    });
    for (const name of ["auth is not chosen", "nats.url", "postgres.url"]) {
      expect(errors).to.contain(`\n  ${name}`);
    }
  });

  it("auth has no default, and the schema allows no unknown key at any level", () => {
    const values = parse(readFileSync(join(CHART, "values.yaml"), "utf8")) as { auth: string };
    expect(values.auth).to.equal("");
    const schema = JSON.parse(readFileSync(join(CHART, "values.schema.json"), "utf8")) as object;
    let objects = 0;
    const visit = (node: unknown): void => {
      if (typeof node !== "object" || node === null) return;
      if ("properties" in node) {
        objects++;
        expect(node).to.have.property("additionalProperties", false);
      }
      Object.values(node).forEach(visit);
    };
    visit(schema);
    expect(objects).to.be.greaterThan(15);
  });

  it("names each missing Secret and its files, and accepts a complete set", async () => {
    const files: Record<string, readonly string[]> = Object.fromEntries(
      Object.entries(SECRETS).map(([service, names]) => [`${RELEASE}-${service}`, names]),
    );
    const { "parley-room": _, ...rest } = files;
    const { "parley-webhooks": __, ...withoutWebhooks } = files;
    const webhooks = { enabled: true };
    const operator = { enabled: true };
    for (const [present, complaints, values] of [
      [files, [], { webhooks, operator }],
      [
        { ...files, "parley-attachments": ["s3-secret-key"] },
        ["the Secret parley-attachments lacks s3-access-key: create it"],
        { attachments: { store: "s3", s3: { url: "https://s3.example/chat" } } },
      ],
      [
        { ...files, "parley-operator": ["operator.seed"] },
        ["the Secret parley-operator lacks dev-secret: create it with infra/helm/secrets.ts"],
        { operator },
      ],
      [withoutWebhooks, [], {}],
      [
        withoutWebhooks,
        ["the Secret parley-webhooks lacks webhooks.seed, postgres-webhooks-password: create it"],
        { webhooks },
      ],
      [rest, ["the Secret parley-room lacks room.seed: create it with infra/helm/secrets.ts"], {}],
      [
        { ...files, "parley-migrate": ["postgres-password"] },
        ["the Secret parley-migrate lacks postgres-serving-password: create it"],
        {},
      ],
    ] as const) {
      await using api = await ApiStandIn.open({ secrets: present });
      const { ok, errors } = await templateWithServer(helm, { ...DEV, ...values }, api.url);
      expect(ok, errors).to.equal(complaints.length === 0);
      for (const complaint of complaints) expect(errors).to.contain(complaint);
      expect(errors.split("\n").filter((line) => line.startsWith("  "))).to.have.length(
        complaints.length,
      );
    }
  });

  it("X1: names each NATS user whose key the Secret of the servers lacks, because it is older", async () => {
    const secrets = Object.fromEntries(
      Object.entries(SECRETS).map(([service, names]) => [`${RELEASE}-${service}`, names]),
    );
    const natsUsers = NATS_USERS.filter((user) => user !== "webhooks");
    await using api = await ApiStandIn.open({ secrets, natsUsers });
    const { ok, errors } = await templateWithServer(helm, DEV, api.url);
    expect(ok, errors).to.equal(false);
    expect(errors.split("\n").filter((line) => line.startsWith("  "))).to.deep.equal([
      "  keys.conf of the Secret parley-nats lacks the key of the NATS user webhooks: run infra/helm/secrets.ts with the same folder again",
    ]);
    // Your own servers have their own list of users.
    const own = { ...DEV, nats: { url: "nats://nats.example" } };
    const other = await templateWithServer(helm, own, api.url);
    expect(other.ok, other.errors).to.equal(true);
  });
});
