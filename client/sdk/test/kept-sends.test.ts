// KeptSends in a client: what a second run of a program does with the sends of the first.

import { expect } from "chai";
import { until } from "#shared/testing/wait.ts";
import { OUTBOX_MAX } from "../core/bounds.ts";
import { keepIn } from "../kept-sends.ts";
import type { OutboxStore, StoredSend } from "../kept-sends.ts";
import { Parley } from "../parley.ts";
import { FakeGateway } from "./fake-gateway.ts";

/** One disk; each run has its own store on it. */
class Disk {
  sends: StoredSend[] = [];
  isBroken = false;

  /** `until`: the store opens when it resolves. */
  store(until: Promise<void> = Promise.resolve()): OutboxStore {
    const change = (act: () => void): Promise<void> => {
      if (this.isBroken) return Promise.reject(new Error("the disk is full"));
      act();
      return Promise.resolve();
    };
    return {
      open: async () => {
        await until;
        if (this.isBroken) throw new Error("no disk");
        return [...this.sends];
      },
      put: (send) => change(() => this.sends.push(send)),
      delete: (id) => change(() => (this.sends = this.sends.filter((one) => one.id !== id))),
    };
  }
}

function run(gateway: FakeGateway, store: OutboxStore): Parley {
  const { webSocket } = gateway;
  const outbox = keepIn(store);
  return new Parley({ url: "ws://gateway.example/v1/ws", token: "ada", webSocket, outbox });
}

const sent = (gateway: FakeGateway): unknown[] =>
  gateway.received.filter(({ t }) => t === "send").map(({ body }) => body);
const text = (value: string): { text: string } => ({ text: value });
const eventually = (what: string, check: () => boolean): Promise<void> =>
  until(check, { withinMs: 5_000, what });

describe("KeptSends", () => {
  it("K6, kept-sends.1 and kept-sends.2: a second run sends what the first left, in order, with the same ids", async () => {
    const [gateway, disk] = [new FakeGateway(), new Disk()];
    gateway.isAnswering = false;
    const first = run(gateway, disk.store());
    const before = first.join("general");
    const ids = ["one", "two"].map((value) => before.send(text(value)).id);
    first.connect();
    await first.online();
    await first.flush();
    expect(disk.sends.map(({ id }) => id)).to.deep.equal(ids);
    // The first run ends without a word.
    gateway.isAnswering = true;
    gateway.received.length = 0;
    const opening = Promise.withResolvers<void>();
    const second = run(gateway, disk.store(opening.promise));
    const room = second.join("general");
    const resumed: unknown[] = [];
    room.on("resumed", ({ body, done }) => {
      resumed.push(body);
      void done.then((result) => resumed.push(result.kind));
    });
    second.connect();
    const counts: number[] = [];
    second.on("unsent", (count) => counts.push(count));
    const outgoing = room.send(text("three"));
    expect(second.unsent.map(({ body }) => body)).to.deep.equal([text("three")]);
    opening.resolve();
    const result = await outgoing.done;
    // It was sent before the store was open; the others were taken from the store.
    expect([counts[0], Math.max(...counts), counts.at(-1)]).to.deep.equal([1, 3, 0]);
    expect(second.unsent).to.deep.equal([]);
    expect(result).to.include({ kind: "acked", seq: 3 });
    expect(gateway.ids.slice(0, 2)).to.deep.equal(ids);
    expect(sent(gateway)).to.deep.equal(["one", "two", "three"].map(text));
    expect(resumed).to.deep.equal([text("one"), text("two"), "acked", "acked"]);
    await second.flush();
    expect(disk.sends).to.deep.equal([]);
    expect(room.resumed).to.deep.equal([]);
    for (const client of [first, second]) client.close();
  });

  it("kept-sends.2: a send is noted before the store is open, once", async () => {
    const [gateway, disk] = [new FakeGateway(), new Disk()];
    const opening = Promise.withResolvers<void>();
    const noted: string[] = [];
    const note = ({ id }: StoredSend): void => void noted.push(id);
    const parley = run(gateway, { ...disk.store(opening.promise), note });
    const room = parley.join("general");
    parley.connect();
    const outgoing = room.send(text("early"));
    expect([noted, disk.sends]).to.deep.equal([[outgoing.id], []]);
    opening.resolve();
    await outgoing.done;
    const later = room.send(text("later"));
    expect(noted).to.deep.equal([outgoing.id, later.id]);
    await later.done;
    parley.close();
  });

  it("kept-sends.1: a close keeps the sends, and the next connect of the same client sends them", async () => {
    const [gateway, disk] = [new FakeGateway(), new Disk()];
    gateway.isAnswering = false;
    const parley = run(gateway, disk.store());
    const room = parley.join("general");
    parley.connect();
    await parley.online();
    const outgoing = room.send(text("held"));
    await parley.flush();
    parley.close();
    expect(await outgoing.done).to.include({ kind: "refused", error: "unavailable" });
    await parley.flush();
    expect(disk.sends).to.have.length(1);
    expect(await room.send(text("while closed")).done).to.include({ kind: "refused" });
    gateway.isAnswering = true;
    parley.connect();
    await eventually("the kept send", () => gateway.ids[0] === outgoing.id);
    await eventually("an empty store", () => disk.sends.length === 0);
    expect(gateway.ids).to.have.length(1);
    parley.close();
  });

  it("kept-sends.2: a send of another room waits until the room is joined", async () => {
    const [gateway, disk] = [new FakeGateway(), new Disk()];
    const id = "0199f000-0000-7000-8000-000000000001";
    const frame = { t: "send", room: "general", id, body: text("later") };
    disk.sends = [{ id, room: "general", text: JSON.stringify(frame), at: 1 }];
    const parley = run(gateway, disk.store());
    parley.join("other");
    parley.connect();
    await parley.online();
    await parley.flush();
    expect(gateway.ids).to.deep.equal([]);
    const room = parley.join("general");
    expect(room.resumed.map(({ body, at }) => [body, at])).to.deep.equal([[text("later"), 1]]);
    await eventually("the send", () => gateway.ids[0] === id);
    parley.close();
  });

  it("kept-sends.2: more sends than the core holds are sent all, and none is refused", async () => {
    const [gateway, disk] = [new FakeGateway(), new Disk()];
    const count = OUTBOX_MAX + 40;
    disk.sends = Array.from({ length: count }, (_, i) => {
      const id = `0199f000-0000-7000-8000-${String(i).padStart(12, "0")}`;
      const frame = { t: "send", room: "general", id, body: text(String(i)) };
      return { id, room: "general", text: JSON.stringify(frame), at: 1 };
    });
    const ids = disk.sends.map(({ id }) => id);
    const parley = run(gateway, disk.store());
    parley.join("general");
    parley.connect();
    await eventually("all of them", () => gateway.ids.length === count);
    expect(gateway.ids).to.deep.equal(ids);
    await eventually("an empty store", () => disk.sends.length === 0);
    parley.close();
  });

  it("room-timeline.5: a restored message that the room has already appears once, before its ack", async () => {
    const file = { id: "0199f000-0000-7000-8000-00000000000f", name: "plan.pdf", proof: "p" };
    for (const content of [
      { body: text("once") },
      { body: text(""), attachments: [{ ...file, type: "application/pdf", bytes: 9 }] },
    ]) {
      const [gateway, disk] = [new FakeGateway(), new Disk()];
      const id = "0199f000-0000-7000-8000-000000000001";
      const frame = { t: "send", room: "general", id, ...content };
      disk.sends = [{ id, room: "general", text: JSON.stringify(frame), at: 1 }];
      gateway.ids.push(id);
      gateway.tail = [{ ...frame, t: "msg", seq: 1, from: "ada", at: 1 }];
      gateway.isAnswering = false;
      const opening = Promise.withResolvers<void>();
      const parley = run(gateway, disk.store(opening.promise));
      const room = parley.join("general");
      const timeline = room.timeline();
      parley.connect();
      await room.live();
      opening.resolve();
      await eventually("the repeated send", () => sent(gateway).length === 1);
      const { entries, unsent } = timeline.snapshot;
      expect([entries.map((entry) => entry.id), unsent]).to.deep.equal([[id], []]);
      expect(parley.unsent, "it has no outcome yet").to.have.length(1);
      parley.close();
    }
  });

  it("kept-sends.3: a store that fails is a fault, and the message is sent", async () => {
    const [gateway, disk] = [new FakeGateway(), new Disk()];
    disk.isBroken = true;
    const parley = run(gateway, disk.store());
    const faults: string[] = [];
    parley.on("error", ({ name }) => faults.push(name));
    const room = parley.join("general");
    parley.connect();
    expect(await room.send(text("anyway")).done).to.include({ kind: "acked", seq: 1 });
    expect(faults).to.deep.equal(["internal"]);
    parley.close();
  });

  it("K2: a message that is no JSON is refused and not stored", async () => {
    const [gateway, disk] = [new FakeGateway(), new Disk()];
    const parley = run(gateway, disk.store());
    const room = parley.join("general");
    parley.connect();
    const body = { text: "x", count: 1n };
    expect(await room.send(body).done).to.include({ kind: "refused", error: "bad_frame" });
    await parley.flush();
    expect(disk.sends).to.deep.equal([]);
    parley.close();
  });

  it("kept-sends.2: the sends of a client that ended later follow", async () => {
    const gateway = new FakeGateway();
    let onMore: (sends: readonly StoredSend[]) => void = () => undefined;
    const store: OutboxStore = {
      open: (more) => {
        onMore = more;
        return Promise.resolve([]);
      },
      put: () => Promise.resolve(),
      delete: () => Promise.resolve(),
    };
    const parley = run(gateway, store);
    const room = parley.join("general");
    parley.connect();
    await room.live();
    const id = "0199f000-0000-7000-8000-000000000001";
    const frame = { t: "send", room: "general", id, body: text("of another tab") };
    onMore([{ id, room: "general", text: JSON.stringify(frame), at: 1 }]);
    await eventually("the send", () => gateway.ids[0] === id);
    parley.close();
  });
});
