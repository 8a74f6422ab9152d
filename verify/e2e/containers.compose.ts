// The compose file on a real Docker engine: messages through both gateways, a killed container of
// each kind, no loss, the trace of a message in Jaeger, all targets up in Prometheus, a clean stop.
//
// `make test-compose` runs it; `make test` does not, because it needs an engine. Grafana is left
// out where only stand-ins are available; no message depends on it.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect } from "chai";
import { Parley } from "#client/sdk/parley.ts";
import { findPath } from "#client/cli/trace.ts";
import { until } from "#shared/testing/wait.ts";
import { composeCommand } from "#infra/docker/compose-command.ts";
import { localBase } from "#infra/docker/images.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { printFigure } from "#tools/test-run/figure.ts";

const run = promisify(execFile);

const PROJECT = "parley-test";
const PORTS = { front: 18_080, jaeger: 18_686, prometheus: 18_090 } as const;
const URL_ = `http://127.0.0.1:${PORTS.front}`;
const SERVICES = [
  "front",
  ...["room", "persistence"].flatMap((kind) => [`${kind}-1`, `${kind}-2`]),
  "jaeger",
  "prometheus",
];
const ROOMS = ["general", "dev", "random", "ops"];
/** One container of each kind to kill under load. */
const VICTIMS = ["gateway-1", "room-1", "persistence-1", "nats-2", "postgres"];

async function compose(...words: string[]): Promise<string> {
  return composeIn({}, ...words);
}

async function composeIn(more: NodeJS.ProcessEnv, ...words: string[]): Promise<string> {
  const env = {
    ...process.env,
    DOCKER_BUILDKIT: "0",
    NODE_IMAGE: localBase(),
    AUTH: "dev",
    PARTITIONS: "8",
    PORT: String(PORTS.front),
    JAEGER_PORT: String(PORTS.jaeger),
    PROMETHEUS_PORT: String(PORTS.prometheus),
    ORIGINS: URL_,
    ...more,
  };
  const [program, ...first] = await composeCommand();
  const args = [...first, "--project-name", PROJECT, ...words];
  const { stdout } = await run(program, args, { cwd: REPOSITORY, env, timeout: 600_000 });
  return stdout;
}

interface Container {
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly Privileged: boolean;
    readonly CapDrop: readonly string[] | null;
    readonly CapAdd: readonly string[] | null;
    readonly SecurityOpt: readonly string[] | null;
  };
}

/** Each running container, by the name of its service, with the process ids of this machine. */
async function containers(): Promise<{ name: string; id: string; container: Container }[]> {
  const ids = (await compose("ps", "--quiet")).trim().split("\n");
  const { stdout } = await run("docker", ["inspect", ...ids]);
  return (JSON.parse(stdout) as Container[]).map((container, at) => ({
    name: container.Config.Labels["com.docker.compose.service"]!,
    id: ids[at]!,
    container,
  }));
}

/** The fields of /proc/<pid>/status for each process of a container, read on this machine. */
async function processes(id: string): Promise<ReadonlyMap<string, string>[]> {
  const { stdout } = await run("docker", ["top", id, "-eo", "pid"]);
  const pids = stdout.trim().split("\n").slice(1);
  return pids.map((pid) => {
    const lines = readFileSync(`/proc/${pid.trim()}/status`, "utf8").trim().split("\n");
    return new Map(lines.map((line) => line.split(":\t", 2) as [string, string]));
  });
}

async function connect(user: string): Promise<Parley> {
  const token = async (): Promise<string> => {
    const response = await fetch(`${URL_}/v1/dev/token`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user }),
    });
    return ((await response.json()) as { token: string }).token;
  };
  const parley = new Parley({ url: `${URL_.replace("http", "ws")}/v1/ws`, token });
  parley.connect();
  return parley;
}

interface Prometheus {
  readonly data: { readonly activeTargets: readonly { health: string; scrapeUrl: string }[] };
}

async function targets(): Promise<readonly string[]> {
  const response = await fetch(`http://127.0.0.1:${PORTS.prometheus}/api/v1/targets`);
  const { data } = (await response.json()) as Prometheus;
  return data.activeTargets.filter(({ health }) => health === "up").map((one) => one.scrapeUrl);
}

describe("Containers", function () {
  this.timeout(600_000);

  before(async () => {
    await compose("build");
    await compose("up", "--detach", "--no-build", "--wait", ...SERVICES);
  });
  after(async () => {
    await compose("down", "--volumes", "--timeout", "60");
  });

  it("E7: no message is lost when a container of each kind is killed while clients send through both gateways", async () => {
    // Enough clients that the proxy, which prefers the emptier gateway, uses both.
    const clients = await Promise.all(["ada", "bob", "eve", "kim"].map((user) => connect(user)));
    const seen = new Map<string, number[]>();
    const joined: ReturnType<Parley["join"]>[] = [];
    for (const [index, client] of clients.entries()) {
      for (const name of ROOMS) {
        const numbers: number[] = [];
        seen.set(`${index} ${name}`, numbers);
        const room = client.join(name, { tail: 0 });
        room.on("event", ({ seq }) => numbers.push(seq));
        joined.push(room);
      }
    }
    // With `tail: 0` a client gets the events after its join. So no message may be sent before
    // every client has joined.
    await until(() => joined.every(({ status }) => status === "live"), {
      withinMs: 60_000,
      what: "every client to join every room",
    });
    const acked = new Map<string, Set<number>>(ROOMS.map((name) => [name, new Set()]));
    const sendRounds = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        const sends = clients.flatMap((client) =>
          ROOMS.map(async (name) => {
            const result = await client.join(name).send({ text: `${round}` }).done;
            if (result.kind === "acked") acked.get(name)!.add(result.seq);
            return result.kind;
          }),
        );
        expect(new Set(await Promise.all(sends))).to.deep.equal(new Set(["acked"]));
      }
    };
    await sendRounds(5);
    for (const victim of VICTIMS) {
      await compose("kill", "--signal", "SIGKILL", victim);
      await sendRounds(3);
      await compose("up", "--detach", "--no-build", "--wait", ...SERVICES);
      printFigure(`${victim} was killed and is back; ${acked.get("general")!.size} in general`);
    }
    const total = acked.get("general")!.size;
    expect(total).to.equal(clients.length * (5 + 3 * VICTIMS.length));
    const inOrder = Array.from({ length: total }, (_, at) => at + 1);
    for (const name of ROOMS)
      expect([...acked.get(name)!].toSorted((a, b) => a - b)).to.deep.equal(inOrder);
    for (const [reader, numbers] of seen) {
      await until(() => numbers.length >= total, {
        withinMs: 60_000,
        what: `every event of ${reader}`,
      });
      expect(numbers, reader).to.deep.equal(inOrder);
    }
    for (const client of clients) client.close();
  });

  it("X4: a gateway's container has its own secrets and no others, and cannot resolve PostgreSQL", async () => {
    const secretsOf = async (name: string): Promise<string[]> =>
      (await compose("exec", "-T", name, "ls", "/secrets")).trim().split("\n");
    expect(await secretsOf("gateway-1")).to.deep.equal([
      "dev-secret",
      "gateway.seed",
      "invite-key",
    ]);
    expect(await secretsOf("room-1")).to.deep.equal(["room.seed"]);
    expect(await secretsOf("persistence-1")).to.not.include("postgres-password"); // X6
    const lookUp = "require('dns').lookup('postgres', (e) => console.log(e ? 'unknown' : 'known'))";
    const dns = (name: string): Promise<string> =>
      compose("exec", "-T", name, "node", "-e", lookUp);
    expect((await dns("gateway-1")).trim()).to.equal("unknown");
    expect((await dns("persistence-1")).trim()).to.equal("known");
  });

  it("E7: every process of every container has no root, no capability and no way to get one", async () => {
    const none = /^0+$/;
    const running = await containers();
    expect(running.map(({ name }) => name)).to.include.members([
      ...SERVICES,
      "nats-1",
      "gateway-1",
    ]);
    for (const { name, id, container } of running) {
      const { HostConfig: host } = container;
      expect(host.ReadonlyRootfs, name).to.equal(true);
      expect(host.Privileged, name).to.equal(false);
      expect(host.CapDrop, name).to.deep.equal(["ALL"]);
      expect(host.SecurityOpt, name).to.include("no-new-privileges:true");
      const found = await processes(id);
      expect(found.length, name).to.be.greaterThan(1); // The init and its program.
      for (const status of found) {
        const what = `${name}: ${status.get("Name")}`;
        expect(status.get("NoNewPrivs"), what).to.equal("1");
        // The entry script of PostgreSQL needs five capabilities before it drops root, so its init
        // has root; PostgreSQL itself has not.
        if (name === "postgres" && status.get("Name")?.includes("init")) continue;
        expect(status.get("Uid")?.split("\t"), what).to.not.include("0");
        for (const set of ["CapPrm", "CapEff", "CapAmb"]) {
          expect(status.get(set), `${what} ${set}`).to.match(none);
        }
        if (name !== "postgres") expect(status.get("CapBnd"), what).to.match(none);
      }
    }
  });

  it("E7: a service cannot write to its root file system", async () => {
    const write = `const { writeFileSync } = require("fs"), { homedir, tmpdir } = require("os");
      for (const folder of ["", "/parley", "/parley/compiled", "/usr", homedir()])
        try { writeFileSync(folder + "/x", ""); console.log(folder); }
        catch ({ code }) { if (code !== "EROFS") console.log(folder, code); }
      writeFileSync(tmpdir() + "/x", ""); console.log("checked");`;
    for (const name of ["gateway-1", "room-1", "persistence-1"]) {
      const printed = await compose("exec", "-T", name, "node", "-e", write);
      expect(printed.trim(), name).to.equal("checked");
    }
  });

  it("S9: without AUTH compose starts no container and names the variable to set", async () => {
    const refused = await composeIn({ AUTH: undefined }, "config", "--quiet").then(
      () => "",
      (error: unknown) => String(error),
    );
    expect(refused).to.include("AUTH").and.include("AUTH=dev to try Parley out");
  });

  it("E6: the command runs in a container with the administrator's key", async () => {
    expect(await compose("run", "--rm", "-T", "parley", "status")).to.include("gateway");
  });

  it("E2: Jaeger has the trace of a message with every hop", async () => {
    const ada = await connect("ada");
    const trace = `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;
    const sent = ada.join("general", { tail: 0 }).send({ text: "traced" }, { trace });
    expect((await sent.done).kind).to.equal("acked");
    const jaeger = `http://127.0.0.1:${PORTS.jaeger}`;
    const hops = ["receive", "process", "append", "deliver", "archive"];
    await until(
      async () => {
        const names = (await findPath(jaeger, sent.id))?.spans.map(({ name }) => name) ?? [];
        return hops.every((hop) => names.some((name) => name.startsWith(hop)));
      },
      { withinMs: 60_000, what: "all hops in Jaeger" },
    );
    ada.close();
  });

  it("E1: Prometheus lists every service as a target that is up", async () => {
    await until(async () => (await targets()).length === 6, {
      withinMs: 60_000,
      what: "six targets that are up",
    });
  });
});
