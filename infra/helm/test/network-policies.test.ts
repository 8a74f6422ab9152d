// Network policies: which pod may reach which, against the users of NATS and the roles of the
// database.

import { expect } from "chai";
import ipaddr from "ipaddr.js";
import { isAllowed, readNetworks } from "../../../services/webhooks/adapters/addresses.ts";
import type { NatsUser } from "../../nats/permissions.ts";
import { componentOf, helmOrSkip, ofKind, podsOf, render, VARIANTS, WEBHOOKS } from "./chart.ts";
import type { KubernetesObject } from "./chart.ts";

interface Peer {
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
  readonly podSelector?: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly namespaceSelector?: object;
}
interface PolicyRule {
  readonly ports: readonly { readonly port?: number }[];
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
}

/** Of each kind of range that a process judges. */
const ADDRESSES = [
  "93.184.216.34",
  "10.1.2.3",
  "10.20.1.2",
  "100.64.0.1",
  "127.0.0.1",
  "169.254.169.254",
  "172.16.0.1",
  "172.32.0.1",
  "192.168.1.1",
  "0.0.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "2606:4700::1111",
  "::1",
  "fd00::1",
  "fe80::1",
  "ff02::1",
];
const COMPONENT = "app.kubernetes.io/component";
/** The component that runs as each user of NATS (infra/nats/permissions.ts). */
const COMPONENT_OF_USER = {
  gateway: "gateway",
  room: "room",
  persistence: "persistence",
  trimmer: "persistence",
  webhooks: "webhooks",
  operator: "operator",
  admin: "provision",
} as const satisfies Readonly<Record<NatsUser, string>>;

function policy(objects: readonly KubernetesObject[], component: string): KubernetesObject {
  return ofKind(objects, "NetworkPolicy").find((object) => componentOf(object) === component)!;
}

function peers(rules: readonly PolicyRule[], kind: "from" | "to", port: number): string[] {
  return rules
    .filter(({ ports }) => ports.some((one) => one.port === port))
    .flatMap((rule) => rule[kind] ?? [{}])
    .map(({ podSelector }) => podSelector?.matchLabels[COMPONENT] ?? "any");
}

const ingress = (objects: readonly KubernetesObject[], name: string, port: number): string[] =>
  peers(policy(objects, name).spec.ingress, "from", port);
const egress = (objects: readonly KubernetesObject[], name: string, port: number): string[] =>
  peers(policy(objects, name).spec.egress, "to", port);
const portsOut = (objects: readonly KubernetesObject[], name: string): number[] =>
  (policy(objects, name).spec.egress as PolicyRule[])
    .flatMap(({ ports }) => ports.map(({ port }) => port ?? 0))
    .filter((port) => port !== 53);
/** The peers that webhooks may reach at every port. */
const receivers = (objects: readonly KubernetesObject[]): readonly Peer[] =>
  (policy(objects, "webhooks").spec.egress as PolicyRule[]).find(
    ({ ports }) => ports[0]!.port === undefined,
  )!.to!;

/** Whether the peers let a connection to this address pass. */
function reaches(peers: readonly Peer[], address: string): boolean {
  const [kind, parsed] = [ipaddr.parse(address).kind(), ipaddr.parse(address)];
  const holds = (cidr: string): boolean => {
    const [network, bits] = ipaddr.parseCIDR(cidr);
    return network.kind() === kind && parsed.match(network, bits);
  };
  return peers.some(
    ({ ipBlock }) =>
      ipBlock !== undefined && holds(ipBlock.cidr) && !(ipBlock.except ?? []).some(holds),
  );
}

describe("The Helm chart's network policies", function () {
  this.timeout(30 * 60_000);
  let helm = "";
  let own: KubernetesObject[] = [];
  let external: KubernetesObject[] = [];
  let observed: KubernetesObject[] = [];
  let hooked: KubernetesObject[] = [];
  let paged: KubernetesObject[] = [];

  before(async function () {
    helm = await helmOrSkip(this);
    [own, external, observed, hooked, paged] = await Promise.all([
      render(helm, VARIANTS["auth=jwks"]!),
      render(helm, VARIANTS["an own NATS and an own PostgreSQL"]!),
      render(helm, VARIANTS["monitoring, tracing and autoscaling"]!),
      render(helm, VARIANTS["webhooks, with monitoring"]!),
      render(helm, VARIANTS["the admin page, with monitoring"]!),
    ]);
  });

  it("every pod has a policy for both directions", () => {
    for (const objects of [own, external, observed, hooked, paged]) {
      const covered = ofKind(objects, "NetworkPolicy").map(({ spec }) => {
        expect(spec.policyTypes).to.deep.equal(["Ingress", "Egress"]);
        return spec.podSelector.matchLabels[COMPONENT] as string;
      });
      expect(covered).to.have.members(podsOf(objects).map(([component]) => component));
    }
  });

  it("E7: exactly the components with a NATS user reach NATS, and only its servers reach routes", async () => {
    const users = [...new Set(Object.values(COMPONENT_OF_USER))];
    const all = render(helm, { auth: "dev", webhooks: WEBHOOKS, operator: { enabled: true } });
    expect(ingress(await all, "nats", 4222)).to.have.members(users);
    for (const user of users) expect(egress(await all, user, 4222), user).to.deep.equal(["nats"]);
    const always = users.filter((user) => user !== "webhooks" && user !== "operator");
    expect(ingress(own, "nats", 4222)).to.have.members(always);
    expect(egress(own, "migrate", 4222)).to.deep.equal([]);
    expect(ingress(own, "nats", 6222)).to.deep.equal(["nats"]);
    expect(egress(own, "nats", 6222)).to.deep.equal(["nats"]);
  });

  it("E7: only persistence, webhooks and the migration reach PostgreSQL", () => {
    const readers = ["migrate", "persistence"];
    expect(ingress(own, "postgres", 5432)).to.have.members(readers);
    expect(ingress(hooked, "postgres", 5432)).to.have.members([...readers, "webhooks"]);
    for (const name of [...readers, "webhooks"]) {
      expect(egress(hooked, name, 5432)).to.deep.equal(["postgres"]);
    }
    for (const name of ["gateway", "room", "provision", "nats"]) {
      expect(egress(own, name, 5432), name).to.deep.equal([]);
    }
    expect(policy(own, "postgres").spec.egress).to.deep.equal([]);
  });

  it("clients reach gateways only, and a gateway reaches its issuer", async () => {
    expect(ingress(own, "gateway", 8080)).to.deep.equal(["any"]);
    for (const name of ["room", "persistence", "provision", "migrate"]) {
      expect(policy(own, name).spec.ingress, name).to.deep.equal([]);
    }
    expect(portsOut(own, "gateway")).to.have.members([4222, 443]);
    expect(portsOut(own, "room")).to.have.members([4222]);
    const clients = [{ ipBlock: { cidr: "10.0.0.0/8" } }];
    const narrow = await render(helm, { auth: "dev", networkPolicy: { clients } });
    expect(policy(narrow, "gateway").spec.ingress[0].from).to.deep.equal(clients);
    expect(portsOut(narrow, "gateway")).to.have.members([4222]);
  });

  it("only named peers reach the admin page, which reaches NATS and the issuer", async () => {
    expect(ingress(paged, "operator", 8090)).to.deep.equal([]);
    expect(ingress(paged, "operator", 9464)).to.deep.equal(["any"]); // Metrics.
    expect(portsOut(paged, "operator")).to.have.members([4222, 443]);
    const administrators = [{ podSelector: { matchLabels: { app: "ingress" } } }];
    const values = { auth: "dev", operator: { enabled: true } };
    const closed = await render(helm, values);
    expect(policy(closed, "operator").spec.ingress).to.deep.equal([]);
    expect(portsOut(closed, "operator")).to.have.members([4222]);
    const opened = await render(helm, { ...values, networkPolicy: { administrators } });
    expect(policy(opened, "operator").spec.ingress).to.deep.equal([
      { ports: [{ port: 8090, protocol: "TCP" }], from: administrators },
    ]);
    expect(ingress(opened, "gateway", 8090)).to.deep.equal([]);
  });

  it("only gateways and persistence reach the bucket of attachments, on the port of its URL", async () => {
    const objects = await render(helm, VARIANTS["attachments in S3"]!);
    expect(portsOut(objects, "gateway")).to.have.members([4222, 443, 9443]);
    expect(portsOut(objects, "persistence")).to.have.members([4222, 5432, 9443]);
    for (const name of ["room", "provision", "migrate"]) {
      expect(portsOut(objects, name), name).to.not.include(9443);
    }
    const s3 = { url: "http://files.example/chat" };
    const plain = await render(helm, { auth: "dev", attachments: { store: "s3", s3 } });
    expect(portsOut(plain, "gateway")).to.have.members([4222, 80]);
    const folder = await render(helm, VARIANTS["attachments in a volume"]!);
    expect(portsOut(folder, "gateway")).to.have.members([4222, 443]);
  });

  it("own servers are reached on the ports of their URLs", () => {
    expect(portsOut(external, "room")).to.have.members([4333, 4222]);
    expect(portsOut(external, "persistence")).to.have.members([4333, 4222, 6543, 6544]);
    expect(portsOut(external, "migrate")).to.have.members([6543]);
  });

  it("with monitoring and tracing, pods of the cluster read metrics, and services send traces", () => {
    for (const name of ["gateway", "room", "persistence"]) {
      const rule = (policy(observed, name).spec.ingress as PolicyRule[]).find(
        ({ ports }) => ports[0]!.port === 9464,
      );
      expect(rule?.from, name).to.deep.equal([{ namespaceSelector: {} }]);
      expect(portsOut(observed, name), name).to.include(4318);
      expect(ingress(own, name, 9464), name).to.deep.equal([]);
    }
  });

  it("a region agent reaches its servers and the witness; no other pod reaches the witness", async () => {
    const objects = await render(helm, VARIANTS["one of two regions"]!);
    expect(portsOut(objects, "region")).to.have.members([4333, 4222, 6543, 4444]);
    const both = await render(helm, VARIANTS["one of two regions that both serve"]!);
    expect(portsOut(both, "region")).to.have.members([4333, 6543, 6544, 4444]);
    expect(policy(objects, "region").spec.ingress).to.deep.equal([]);
    for (const name of ["gateway", "room", "persistence", "provision", "migrate"]) {
      expect(portsOut(objects, name), name).to.not.include(4444);
    }
  });

  it("W8: webhooks reach public receivers and the allowed networks, as the process judges them; no other pod does", async () => {
    const strict = await render(helm, { auth: "dev", webhooks: { enabled: true } });
    const allowed = readNetworks(WEBHOOKS.allow.join(","))!;
    for (const [objects, networks] of [
      [strict, []],
      [hooked, allowed],
    ] as const) {
      const peers = receivers(objects);
      for (const address of ADDRESSES) {
        expect(reaches(peers, address), address).to.equal(isAllowed(address, networks));
      }
    }
    expect(policy(hooked, "webhooks").spec.ingress).to.have.length(1); // Metrics.
    for (const name of ["gateway", "room", "persistence", "provision", "migrate"]) {
      expect(portsOut(hooked, name), name).to.not.include(0);
    }
    const linkPreviewsAllow = ["192.168.7.0/24"];
    for (const linkPreviews of [true, false]) {
      const webhooks = { enabled: true, linkPreviews, linkPreviewsAllow };
      const peers = receivers(await render(helm, { auth: "dev", webhooks }));
      expect(reaches(peers, "192.168.7.9"), "LP3").to.equal(linkPreviews);
    }
    const backEnds = [{ podSelector: { matchLabels: { app: "back-end" } } }];
    const narrow = await render(helm, {
      auth: "dev",
      webhooks: { enabled: true },
      networkPolicy: { receivers: backEnds },
    });
    expect(receivers(narrow)).to.deep.equal(backEnds);
  });

  it("networkPolicy.enabled=false leaves them out", async () => {
    const objects = await render(helm, { auth: "dev", networkPolicy: { enabled: false } });
    expect(ofKind(objects, "NetworkPolicy")).to.deep.equal([]);
  });
});
