// Playbooks: their syntax and style by the real Ansible, and their agreement with the services.
// `make test-hosts` runs them on real hosts.

import { expect } from "chai";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { NOTIFY_TIMEOUT_MS } from "#shared/process/service-manager.ts";
import { REPOSITORY } from "../../embedded/service-process.ts";
import { configSchema as gateway } from "../../../services/gateway/config.ts";
import { configSchema as operator } from "../../../services/operator/config.ts";
import {
  configSchema as persistence,
  migrateConfigSchema,
} from "../../../services/persistence/config.ts";
import { configSchema as room } from "../../../services/room/config.ts";
import { configSchema as webhooks } from "../../../services/webhooks/config.ts";
import { ansibleOrSkip, FOLDER, runAnsible } from "./ansible.ts";
import type { AnsibleResult } from "./ansible.ts";

const PLAYBOOKS = readdirSync(FOLDER).filter(
  (file) => file.endsWith(".yml") && !file.startsWith("inventory."),
);
const INVENTORY = ["--inventory", "inventory.example.yml"];
const EXAMPLE = join(FOLDER, "inventory.example.yml");
const read = (path: string): string => readFileSync(join(FOLDER, path), "utf8");

/** The line of a unit's environment that sets the heap, and the variables in it. */
function heapVariables(): object {
  const lines = read("roles/service/templates/service.env.j2").split("\n");
  const line = lines.find((text) => text.startsWith("NODE_OPTIONS="));
  return { parley_memory_max: { room: "1G" }, service_name: "room", line };
}

describe("The playbooks", function () {
  this.timeout(20 * 60_000); // The first run installs Ansible.

  describe("by the real Ansible", () => {
    let dir = "";
    let runs: Readonly<Record<"lint" | "syntax" | "broken" | "heap", Promise<AnsibleResult>>>;

    /** Starts all runs: none waits for another one. ansible-lint takes longest and begins first. */
    before(async function () {
      const bin = await ansibleOrSkip(this);
      const start = (program: string, ...words: string[]): Promise<AnsibleResult> =>
        runAnsible(bin, program, words);
      dir = mkdtempSync(join(tmpdir(), "parley-ansible-"));
      const broken = join(dir, "broken.yml");
      writeFileSync(broken, JSON.stringify([{ hosts: "all", roles: [{ role: "no-such-role" }] }]));
      const check = [...INVENTORY, "--syntax-check"];
      const debug = ["localhost", "--connection=local", "--module-name=ansible.builtin.debug"];
      const heap = ["--args=msg={{ line }}", `--extra-vars=${JSON.stringify(heapVariables())}`];
      runs = {
        lint: start("ansible-lint", "--offline", "--nocolor", "-q", "--profile", "production"),
        syntax: start("ansible-playbook", ...check, ...PLAYBOOKS),
        broken: start("ansible-playbook", ...check, broken),
        heap: start("ansible", ...debug, ...heap),
      };
    });
    after(async () => {
      if (dir === "") return; // Skipped.
      await Promise.all(Object.values(runs));
      rmSync(dir, { recursive: true });
    });

    it("have a valid syntax with the example inventory", async () => {
      expect(PLAYBOOKS).to.include("site.yml");
      const { code, output } = await runs.syntax;
      expect(code, output).to.equal(0);
      for (const playbook of PLAYBOOKS) expect(output).to.contain(`playbook: ${playbook}`);
    });

    it("the check of the syntax can fail", async () => {
      const { code, output } = await runs.broken;
      expect(code).to.not.equal(0);
      expect(output).to.contain("no-such-role");
    });

    it("give the heap of a service 60 % of the memory of its unit", async () => {
      expect((await runs.heap).output).to.contain("NODE_OPTIONS=--max-old-space-size=614");
    });

    it("are accepted by ansible-lint, profile production", async () => {
      const { code, output } = await runs.lint;
      expect(code, output).to.equal(0);
    });
  });

  it("wait longer for a stop than the stop deadline in the code of each service", () => {
    const { service_each: each } = parse(read("roles/service/vars/services.yml")) as {
      service_each: Record<string, { stop_seconds: number; metrics_port: number }>;
    };
    expect(each).to.have.keys(["gateway", "room", "persistence", "webhooks", "operator"]);
    for (const [service, { stop_seconds: seconds }] of Object.entries(each)) {
      const main = readFileSync(join(REPOSITORY, `services/${service}/main.ts`), "utf8");
      const deadline = /STOP_DEADLINE_MS = ([\d_]+);/.exec(main)?.[1]?.replaceAll("_", "");
      expect(seconds * 1_000, service).to.equal(Number(deadline));
    }
    const unit = read("roles/service/templates/service.service.j2");
    expect(unit).to.contain("TimeoutStopSec={{ service_each[service_name].stop_seconds + 5 }}");
  });

  it("service-manager.3: a keep-alive may take as long as the watchdog waits, and less than a start", () => {
    const defaults = parse(read("roles/parley/defaults/main.yml")) as Record<string, number>;
    expect(NOTIFY_TIMEOUT_MS).to.be.at.least(defaults["parley_watchdog_seconds"]! * 1_000);
    const unit = read("roles/service/templates/service.service.j2");
    const start = Number(/^TimeoutStartSec=(\d+)$/m.exec(unit)?.[1]);
    expect(NOTIFY_TIMEOUT_MS).to.be.below((start * 1_000) / 2);
  });

  it("write no variable that no service reads", () => {
    const known = new Set([
      ...[gateway, room, persistence, webhooks, operator].flatMap(({ shape }) =>
        Object.keys(shape),
      ),
      "OTEL_EXPORTER_OTLP_ENDPOINT",
      "NODE_OPTIONS",
    ]);
    const names = (file: string): string[] =>
      [...read(file).matchAll(/^([A-Z_]+)=/gm)].map(([, name = ""]) => name);
    expect(names("roles/service/templates/service.env.j2")).to.include("AUTH");
    for (const name of names("roles/service/templates/service.env.j2")) {
      expect(known.has(name), name).to.equal(true);
    }
    const ofJobs = new Set(Object.keys(migrateConfigSchema.shape));
    const provision = readFileSync(join(REPOSITORY, "infra/docker/provision.ts"), "utf8");
    for (const [, name = ""] of provision.matchAll(/process\.env\["([A-Z_]+)"\]/g))
      ofJobs.add(name);
    for (const name of names("roles/job/templates/job.env.j2")) {
      expect(ofJobs.has(name) || ["LOG_LEVEL", "NODE_OPTIONS"].includes(name), name).to.equal(true);
    }
  });

  it("X4: no template holds a secret, and every file of secrets belongs to one service", () => {
    const templates = readdirSync(join(FOLDER, "roles"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".j2"))
      .map((path) => read(join("roles", path)));
    expect(templates.length).to.be.greaterThan(5);
    for (const text of templates) expect(text).to.not.match(/lookup\(.*parley_secrets/);
    const host = read("roles/host/tasks/main.yml");
    expect(host).to.contain('mode: "0400"').and.to.contain('mode: "0500"');
  });

  it("restrict every unit in the same way", () => {
    const units = readdirSync(join(FOLDER, "roles"), { recursive: true, encoding: "utf8" }).filter(
      (path) => /(?:service|unit\.conf)\.j2$/.test(path),
    );
    expect(units).to.have.length(4);
    for (const path of units) {
      expect(read(join("roles", path)), path).to.contain("{% include 'hardening.j2' %}");
    }
    const lines = read("templates/hardening.j2").split("\n");
    for (const line of [
      "NoNewPrivileges=yes",
      "ProtectSystem=strict",
      "CapabilityBoundingSet=",
      "SystemCallFilter=@system-service",
    ]) {
      expect(lines).to.include(line);
    }
  });

  it("the page of hosts names only variables and groups that exist", () => {
    const defaults = Object.keys(parse(read("roles/parley/defaults/main.yml")) as object);
    const page = readFileSync(join(REPOSITORY, "docs/deploy-hosts.md"), "utf8");
    const named = new Set([...page.matchAll(/\bparley_[a-z_]+\b/g)].map(([name]) => name));
    expect(named.size).to.be.greaterThan(10);
    const others = ["parley_serving", "parley_webhooks", "parley_replication", "parley_address"];
    for (const name of named) expect([...defaults, ...others]).to.include(name);
    const example = parse(readFileSync(EXAMPLE, "utf8")) as {
      all: { children: Record<string, unknown> };
    };
    for (const group of Object.keys(example.all.children)) expect(page).to.contain(`\`${group}\``);
  });
});
