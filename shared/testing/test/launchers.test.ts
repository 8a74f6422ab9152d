// The launchers: servers that are real, separate and restartable, and leave nothing behind.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { Client } from "pg";
import { launchNats } from "../launch-nats.ts";
import { launchPostgres } from "../launch-postgres.ts";
import { freePort } from "../ports.ts";
import { sweepStandIns } from "../postgres-user.ts";
import { until } from "../wait.ts";

const SOON = 15_000;

describe("launchNats", () => {
  it("launch-nats.2: two servers run side by side, restart in place, and leave nothing behind", async () => {
    const [one, two] = await Promise.all([launchNats(), launchNats()]);
    expect(one.url).not.to.equal(two.url);
    const before = { url: one.url, pid: one.pid };
    one.kill();
    expect(await one.exited()).to.equal("signal SIGKILL");
    await one.restart();
    expect(one.url).to.equal(before.url);
    expect(one.pid).not.to.equal(before.pid);
    expect((await fetch(`${one.monitorUrl}/healthz`)).ok).to.equal(true);
    await Promise.all([one.stop(), two.stop()]);
    await one.stop();
    expect([one, two].map(({ dir }) => existsSync(dir))).to.deep.equal([false, false]);
    await until(() => !isRunning(one.pid) && !isRunning(two.pid), {
      withinMs: SOON,
      what: "both processes to exit",
    });
  });

  it("launch-nats.2: stops a paused server", async () => {
    const server = await launchNats();
    server.signal("SIGSTOP");
    await server.stop();
    expect(await server.exited()).to.match(/^code/);
  });

  it("launch-nats.1: a server that cannot start reports the reason, and tries no other port", async () => {
    await using first = await launchNats();
    const error = await launchNats({ port: first.port }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(String(error)).to.include("address already in use");
  });
});

describe("launchPostgres", () => {
  it("launch-postgres.1: a server whose database cannot be created is ended", async () => {
    const dir = join(mkdtempSync(join(tmpdir(), "parley-launch-")), "postgres");
    const first = await launchPostgres({ embedded: true, dir });
    const other = first.url.replace(/parley$/, "postgres");
    await query(other, "drop database parley");
    await query(other, "alter database template1 is_template false");
    await query(other, "drop database template1"); // What a new database is a copy of.
    await first.stop();
    const pids: number[] = [];
    const onSpawn = (pid: number): void => void pids.push(pid);
    const port = await freePort();
    const error = await launchPostgres({ embedded: true, dir, port, onSpawn }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(String(error)).to.include("template1");
    expect(pids.map(isRunning)).to.deep.equal([false]);
    for (const folder of [dirname(dir), first.dir])
      rmSync(folder, { recursive: true, force: true });
  });

  it("launch-postgres.2: committed data survives a kill of the server", async () => {
    await using server = await launchPostgres({ embedded: true });
    await query(server.url, "create table kept (text text)");
    await query(server.url, "insert into kept values ('still here')");
    const { url, pid } = server;
    server.kill();
    await server.exited();
    await server.restart();
    expect(server.url).to.equal(url);
    expect(server.pid).not.to.equal(pid);
    expect(await query(url, "select text from kept")).to.deep.equal([{ text: "still here" }]);
  });

  it("launch-postgres.3: removes a stand-in when its folder below the temporary folder no longer exists, and no other", () => {
    const root = mkdtempSync(join(tmpdir(), "parley-stand-ins-"));
    const temporary = join(root, "tmp");
    const standIn = (name: string, dir: string, pid?: number): void => {
      mkdirSync(join(root, `parley-postgres-data-${name}`));
      writeFileSync(join(root, `parley-postgres-data-${name}.for`), dir);
      const lock = join(root, `parley-postgres-data-${name}`, "postmaster.pid");
      if (pid !== undefined) writeFileSync(lock, `${pid}\n`);
    };
    mkdirSync(join(temporary, "kept"), { recursive: true });
    standIn("gone", join(temporary, "gone", "postgres"));
    standIn("killed", join(temporary, "killed", "postgres"), 2 ** 22 + 1); // Above every pid.
    standIn("kept", join(temporary, "kept", "postgres"));
    standIn("elsewhere", join(root, "moved", "postgres"));
    sweepStandIns(root, temporary);
    const left = readdirSync(root).filter((name) => name.startsWith("parley-postgres-"));
    expect(left.sort()).to.deep.equal([
      "parley-postgres-data-elsewhere",
      "parley-postgres-data-elsewhere.for",
      "parley-postgres-data-kept",
      "parley-postgres-data-kept.for",
    ]);
    rmSync(root, { recursive: true });
  });

  it("launch-postgres.4: with DATABASE_URL it creates a database there, and drops it", async () => {
    await using server = await launchPostgres({ embedded: true });
    const before = process.env["DATABASE_URL"];
    process.env["DATABASE_URL"] = server.url;
    try {
      const [one, two] = await Promise.all([launchPostgres(), launchPostgres()]);
      expect(one.url).not.to.equal(two.url);
      await query(one.url, "create table mine (n int)");
      expect(await query(two.url, "select to_regclass('mine') as found")).to.deep.equal([
        { found: null },
      ]);
      expect(one.pid).to.equal(0);
      expect(() => one.kill()).to.throw("not ours");
      await Promise.all([one.stop(), two.stop()]);
      await one.stop();
    } finally {
      if (before === undefined) delete process.env["DATABASE_URL"];
      else process.env["DATABASE_URL"] = before;
    }
    const left = await query(
      server.url,
      "select 1 from pg_database where datname like 'parley\\__%'",
    );
    expect(left).to.deep.equal([]);
  });
});

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
