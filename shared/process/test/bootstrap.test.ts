// Bootstrap: in real child processes, because a failed start exits the process.

import { expect } from "chai";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launchNats } from "../../testing/launch-nats.ts";
import type { NatsServer } from "../../testing/launch-nats.ts";

const IMPORTS = `
  import { z } from "zod";
  import { serviceConfig } from "#shared/process/config.ts";
  import { startJob, startService } from "#shared/process/bootstrap.ts";
  const schema = z.object(serviceConfig);`;

const SERVICE = `${IMPORTS}
  const service = await startService({ kind: "room", schema, stopDeadlineMs: 5_000 });
  const bus = await service.connectBus();
  service.shutdown.add("own part", async () => console.log("bus is", bus.status));
  const operations = await service.openOperations({
    bus, port: 0, register: () => {}, describe: () => ({ partitions: 1 }),
  });
  service.announceReady({ metrics: operations.url });`;

interface Ended {
  readonly text: string;
  readonly code: number | null;
}

function forkProgram(program: string, env: Record<string, string>): ReturnType<typeof fork> {
  return fork("-", [], {
    execArgv: ["--input-type=module-typescript", "--eval", program],
    cwd: new URL("../../..", import.meta.url),
    env: { PATH: process.env["PATH"], LOG_LEVEL: "", ...env },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
}

async function ending(child: ReturnType<typeof fork>): Promise<Ended> {
  const exit = once(child, "exit") as Promise<[number | null]>;
  let text = "";
  for await (const chunk of child.stdout ?? []) text += String(chunk);
  return { text, code: (await exit)[0] };
}

function fatalLines({ text }: Ended): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line.includes('"level":"fatal"'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("Bootstrap", function () {
  this.timeout(20_000);
  let nats: NatsServer;
  before(async () => {
    nats = await launchNats();
  });
  after(() => nats.stop());

  it("bootstrap.1: an invalid environment exits with 1 and one line with all complaints", async () => {
    const ended = await ending(forkProgram(SERVICE, { LOG_LEVEL: "loud", PARTITIONS: "many" }));
    expect(ended.code).to.equal(1);
    const [line, ...more] = fatalLines(ended);
    expect(more).to.deep.equal([]);
    expect(line?.["msg"]).to.equal("the environment is not valid");
    expect(line?.["complaints"]).to.have.length(2);
  });

  it("bootstrap.1: an unreachable NATS exits with 1 and a reason, without the password of its URL", async () => {
    const ended = await ending(forkProgram(SERVICE, { NATS_URL: "nats://ada:pw@127.0.0.1:1" }));
    expect(ended.code).to.equal(1);
    const [line, ...more] = fatalLines(ended);
    expect(more).to.deep.equal([]);
    expect(line).to.include({ msg: "NATS is not reachable", url: "nats://127.0.0.1:1" });
    expect(line?.["reason"]).to.be.a("string");
    expect(ended.text).not.to.contain("ada:pw");
  });

  it("bootstrap.1: a job exits with 1 and one fatal line when its work fails", async () => {
    const program = `${IMPORTS}
      const { orExit } = startJob("job", schema);
      await orExit(Promise.reject(new Error("disk full")), "the work failed", { step: 1 });
      console.log("continued");`;
    const ended = await ending(forkProgram(program, { NATS_URL: nats.url }));
    expect(ended.code).to.equal(1);
    expect(fatalLines(ended)).to.have.length(1);
    expect(fatalLines(ended)[0]).to.include({
      msg: "the work failed",
      reason: "disk full",
      step: 1,
    });
    expect(ended.text).not.to.contain("continued");
  });

  it("bootstrap.2: a service reports ready, answers /healthz, and stops its own parts before NATS", async () => {
    const child = forkProgram(SERVICE, { NATS_URL: nats.url });
    const ended = ending(child);
    const [ready] = (await once(child, "message")) as [{ name: string; metrics: string }];
    expect(ready.name).to.match(/^room-[0-9a-f]{12}$/);
    const health = await fetch(ready.metrics.replace("/metrics", "/healthz"));
    expect(health.status).to.equal(200);
    child.kill("SIGTERM");
    const { text, code } = await ended;
    expect(code).to.equal(0);
    expect(text).to.contain("bus is connected");
  });

  it("bootstrap.3: the compiled code of a service is stored before it connects, so a kill does not lose it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "parley-compiled-"));
    try {
      const program = `${IMPORTS}
        await startService({ kind: "room", schema, stopDeadlineMs: 5_000 });
        process.send("not connected yet");`;
      const child = forkProgram(program, { NATS_URL: nats.url, NODE_COMPILE_CACHE: folder });
      const ended = ending(child);
      await once(child, "message");
      child.kill("SIGKILL");
      expect((await ended).code).to.equal(null);
      const files = readdirSync(folder, { recursive: true });
      expect(files).to.have.length.above(100);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
