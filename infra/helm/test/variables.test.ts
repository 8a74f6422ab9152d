// Variables: an operator of the chart can set each variable that a service reads. What compose.yaml
// sets, the chart and the playbooks set by a value of their own.

import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { configSchema as gateway } from "../../../services/gateway/config.ts";
import { configSchema as operator } from "../../../services/operator/config.ts";
import { configSchema as persistence } from "../../../services/persistence/config.ts";
import { configSchema as region } from "../../../services/region/config.ts";
import { configSchema as room } from "../../../services/room/config.ts";
import { configSchema as webhooks } from "../../../services/webhooks/config.ts";
import { attachmentConfig } from "#shared/process/attachment-config.ts";
import { REPOSITORY } from "../../embedded/service-process.ts";
import { environmentOf, helmOrSkip, podsOf, render, runHelm, VARIANTS } from "./chart.ts";
import type { KubernetesObject } from "./chart.ts";

const SCHEMAS = { gateway, room, persistence, webhooks, operator, region } as const;
type Service = keyof typeof SCHEMAS;
const SERVICES = Object.keys(SCHEMAS) as Service[];
/** A release with every service. */
const EVERYTHING = {
  ...VARIANTS["one of two regions that both serve"],
  webhooks: { enabled: true },
  operator: { enabled: true },
  tracing: { endpoint: "http://collector.example:4318" },
};
/** Of compose.yaml: what the chart or the playbooks do not set, and why. */
const ONLY_COMPOSE: Readonly<Record<string, string>> = {
  NODE_ENV: "of a gateway the other two decide it by `auth`; elsewhere it only permits DEBUG_*",
  "provision OTEL_EXPORTER_OTLP_ENDPOINT": "the job sends no traces",
};
/** The start of a service in compose.yaml, and of its jobs. */
const IN_COMPOSE = {
  gateway: "gateway-1",
  room: "room-1",
  persistence: "persistence-1",
  webhooks: "webhooks-1",
  operator: "operator",
  migrate: "migrate",
  provision: "provision",
} as const;

const read = (path: string): string => readFileSync(join(REPOSITORY, path), "utf8");

/** Component → the variables that it gets in some of the releases. */
function variablesOf(releases: readonly KubernetesObject[][]): ReadonlyMap<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const [component, { containers }] of releases.flatMap(podsOf)) {
    const names = containers.flatMap((container) => Object.keys(environmentOf(container)));
    found.set(component, new Set([...(found.get(component) ?? []), ...names]));
  }
  return found;
}

/** The variables that a template of the playbooks writes for a service or a job, in some case. */
function writtenFor(name: string, template: string): ReadonlySet<string> {
  const isFor = (condition: string): boolean =>
    !/_name\b/.test(condition) || condition.includes(`'${name}'`);
  const found = new Set<string>();
  // For each open `if`: whether its present branch is for this service, and whether one before was.
  const open: { isOurs: boolean; wasOurs: boolean; isOfServices: boolean }[] = [];
  for (const line of template.split("\n")) {
    const [, word, condition = ""] = /^\{% (if|elif|else|endif)(.*)%\}$/.exec(line) ?? [];
    if (word === "if") {
      const isOfServices = /_name\b/.test(condition);
      open.push({ isOurs: isFor(condition), wasOurs: false, isOfServices });
    } else if (word === "endif") {
      open.pop();
    } else if (word !== undefined) {
      const last = open.at(-1)!;
      last.wasOurs ||= last.isOfServices && last.isOurs;
      last.isOurs = !last.wasOurs && isFor(condition);
    }
    const [, variable] = /^([A-Z][A-Z0-9_]*)=/.exec(line) ?? [];
    if (variable !== undefined && open.every(({ isOurs }) => isOurs)) found.add(variable);
  }
  return found;
}

describe("The variables of the services", function () {
  this.timeout(30 * 60_000);
  let helm = "";
  let own: ReadonlyMap<string, Set<string>> = new Map();

  before(async function () {
    helm = await helmOrSkip(this);
    const values = [...Object.values(VARIANTS), EVERYTHING];
    own = variablesOf(await Promise.all(values.map((one) => render(helm, one))));
  });

  /** What a service reads and the chart does not set. */
  const others = (service: Service): string[] =>
    Object.keys(SCHEMAS[service].shape).filter((name) => !own.get(service)!.has(name));

  it("each can be set in the chart: by a value of its own, or in `environment`", async () => {
    // A second key, which the gateway refuses beside that of the Secret.
    const isRefused = (name: string): boolean => name === "INVITE_KEY";
    const environment = Object.fromEntries(
      SERVICES.map((service) => {
        const names = others(service).filter((name) => !isRefused(name));
        return [service, Object.fromEntries(names.map((name, i) => [name, i]))];
      }),
    );
    const pods = new Map(podsOf(await render(helm, { ...EVERYTHING, environment })));
    for (const service of SERVICES) {
      const names = others(service).filter((name) => !isRefused(name));
      expect(names, service).to.include("SELF_HEALING");
      const rendered = environmentOf(pods.get(service)!.containers[0]!);
      for (const [i, name] of names.entries()) {
        expect(rendered[name], `${service} ${name}`).to.equal(String(i));
      }
    }
  });

  it("the chart refuses exactly those in `environment` that it sets itself", async () => {
    const all = SERVICES.flatMap((service) =>
      [...own.get(service)!].map((name) => [service, name] as const),
    );
    const environment = Object.fromEntries(
      SERVICES.map((service) => [
        service,
        Object.fromEntries([...own.get(service)!].map((name) => [name, "x"])),
      ]),
    );
    const { ok, errors } = await runHelm(helm, "template", { ...EVERYTHING, environment });
    expect(ok).to.equal(false);
    const expected = all.map(
      ([service, name]) =>
        `  environment.${service}: the chart sets ${name} itself, by another value or by a Secret`,
    );
    expect(errors.split("\n").filter((line) => line.startsWith("  "))).to.have.members(expected);
  });

  it("what compose.yaml sets for a service or a job, the chart and the playbooks set by a variable of their own", () => {
    const { services } = parse(read("compose.yaml"), { merge: true }) as {
      services: Record<string, { environment: object }>;
    };
    const playbooks = ["service", "job"].map((role) =>
      read(`infra/ansible/roles/${role}/templates/${role}.env.j2`),
    );
    const [ofServices, ofJobs] = playbooks as [string, string];
    const written = (component: string): ReadonlySet<string> =>
      writtenFor(component, SERVICES.includes(component as Service) ? ofServices : ofJobs);
    expect(written("room")).to.include("ROOM_MEMORY_MIB").and.not.include("AUTH");
    const lacking = Object.entries(IN_COMPOSE).flatMap(([component, name]) =>
      Object.keys(services[name]!.environment)
        .filter((variable) => !(variable in ONLY_COMPOSE))
        .filter((variable) => !(`${component} ${variable}` in ONLY_COMPOSE))
        .flatMap((variable) => [
          ...(own.get(component)!.has(variable) ? [] : [`chart: ${component} ${variable}`]),
          ...(written(component).has(variable) ? [] : [`playbooks: ${component} ${variable}`]),
        ]),
    );
    expect(lacking).to.deep.equal([]);
  });

  it("the chart and the playbooks set each variable of the store of attachments, alike for gateways and persistence", () => {
    const template = read("infra/ansible/roles/service/templates/service.env.j2");
    for (const service of ["gateway", "persistence"] as const) {
      for (const variable of Object.keys(attachmentConfig)) {
        expect(own.get(service)!.has(variable), `chart: ${service} ${variable}`).to.equal(true);
        const isWritten = writtenFor(service, template).has(variable);
        expect(isWritten, `playbooks: ${service} ${variable}`).to.equal(true);
      }
    }
    for (const service of ["room", "webhooks", "operator"] as const) {
      expect(own.get(service), service).to.not.include("ATTACHMENTS_STORE");
      expect(writtenFor(service, template), service).to.not.include("ATTACHMENTS_STORE");
    }
  });
});
