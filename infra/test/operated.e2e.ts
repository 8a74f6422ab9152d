// What whoever operates a cluster sees of it, asked of real processes.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "../cluster.ts";
import type { Cluster } from "../cluster.ts";
import { connect } from "./people.ts";

const ROOM = "board-of-secrets";
const USER = "ada.of.london";
const MESSAGES = 20;

describe("An operated cluster", function () {
  this.timeout(60_000);
  let cluster: Cluster;
  let dataDir: string;

  before(async function () {
    this.timeout(120_000);
    dataDir = mkdtempSync(join(tmpdir(), "parley-operated-"));
    const say = (): void => undefined;
    cluster = await startCluster({ dataDir, port: 0, partitions: 4, restart: false, say });
  });

  after(async () => {
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("E1: every process answers /metrics, and no room, user or message is named there", async () => {
    const ada = await connect(cluster, USER);
    const room = ada.join(ROOM, { tail: 0 });
    const ids: string[] = [];
    for (let n = 0; n < MESSAGES; n++) {
      const sent = room.send({ text: `secret ${n}` });
      ids.push(sent.id);
      expect((await sent.done).kind).to.equal("acked");
    }
    ada.close();
    const { gateways, rooms, persistence } = cluster.info();
    const scrape = async (url: string): Promise<string> => (await fetch(url)).text();
    // The state of the streams is looked at every two seconds.
    await until(
      async () => sum(await scrape(persistence[0]!.metrics), "parley_log_reachable") === 4,
      { withinMs: 20_000, what: "every log to have been looked at" },
    );
    const [gateway, roomNode, archive] = await Promise.all(
      [gateways[0]!, rooms[0]!, persistence[0]!].map(({ metrics }) => scrape(metrics)),
    );
    expect(sum(gateway!, 'parley_gateway_sends_total{outcome="ok"}')).to.equal(MESSAGES);
    expect(sum(gateway!, "parley_gateway_send_seconds_count")).to.equal(MESSAGES);
    expect(sum(gateway!, "parley_gateway_delivery_seconds_count")).to.be.greaterThan(0);
    expect(sum(roomNode!, "parley_room_events_total")).to.equal(MESSAGES);
    expect(sum(roomNode!, "parley_room_partition_epoch")).to.be.greaterThan(0);
    expect(sum(archive!, "parley_archive_events_total")).to.equal(MESSAGES);
    expect(sum(archive!, "parley_log_reachable")).to.equal(4);
    const everything = `${gateway}${roomNode}${archive}`;
    for (const name of [ROOM, USER, ...ids]) expect(everything).to.not.contain(name);
    expect(everything.length).to.be.lessThan(200_000);
  });
});

/** Of all samples that begin like this. */
function sum(text: string, sample: string): number {
  return text
    .split("\n")
    .filter((line) => line.startsWith(sample))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
