// compose.yaml, read as data: which service reads which secret, which ports are open, what a
// container may do.

import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { REPOSITORY } from "../../embedded/service-process.ts";
import { SECRETS } from "../secrets.ts";

interface Service {
  readonly image?: string;
  readonly user?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly read_only?: boolean;
  readonly security_opt?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

const text = readFileSync(join(REPOSITORY, "compose.yaml"), "utf8");
const { services, volumes } = parse(text, { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
/** The volume of secrets that each service mounts; the others mount none. */
const MOUNTS: Readonly<Record<string, string>> = {
  "gateway-1": "secrets-gateway",
  "gateway-2": "secrets-gateway",
  "room-1": "secrets-room",
  "room-2": "secrets-room",
  "persistence-1": "secrets-persistence",
  "persistence-2": "secrets-persistence",
  "webhooks-1": "secrets-webhooks",
  "webhooks-2": "secrets-webhooks",
  operator: "secrets-operator",
  "nats-1": "secrets-nats",
  "nats-2": "secrets-nats",
  "nats-3": "secrets-nats",
  postgres: "secrets-postgres",
  migrate: "secrets-migrate",
  provision: "secrets-admin",
  parley: "secrets-admin",
};
/** The job that creates the secrets. */
const PREPARE = "prepare";
/** Capabilities that the official image needs before it drops root. */
const POSTGRES_CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"];

function all(): [string, Service][] {
  return Object.entries(services);
}

/** The services whose volumes hold a secret. */
function readers(file: string): string[] {
  return Object.entries(SECRETS)
    .filter(([, { files }]) => (files as readonly string[]).includes(file))
    .map(([volume]) => volume);
}

describe("compose.yaml", () => {
  it("X4: a container mounts only the secrets of its own service, read-only", () => {
    for (const [name, { volumes: mounts = [] }] of all()) {
      if (name === PREPARE) continue;
      const secrets = mounts.filter((mount) => /^(secrets-|keys)/.test(mount));
      const expected = MOUNTS[name] === undefined ? [] : [`${MOUNTS[name]}:/secrets:ro`];
      expect(secrets, name).to.deep.equal(expected);
    }
  });

  it("X4: the job that creates the secrets has no network, and mounts every volume of them", () => {
    const { volumes: mounts = [], network_mode } = services[PREPARE]!;
    expect(network_mode).to.equal("none");
    for (const volume of Object.keys(SECRETS)) {
      expect(mounts).to.include(`${volume}:/to/${volume}`);
      expect(volumes).to.have.property(volume);
    }
  });

  it("X4: a gateway's volume has its own seed and no password; only the admin volume has the administrator's seed", () => {
    expect([...SECRETS["secrets-gateway"].files]).to.have.members([
      "gateway.seed",
      "dev-secret",
      "invite-key",
    ]);
    expect(readers("admin.seed")).to.deep.equal(["secrets-admin"]);
    expect(readers("trimmer.seed")).to.deep.equal(["secrets-persistence"]);
    expect(readers("room.seed")).to.deep.equal(["secrets-room"]);
  });

  it("X6: persistence has the password of the serving role, and not that of the schema's owner", () => {
    expect(readers("postgres-password")).to.have.members([
      "secrets-migrate",
      "secrets-postgres",
      "secrets-admin",
    ]);
    expect(readers("postgres-serving-password")).to.have.members([
      "secrets-migrate",
      "secrets-persistence",
    ]);
    expect(readers("postgres-webhooks-password")).to.have.members([
      "secrets-migrate",
      "secrets-webhooks",
    ]);
    const userOf = (name: string): string =>
      new URL(services[name]!.environment!["DATABASE_URL"]!).username;
    const { DATABASE_SERVING_ROLE: role } = services["migrate"]!.environment!;
    for (const name of ["persistence-1", "persistence-2"]) {
      expect(userOf(name)).to.equal(role);
      expect(services[name]!.depends_on).to.deep.include({
        migrate: { condition: "service_completed_successfully" },
      });
    }
    expect(userOf("migrate")).to.equal(services["postgres"]!.environment!["POSTGRES_USER"]);
    expect(userOf("migrate")).to.not.equal(role);
    expect(userOf("webhooks-1")).to.equal(
      services["migrate"]!.environment!["DATABASE_WEBHOOKS_ROLE"],
    );
  });

  it("X4: every path below /secrets in a service's settings exists in its volume", () => {
    for (const [name, { environment = {}, command = [] }] of all()) {
      const paths = [...Object.values(environment), ...command].map(String);
      for (const path of paths.filter((value) => value.startsWith("/secrets/"))) {
        const volume = MOUNTS[name] as keyof typeof SECRETS;
        const files: readonly string[] = SECRETS[volume].files;
        expect(files, name).to.include(path.slice("/secrets/".length));
      }
    }
  });

  it("S9: AUTH has no default, and NODE_ENV is passed on", () => {
    for (const name of ["gateway-1", "gateway-2", "operator"]) {
      const { AUTH, NODE_ENV } = services[name]!.environment!;
      expect(AUTH).to.match(/^\$\{AUTH:\?.*AUTH=jwks.*AUTH=dev.*\}$/);
      expect(NODE_ENV).to.equal("${NODE_ENV:-}");
    }
  });

  it("E7: published ports are on loopback, the front port on FRONT_HOST", () => {
    const published = all().flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port]));
    expect(published).to.have.length(5);
    for (const [name, port] of published) {
      const prefix = name === "front" ? "${FRONT_HOST:-127.0.0.1}:" : "127.0.0.1:";
      expect(port?.startsWith(prefix), `${name} ${port}`).to.equal(true);
    }
  });

  it("E7: a gateway and PostgreSQL share no network, and the public network does not reach NATS", () => {
    const networks = (name: string): readonly string[] => services[name]!.networks ?? [];
    const shared = (a: string, b: string): string[] =>
      networks(a).filter((network) => networks(b).includes(network));
    for (const [a, b] of [
      ["gateway-1", "postgres"],
      ["room-1", "postgres"],
      ["front", "nats-1"],
      ["front", "postgres"],
      ["front", "room-1"],
      ["front", "operator"],
      ["operator", "postgres"],
      ["grafana", "nats-1"],
      ["jaeger", "nats-1"],
    ] as const) {
      expect(shared(a, b), `${a} and ${b}`).to.deep.equal([]);
    }
    expect(shared("gateway-1", "front")).to.have.length(1);
    expect(shared("persistence-1", "postgres")).to.have.length(1);
    for (const [name, { networks: own, network_mode }] of all()) {
      expect(own !== undefined || network_mode === "none", name).to.equal(true);
    }
  });

  it("E7: every container has a read-only root, only the listed capabilities, and no new privileges", () => {
    const allowed: Readonly<Record<string, readonly string[]>> = {
      [PREPARE]: ["CHOWN", "DAC_OVERRIDE", "FOWNER"],
      postgres: POSTGRES_CAPABILITIES,
    };
    for (const [name, service] of all()) {
      expect(service.read_only, name).to.equal(true);
      expect(service.cap_drop, name).to.deep.equal(["ALL"]);
      expect(service.cap_add ?? [], name).to.deep.equal(allowed[name] ?? []);
      expect(service.security_opt, name).to.deep.equal(["no-new-privileges:true"]);
      if (allowed[name] === undefined) expect(service.user, name).not.to.equal("root");
    }
  });

  it("X4: no image has a built-in secret: Grafana has no administrator with a known password", () => {
    expect(services["grafana"]!.environment).to.include({
      GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: "true",
      GF_AUTH_DISABLE_LOGIN_FORM: "true",
      GF_AUTH_BASIC_ENABLED: "false",
    });
    for (const [name, { environment = {} }] of all()) {
      for (const [variable, value] of Object.entries(environment)) {
        if (!/PASSWORD|SECRET|TOKEN|SEED|NKEY/.test(variable)) continue;
        const isPath = value.startsWith("/secrets/");
        expect(isPath || /^(true|false)$/.test(value), `${name} ${variable}`).to.equal(true);
      }
    }
  });

  it("limits the heap of each service", () => {
    for (const name of ["gateway-1", "room-2", "persistence-1"]) {
      const { NODE_OPTIONS } = services[name]!.environment!;
      expect(NODE_OPTIONS, name).to.match(/^--max-old-space-size=/);
    }
  });
});
