// `parley erase` on an embedded cluster: no store and no page has a text of the erased user, within
// two seconds behind the end of the job, and the texts of the others stay.

import { expect } from "chai";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client } from "pg";
import { until } from "#shared/testing/wait.ts";
import { Parley } from "#client/sdk/parley.ts";
import type { Outgoing } from "#client/sdk/room-handle.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { devToken } from "../wire-client/dev-token.ts";
import { connect } from "./clients.ts";

const CLI = fileURLToPath(new URL("../../client/cli/parley.ts", import.meta.url));
const SECRET = "the-secret-9c1d";
/** C6. */
const ERASED_WITHIN_MS = 2_000;
const WAIT = { withinMs: 120_000 };
const run = promisify(execFile);

async function seqOf(outgoing: Outgoing): Promise<number> {
  const result = await outgoing.done;
  if (result.kind !== "acked") throw new Error(`refused: ${result.error}`);
  return result.seq;
}

describe("Erasure of a user", function () {
  this.timeout(600_000);
  let dataDir = "";
  let cluster: Cluster;
  const clients: Parley[] = [];
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "parley-erase-"));
    cluster = await startCluster({ dataDir, port: 0, partitions: 4, gateways: 2, rooms: 2 });
  });
  after(async () => {
    for (const client of clients) client.close();
    await cluster?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it("C8: erases a user in open, closed and direct rooms, threads and edits, and a second run finds nothing", async () => {
    const eve = await connect(cluster, "eve", 0);
    const ada = await connect(cluster, "ada", 1);
    clients.push(eve, ada);
    const direct = Parley.directRoom("ada", "eve");
    await seqOf(ada.createRoom("closed", { kind: "closed", members: [{ user: "eve" }] }));
    await seqOf(ada.createDirectRoom("ada", "eve"));
    const rooms = ["open", "closed", direct];
    for (const room of rooms) {
      const [hers, adas] = [eve.join(room, { after: 0 }), ada.join(room, { after: 0 })];
      const root = await seqOf(adas.send({ text: "a text that stays" }));
      const own = await seqOf(hers.send({ text: `${SECRET} one` }));
      await seqOf(hers.edit(own, { text: `${SECRET} two` }));
      await seqOf(hers.send({ text: `${SECRET} in the thread` }, { thread: root }));
      await seqOf(adas.send({ text: "in a thread that stays" }, { thread: own }));
    }
    const token = await devToken(cluster.url, "ada");
    const admin = new Client({ connectionString: cluster.databaseUrl });
    await admin.connect();
    try {
      const stores = async (): Promise<string> => {
        const rows: unknown[] = [];
        for (const table of ["events", "message_state", "quarantine"]) {
          rows.push((await admin.query(`select * from ${table}`)).rows);
        }
        const headers = { authorization: `Bearer ${token}` };
        const queries = ["?after=0&limit=200", "?view=messages", "?view=messages&thread=1", ""];
        const pages = await Promise.all(
          rooms.flatMap((room) =>
            queries.map(async (query) => {
              const path = `/v1/rooms/${room}/messages${query}`;
              return (await fetch(`${cluster.url}${path}`, { headers })).text();
            }),
          ),
        );
        return JSON.stringify([rows, pages]);
      };
      expect(await stores()).to.include(SECRET);
      const erase = async (): Promise<Record<string, unknown>> => {
        const flags = ["--url", cluster.url, "--database", cluster.databaseUrl];
        const { stdout } = await run(process.execPath, [CLI, ...flags, "erase", "eve"]);
        return JSON.parse(stdout) as Record<string, unknown>;
      };
      const report = await erase();
      const ended = performance.now();
      expect(report).to.deep.equal({
        user: "eve",
        erased: 6,
        gone: 0,
        rooms: 3,
        failed: [],
        remaining: 0,
      });
      let last = "";
      await until(async () => !(last = await stores()).includes(SECRET), {
        ...WAIT,
        what: "the erasure",
      });
      const ms = performance.now() - ended;
      console.log(`      erased everywhere ${ms.toFixed(0)} ms after the end of the job`);
      expect(ms).to.be.below(ERASED_WITHIN_MS);
      expect(last).to.include("a text that stays").and.include("in a thread that stays");
      const resumed: string[] = [];
      const late = await connect(cluster, "ada", 0);
      clients.push(late);
      for (const room of rooms) {
        late.join(room, { after: 0 }).on("event", (event) => resumed.push(JSON.stringify(event)));
      }
      await until(() => resumed.filter((line) => line.includes('"deleted"')).length >= 9, {
        ...WAIT,
        what: "the tombstones and deletions",
      });
      expect(resumed.join()).not.to.include(SECRET);
      expect(await erase()).to.include({ erased: 0, remaining: 0 });
    } finally {
      await admin.end();
    }
  });
});
