// Readers that are behind: one stops reading while its room gets 50 MB, one resumes ten thousand
// messages back. Both receive every event once and in order. The gateway's memory stays bounded.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { printFigure } from "#tools/test-run/figure.ts";
import { INSPECTED, liveMiB } from "./live-memory.ts";
import { devToken } from "../wire-client/dev-token.ts";
import { WireClient } from "../wire-client/wire-client.ts";
import type { RoomStart } from "../wire-client/wire-client-options.ts";
import { connect, socketUrl } from "./clients.ts";

const ROOM_BYTES = 50 * 1024 * 1024;
const MESSAGE_BYTES = 15_000;
const MESSAGES = Math.ceil(ROOM_BYTES / MESSAGE_BYTES);
const BACK = 10_000;
/**
 * The gateway may keep the room's ring (1 MiB) and a full socket for the paused reader; the rest is
 * a margin. A gateway that kept the flood for it would hold 50 MiB more.
 */
const PAUSED_READER_MIB_MAX = 12;

describe("Readers that are behind", () => {
  let cluster: Cluster;
  let dataDir: string;

  before(async function () {
    this.timeout(120_000);
    dataDir = mkdtempSync(join(tmpdir(), "parley-readers-"));
    const say = (): void => undefined;
    cluster = await startCluster({
      dataDir,
      port: 0,
      partitions: 4,
      limits: "off",
      restart: false,
      env: INSPECTED,
      say,
    });
  });

  after(async function () {
    this.timeout(60_000);
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("O11: a reader that is paused while its room gets 50 MB receives every event, and memory stays bounded", async function () {
    this.timeout(180_000);
    const text = "x".repeat(MESSAGE_BYTES);
    const log = join(dataDir, "logs", "gateway-1.log");
    const liveMemory = async (): Promise<number> => Math.round(await liveMiB(log));
    const reader = await Reader.open(cluster, "paused", { room: "flood", tail: 0 });
    reader.wire.pauseReading();
    const before = await liveMemory();
    await flood(cluster, "flood", MESSAGES, text);
    const during = await liveMemory();
    reader.wire.resumeReading();
    await until(() => reader.seqs.length >= MESSAGES, {
      withinMs: 60_000,
      what: "all of the flood",
    });
    expect(reader.firstOutOfPlace(1)).to.equal(undefined);
    expect(reader.isClosed).to.equal(false);
    printFigure(
      `${MESSAGES} messages; live memory of the gateway: ${before} MiB before, ${during} MiB while the reader is paused`,
    );
    expect(during - before).to.be.lessThan(PAUSED_READER_MIB_MAX);
    reader.wire.terminate();
  });

  it("O7: a client that resumes 10,000 messages back receives exactly these and then live ones", async function () {
    this.timeout(180_000);
    await flood(cluster, "long", BACK + 500, "short");
    const reader = await Reader.open(cluster, "returning", { room: "long", after: 500 });
    await until(() => reader.caughtUp > 0, { withinMs: 60_000, what: "the end of catch-up" });
    expect(reader.caughtUp).to.equal(BACK + 500);
    expect(reader.seqs).to.have.length(BACK);
    await flood(cluster, "long", 5, "live");
    await until(() => reader.seqs.length >= BACK + 5, { withinMs: 20_000, what: "live messages" });
    expect(reader.seqs).to.have.length(BACK + 5);
    expect(reader.firstOutOfPlace(501)).to.equal(undefined);
    reader.wire.terminate();
  });
});

/**
 * Sends `count` messages to a room as fast as the outbox allows. Resolves when all are
 * acknowledged.
 */
async function flood(cluster: Cluster, room: string, count: number, text: string): Promise<void> {
  const parley = await connect(cluster, `flood-${room}`);
  const handle = parley.join(room, { tail: 0 });
  let next = 0;
  const sendAll = async (): Promise<void> => {
    while (next++ < count) {
      const outcome = await handle.send({ text }).done;
      if (outcome.kind !== "acked")
        throw new Error(`a message of the flood was refused: ${outcome.error}`);
    }
  };
  await Promise.all(Array.from({ length: 50 }, sendAll));
  parley.close();
}

/**
 * Speaks the wire directly: it can stop reading, and nothing repairs the events that it receives.
 */
class Reader {
  readonly seqs: number[] = [];
  caughtUp = 0;
  isClosed = false;
  readonly wire: WireClient;

  private constructor(cluster: Cluster, user: string, token: string, start: RoomStart) {
    this.wire = new WireClient({
      user: user as UserId,
      token,
      endpoint: () => ({ name: "gateway-1", url: socketUrl(cluster) }),
      rooms: [start],
      reconnects: false,
      hooks: {
        onFrame: ({ t, seq }) => {
          if (t === "msg") this.seqs.push(Number(seq));
          if (t === "caught-up") this.caughtUp = Number(seq);
        },
        onClosed: () => (this.isClosed = true),
      },
    });
  }

  static async open(
    cluster: Cluster,
    user: string,
    start: { room: string; after?: number; tail?: number },
  ): Promise<Reader> {
    const token = await devToken(cluster.url, user);
    const reader = new Reader(cluster, user, token, start as RoomStart);
    reader.wire.connect();
    await until(() => reader.wire.isJoined, { withinMs: 20_000, what: "joined" });
    return reader;
  }

  /** The first sequence number that breaks the series `from`, `from` + 1, … */
  firstOutOfPlace(from: number): number | undefined {
    return this.seqs.find((seq, index) => seq !== from + index);
  }
}
