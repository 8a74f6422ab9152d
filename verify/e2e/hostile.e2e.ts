// Hostile and leaving: what a broken client costs itself and nobody else, and how a gateway goes.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { WebSocket } from "ws";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { devToken, socketUrl } from "./clients.ts";

class Talker {
  readonly frames: { t: string; name?: string; ref?: number; afterMs?: number }[] = [];
  closed: number | undefined;
  readonly socket: WebSocket;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer) => {
      for (const line of data.toString().split("\n")) this.frames.push(JSON.parse(line));
    });
    socket.on("close", (code) => (this.closed = code));
    socket.on("error", () => undefined); // A server that cuts a flood short resets it.
  }

  static async open(cluster: Cluster, user: string): Promise<Talker> {
    const token = await devToken(cluster, user);
    const talker = new Talker(new WebSocket(socketUrl(cluster), "parley.v1"));
    await until(() => talker.socket.readyState === WebSocket.OPEN, {
      withinMs: 10_000,
      what: "open",
    });
    talker.say({ t: "hello", token });
    await talker.sees("welcome");
    return talker;
  }

  say(...frames: object[]): void {
    this.socket.send(frames.map((frame) => JSON.stringify(frame)).join("\n"));
  }

  async sees(t: string): Promise<void> {
    await until(() => this.frames.some((frame) => frame.t === t), { withinMs: 10_000, what: t });
  }

  async closes(): Promise<number | undefined> {
    await until(() => this.closed !== undefined, { withinMs: 15_000, what: "the close" });
    return this.closed;
  }
}

describe("Hostile frames, and a gateway that leaves", () => {
  let cluster: Cluster;
  let dataDir: string;
  let bystander: Talker;

  before(async function () {
    this.timeout(120_000);
    dataDir = mkdtempSync(join(tmpdir(), "parley-hostile-"));
    const say = (): void => undefined;
    cluster = await startCluster({
      dataDir,
      port: 0,
      partitions: 2,
      limits: "off",
      restart: false,
      say,
    });
    bystander = await Talker.open(cluster, "bystander");
  });

  after(async function () {
    this.timeout(60_000);
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const fatal: [string, number, (socket: WebSocket) => void][] = [
    ["a text frame of 65 KiB", 1009, (socket) => socket.send("x".repeat(65 * 1024))],
    ["a text frame of 10 MB", 1009, (socket) => socket.send("x".repeat(10_000_000))],
    ["a binary frame", 1008, (socket) => socket.send(Buffer.from("{}"), { binary: true })],
    ["invalid UTF-8", 1007, (socket) => socket.send(Buffer.from([0xc3, 0x28]), { binary: false })],
  ];
  for (const [what, code, act] of fatal) {
    it(`F5: ${what} closes its connection with ${code}, and no other`, async () => {
      const talker = await Talker.open(cluster, "mallory");
      act(talker.socket);
      expect(await talker.closes()).to.equal(code);
      bystander.frames.length = 0;
      bystander.say({ t: "ping", ref: 7 });
      await bystander.sees("pong");
    });
  }

  it("F1: several objects in one frame are each answered, and broken ones get their own error", async () => {
    const talker = await Talker.open(cluster, "many");
    talker.socket.send(
      '{"t":"ping","ref":1}\n{"t":"dance","ref":2}\n{broken\n{"t":"join","ref":3,"room":"../x"}',
    );
    await until(() => talker.frames.length >= 5, { withinMs: 10_000, what: "four answers" });
    const errors = talker.frames.filter((frame) => frame.t === "error");
    expect(errors.map(({ name, ref }) => [name, ref])).to.deep.equal([
      ["unknown_type", 2],
      ["bad_frame", undefined],
      ["bad_frame", 3],
    ]);
  });

  it("F3: unknown fields are ignored; F4: the connection goes on after an error", async () => {
    const talker = await Talker.open(cluster, "lenient");
    talker.socket.send("[1,2");
    await talker.sees("error");
    talker.say({ t: "join", ref: 1, room: "general", colour: "blue" });
    await talker.sees("caught-up");
  });

  it("S8: a gateway that leaves says reconnect with a spread, and closes with 1012", async () => {
    bystander.frames.length = 0;
    process.kill(cluster.pid("gateway-1") ?? 0, "SIGTERM");
    expect(await bystander.closes()).to.equal(1012);
    const told = bystander.frames.find((frame) => frame.t === "reconnect");
    expect(told?.afterMs).to.be.a("number");
  });
});
