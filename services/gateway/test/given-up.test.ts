// Readers that a gateway gives up: what the alert on incomplete resumes counts, and what it must not.

import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { frameMaker } from "../adapters/websocket.ts";
import { CONNECTIONS_PER_ADDRESS_MAX, READER_PATIENCE_MS } from "../core/bounds.ts";
import { Gateway } from "../gateway.ts";
import type { SocketHandlers } from "../ports.ts";
import { ScriptedArchive, ScriptedOwner } from "./scripted-owner.ts";
import { silentSocket } from "./silent-socket.ts";

interface World {
  readonly clock: FakeClock;
  readonly gateway: Gateway;
  readonly owner: ScriptedOwner;
  readonly archive: ScriptedArchive;
  readonly closes: number[];
  readonly accept: () => SocketHandlers;
}

function openWorld(): World {
  const clock = new FakeClock();
  const broker = new MemoryBroker();
  const owner = new ScriptedOwner(broker.connect(), 2);
  const archive = new ScriptedArchive(owner.model);
  const identity = { user: "ada" as UserId, expiresAt: Infinity, admin: false };
  const gateway = new Gateway(
    { id: "gw-1" as ProcessId, partitions: 2, version: "test", limits: true },
    {
      bus: broker.connect(),
      archive,
      clock,
      random: systemRandom,
      auth: { verify: () => Promise.resolve({ kind: "ok", identity }) },
      frames: frameMaker,
      report: () => undefined,
    },
  );
  gateway.start();
  owner.serve();
  const closes: number[] = [];
  const socket = silentSocket(closes);
  return { clock, gateway, owner, archive, closes, accept: () => gateway.accept(socket) };
}

/** Runs `ms` in steps, with what promises and the memory bus have to say in between. */
async function pass(clock: FakeClock, ms: number, stepMs: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    clock.advance(stepMs);
    await new Promise(setImmediate);
  }
}

describe("Readers given up", () => {
  it("E8: one that gets nothing of what it needs is closed with 1013, and counted", async () => {
    const { clock, gateway, owner, archive, closes, accept } = openWorld();
    owner.preload("general" as RoomId, 100);
    owner.model.tailFrom = 90;
    archive.isDown = true;
    const connection = accept();
    connection.onText(JSON.stringify({ t: "hello", token: "any" }));
    await pass(clock, 10, 5);
    connection.onText(JSON.stringify({ t: "join", ref: 1, room: "general", after: 3 }));
    const keepAlive = clock.every(1_000, () => connection.onActivity());
    await pass(clock, READER_PATIENCE_MS - 2_000, 500);
    expect([...gateway.stats.readersGivenUp]).to.deep.equal([
      ["unserved", 0],
      ["too_slow", 0],
    ]);
    await pass(clock, 5_000, 500);
    keepAlive.cancel();
    expect(closes).to.deep.equal([1013]);
    expect([...gateway.stats.readersGivenUp][0]).to.deep.equal(["unserved", 1]);
  });

  it("E8: connections above a cap are closed with 1013, too, and are no readers", () => {
    const { gateway, closes, accept } = openWorld();
    for (let n = 0; n < CONNECTIONS_PER_ADDRESS_MAX; n++) accept();
    expect(closes).to.deep.equal([]);
    accept();
    expect(closes).to.deep.equal([1013]);
    expect([...gateway.stats.closes]).to.deep.include(["1013", 1]);
    expect([...gateway.stats.readersGivenUp].map(([, count]) => count)).to.deep.equal([0, 0]);
  });
});
