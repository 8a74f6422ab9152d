// Hostile frames: a broken client costs its own connection and no other. And how a gateway leaves.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { devToken } from "../wire-client/dev-token.ts";
import { WireClient } from "../wire-client/wire-client.ts";
import { socketUrl } from "./clients.ts";

/** Keeps the frames that it received. The test writes the frames itself, well-formed or not. */
class RawClient {
  readonly frames: { t?: string; name?: string; ref?: number; afterMs?: number }[] = [];
  closed: number | undefined;
  readonly wire: WireClient;

  private constructor(cluster: Cluster, user: string, token: string) {
    this.wire = new WireClient({
      user: user as UserId,
      token,
      endpoint: () => ({ name: "gateway-1", url: socketUrl(cluster) }),
      reconnects: false,
      hooks: {
        onFrame: (frame) => this.frames.push(frame),
        onClosed: (code) => (this.closed = code),
      },
    });
  }

  static async open(cluster: Cluster, user: string): Promise<RawClient> {
    const client = new RawClient(cluster, user, await devToken(cluster.url, user));
    client.wire.connect();
    await client.receives("welcome");
    return client;
  }

  async receives(t: string): Promise<void> {
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
  let bystander: RawClient;

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
    bystander = await RawClient.open(cluster, "bystander");
  });

  after(async function () {
    this.timeout(60_000);
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const fatal: [string, number, (wire: WireClient) => void][] = [
    ["a text frame of 65 KiB", 1009, (wire) => wire.writeRaw("x".repeat(65 * 1024))],
    ["a text frame of 10 MB", 1009, (wire) => wire.writeRaw("x".repeat(10_000_000))],
    ["a binary frame", 1008, (wire) => wire.writeRaw(Buffer.from("{}"), { binary: true })],
    ["invalid UTF-8", 1007, (wire) => wire.writeRaw(Buffer.from([0xc3, 0x28]), { binary: false })],
  ];
  for (const [what, code, act] of fatal) {
    it(`F5: ${what} closes its connection with ${code}, and no other`, async () => {
      const client = await RawClient.open(cluster, "mallory");
      act(client.wire);
      expect(await client.closes()).to.equal(code);
      bystander.frames.length = 0;
      bystander.wire.write({ t: "ping", ref: 7 });
      await bystander.receives("pong");
    });
  }

  it("F1: the gateway answers each object of a frame, and each broken one with its own error", async () => {
    const client = await RawClient.open(cluster, "many");
    client.wire.writeRaw(
      '{"t":"ping","ref":1}\n{"t":"dance","ref":2}\n{broken\n{"t":"join","ref":3,"room":"../x"}',
    );
    await until(() => client.frames.length >= 5, { withinMs: 10_000, what: "four answers" });
    const errors = client.frames.filter((frame) => frame.t === "error");
    expect(errors.map(({ name, ref }) => [name, ref])).to.deep.equal([
      ["unknown_type", 2],
      ["bad_frame", undefined],
      ["bad_frame", 3],
    ]);
  });

  it("F3: the gateway ignores unknown fields; F4: the connection stays open after an error", async () => {
    const client = await RawClient.open(cluster, "lenient");
    client.wire.writeRaw("[1,2");
    await client.receives("error");
    client.wire.write({ t: "join", ref: 1, room: "general", colour: "blue" });
    await client.receives("caught-up");
  });

  it("S8: a leaving gateway sends `reconnect` with a spread, then closes with 1012", async () => {
    bystander.frames.length = 0;
    process.kill(cluster.pid("gateway-1") ?? 0, "SIGTERM");
    expect(await bystander.closes()).to.equal(1012);
    const reconnect = bystander.frames.find((frame) => frame.t === "reconnect");
    expect(reconnect?.afterMs).to.be.a("number");
  });
});
