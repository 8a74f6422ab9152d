// The cost of a message in counts, not in time: JSON parses and stringifies, built frames, socket
// writes, messages on the bus. The figures are exact, so a change that copies a frame per member,
// parses a line again or causes an extra wake-up fails on any machine. `make bench` measures time.

import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { systemClock, systemRandom } from "#shared/adapters/clock-system.ts";
import type { ProcessId, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { frameMaker } from "../adapters/websocket.ts";
import { Gateway } from "../runtime/gateway.ts";
import type { ClientSocket, SocketHandlers } from "../runtime/client-socket.ts";
import { idOf } from "./owner-model.ts";
import { ScriptedArchive, ScriptedOwner } from "./scripted-owner.ts";

const PARTITIONS = 2;

/** Counts the calls of a method until `restore`. */
function countCalls(name: "parse" | "stringify"): { count: number; restore(): void } {
  const original = JSON[name] as (...args: unknown[]) => unknown;
  const counter = {
    count: 0,
    restore: () => void Object.assign(JSON, { [name]: original }),
  };
  Object.assign(JSON, {
    [name]: (...args: unknown[]) => {
      counter.count++;
      return original.apply(JSON, args);
    },
  });
  return counter;
}

class CountingSocket implements ClientSocket {
  readonly address = "127.0.0.1";
  readonly buffered = 0;
  readonly frames: Uint8Array[] = [];
  readonly texts: string[] = [];
  handlers: SocketHandlers | undefined;
  writeText(text: string): void {
    this.texts.push(text);
  }
  writeFrame(frame: Uint8Array): void {
    this.frames.push(frame);
  }
  pause(): void {}
  resume(): void {}
  hold(): void {}
  release(): void {}
  ping(): void {}
  close(): void {}
  terminate(): void {}
}

interface Cost {
  readonly parses: number;
  readonly stringifies: number;
  readonly framesBuilt: number;
  readonly writes: number;
  readonly published: number;
  readonly isOneBuffer: boolean;
}

/** The cost of `messages` sends in one iteration of the event loop, in a room of `members`. */
async function costOf(members: number, messages: number): Promise<Cost> {
  const broker = new MemoryBroker();
  const bus = broker.connect();
  const owner = new ScriptedOwner(broker.connect(), PARTITIONS);
  let framesBuilt = 0;
  let published = 0;
  const gateway = new Gateway(
    { id: "gw-1" as ProcessId, partitions: PARTITIONS, version: "test", limits: false },
    {
      bus: new Proxy(bus, {
        get(target, key) {
          const value: unknown = Reflect.get(target, key, target);
          if (typeof value !== "function") return value;
          return (...args: unknown[]) => {
            if (key === "publish" && String(args[0]).startsWith("cmd.")) published++;
            return (value as (...all: unknown[]) => unknown).apply(target, args);
          };
        },
      }),
      archive: new ScriptedArchive(owner.model),
      clock: systemClock,
      random: systemRandom,
      auth: {
        verify: (user) =>
          Promise.resolve({
            kind: "ok",
            identity: { user: user as UserId, admin: false, expiresAt: Infinity },
          }),
      },
      frames: {
        frame: (parts) => {
          framesBuilt++;
          return frameMaker.frame(parts);
        },
      },
      report: () => undefined,
    },
  );
  owner.serve();
  gateway.start();
  const sockets = Array.from({ length: members }, (_, i) => {
    const socket = new CountingSocket();
    socket.handlers = gateway.accept(socket);
    const hello = JSON.stringify({ t: "hello", token: `user-${i}` });
    const join = JSON.stringify({ t: "join", ref: 1, room: "general", tail: 0 });
    socket.handlers.onText(`${hello}\n${join}`);
    return socket;
  });
  const haveReceived = (part: string) => (): boolean =>
    sockets.every(({ texts }) => texts.join("\n").includes(part));
  await until(haveReceived(`"t":"caught-up"`), {
    withinMs: 10_000,
    what: "all members to be caught up",
  });
  const frame = Array.from({ length: messages }, (_, n) =>
    JSON.stringify({ t: "send", room: "general", id: idOf(n + 1), body: { text: "hi" } }),
  ).join("\n");
  framesBuilt = published = 0;
  for (const socket of sockets) socket.frames.length = socket.texts.length = 0;
  // The owner runs in this process too. Its own cost is the same for all sizes.
  const [parse, stringify] = [countCalls("parse"), countCalls("stringify")];
  try {
    sockets[0]!.handlers!.onText(frame);
    const hasAll = ({ frames }: CountingSocket): boolean =>
      frames.reduce((sum, bytes) => sum + lines(bytes), 0) === messages;
    await until(() => sockets.every(hasAll), { withinMs: 10_000, what: "the lines" });
    await until(() => sockets[0]!.texts.join("\n").split(`"t":"ack"`).length === messages + 1, {
      withinMs: 10_000,
      what: "the acks",
    });
  } finally {
    parse.restore();
    stringify.restore();
  }
  const [first] = sockets[0]!.frames;
  const cost = {
    parses: parse.count,
    stringifies: stringify.count,
    framesBuilt,
    writes: sockets.reduce((sum, { frames }) => sum + frames.length, 0),
    published,
    isOneBuffer: sockets.every(({ frames }) => frames[0] === first),
  };
  await gateway.drain();
  owner.stop();
  return cost;
}

function lines(frame: Uint8Array): number {
  return Buffer.from(frame).toString("latin1").split(`"t":"msg"`).length - 1;
}

describe("Cost of a message at the gateway", () => {
  it("F7: one frame is built for any number of members, and each member receives the same buffer", async () => {
    for (const members of [2, 60]) {
      const cost = await costOf(members, 1);
      expect(cost).to.include({ framesBuilt: 1, writes: members, published: 1, isOneBuffer: true });
    }
  });

  it("F7: no text is parsed or made per member", async () => {
    const [small, large] = [await costOf(2, 1), await costOf(60, 1)];
    // A beat of the gateway may fall into either run. 58 more members would make 58 more.
    expect(large.parses - small.parses).to.be.within(-9, 9);
    expect(large.stringifies - small.stringifies).to.be.within(-9, 9);
  });

  it("L11: sends of one iteration leave in one batch, return as one frame and are written once", async () => {
    const cost = await costOf(10, 20);
    expect(cost).to.include({ framesBuilt: 1, writes: 10, published: 1 });
  });
});
