// Readers that are behind: one that stopped reading while its room got 50 MB, and one that resumes
// ten thousand messages back. Both get everything, once, in order; the gateway's memory stays bounded.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { WebSocket } from "ws";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { INSPECTED, liveMiB } from "./live-memory.ts";
import { connect, devToken, socketUrl } from "./clients.ts";

const ROOM_BYTES = 50 * 1024 * 1024;
const MESSAGE_BYTES = 15_000;
const MESSAGES = Math.ceil(ROOM_BYTES / MESSAGE_BYTES);
const BACK = 10_000;
/**
 * What the gateway may keep for the sleeper: the room's ring (1 MiB) and a full socket, and room for
 * noise. A gateway that kept the flood for it would hold 50 MiB more.
 */
const SLEEPER_MIB_MAX = 12;

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

  it("O11: a reader that sleeps while its room gets 50 MB misses nothing, and memory stays bounded", async function () {
    this.timeout(180_000);
    const text = "x".repeat(MESSAGE_BYTES);
    const log = join(dataDir, "logs", "gateway-1.log");
    const live = async (): Promise<number> => Math.round(await liveMiB(log));
    const sleeper = await Reader.open(cluster, "sleeper", { room: "flood", tail: 0 });
    sleeper.pause();
    const before = await live();
    await flood(cluster, "flood", MESSAGES, text);
    const during = await live();
    sleeper.resume();
    await until(() => sleeper.seqs.length >= MESSAGES, {
      withinMs: 60_000,
      what: "all of the flood",
    });
    expect(sleeper.firstOutOfPlace(1)).to.equal(undefined);
    expect(sleeper.closed).to.equal(false);
    console.log(
      `      ${MESSAGES} messages; alive in the gateway ${before} MiB before, ${during} while it sleeps`,
    );
    expect(during - before).to.be.lessThan(SLEEPER_MIB_MAX);
    sleeper.close();
  });

  it("O7: a client that resumes 10,000 messages back gets exactly these and then live", async function () {
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
    reader.close();
  });
});

/** `count` messages into a room, as fast as the outbox lets them, all acked. */
async function flood(cluster: Cluster, room: string, count: number, text: string): Promise<void> {
  const parley = await connect(cluster, `flood-${room}`);
  const handle = parley.join(room, { tail: 0 });
  let next = 0;
  const say = async (): Promise<void> => {
    while (next++ < count) {
      const outcome = await handle.send({ text }).done;
      if (outcome.kind !== "acked") throw new Error(`flood refused: ${outcome.error}`);
    }
  };
  await Promise.all(Array.from({ length: 50 }, say));
  parley.close();
}

/** A raw socket, so that it can stop reading, and that nothing repairs what it sees. */
class Reader {
  readonly seqs: number[] = [];
  caughtUp = 0;
  closed = false;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("close", () => (this.closed = true));
    socket.on("message", (data: Buffer) => {
      for (const line of data.toString().split("\n")) {
        const frame = JSON.parse(line) as { t: string; seq: number };
        if (frame.t === "msg") this.seqs.push(frame.seq);
        if (frame.t === "caught-up") this.caughtUp = frame.seq;
      }
    });
  }

  static async open(
    cluster: Cluster,
    user: string,
    join: { room: string; after?: number; tail?: number },
  ): Promise<Reader> {
    const token = await devToken(cluster, user);
    const socket = new WebSocket(socketUrl(cluster), "parley.v1");
    const reader = new Reader(socket);
    let joined = false;
    socket.on("message", (data: Buffer) => (joined ||= data.toString().includes('"t":"joined"')));
    await new Promise((resolve, reject) => {
      socket.on("open", resolve);
      socket.on("error", reject);
    });
    socket.send(JSON.stringify({ t: "hello", token }));
    socket.send(JSON.stringify({ t: "join", ref: 1, ...join }));
    await until(() => joined, { withinMs: 20_000, what: "joined" });
    return reader;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.terminate();
  }

  /** The first number that is not `from`, `from` + 1, … */
  firstOutOfPlace(from: number): number | undefined {
    return this.seqs.find((seq, index) => seq !== from + index);
  }
}
