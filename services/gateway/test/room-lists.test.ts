// Room lists, read positions and notes in a whole gateway: what leaves on the bus and on sockets.

import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import { base64url } from "#shared/kit/base64url.ts";
import type { Read } from "#shared/ports/archive.ts";
import type { Identity } from "#shared/ports/identity.ts";
import type { Partition, ProcessId, RoomId } from "#shared/protocol/ids.ts";
import { encodeNote } from "#shared/protocol/note.ts";
import { PRESENCE_NAMES_MAX } from "#shared/protocol/limits.ts";
import { encodeLive } from "#shared/protocol/live.ts";
import type { ReadPosition, RoomsPage, RoomsQuery } from "#shared/protocol/room-list.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { frameMaker } from "../adapters/websocket.ts";
import { LISTS_PER_USER_MAX } from "../core/bounds.ts";
import { Gateway } from "../runtime/gateway.ts";
import { advance } from "./advance.ts";
import { ScriptedArchive, ScriptedOwner } from "./scripted-owner.ts";
import { framesOf, SlowSocket } from "./slow-socket.ts";

const GENERAL = "general" as RoomId;

/** Keeps the positions, and answers lists, at once or later. */
class ListArchive extends ScriptedArchive {
  readonly stored: (readonly [Partition, readonly ReadPosition[]])[] = [];
  readonly asked: RoomsQuery[] = [];
  readonly waiting: (() => void)[] = [];
  isAway = false;
  holds = false;
  /** Set: each read gets no answer, and its request ends after that time. */
  silence: ((run: () => void) => void) | undefined;

  override putReads(...[p, reads]: [Partition?, (readonly ReadPosition[])?]): Promise<Read<never>> {
    if (this.isAway) return Promise.resolve({ kind: "unavailable", reason: "away" });
    this.stored.push([p ?? 0, reads ?? []]);
    return Promise.resolve({ kind: "ok", value: [] as never });
  }

  override rooms(...[, query]: [Partition?, RoomsQuery?]): Promise<Read<never>> {
    if (query !== undefined) this.asked.push(query);
    const { silence } = this;
    if (silence !== undefined) {
      const away = { kind: "unavailable", reason: "silent" } as const;
      return new Promise((resolve) => silence(() => resolve(away)));
    }
    if (this.isAway) return Promise.resolve({ kind: "unavailable", reason: "away" });
    const page: RoomsPage = { rooms: [], next: "3.general" };
    const answer = { kind: "ok", value: page as never } as const;
    if (!this.holds) return Promise.resolve(answer);
    return new Promise((resolve) => this.waiting.push(() => resolve(answer)));
  }
}

async function openGateway() {
  const clock = new FakeClock();
  const broker = new MemoryBroker();
  const owner = new ScriptedOwner(broker.connect(), 2);
  const archive = new ListArchive(owner.model);
  const gateway = new Gateway(
    { id: "gw-1" as ProcessId, partitions: 2, version: "test", limits: true },
    {
      bus: broker.connect(),
      archive,
      clock,
      random: systemRandom,
      auth: {
        verify: (token) => {
          const claims = token.startsWith("{") ? (JSON.parse(token) as object) : { user: token };
          const identity = { expiresAt: Infinity, admin: false, ...claims } as Identity;
          return Promise.resolve({ kind: "ok", identity });
        },
      },
      frames: frameMaker,
      report: () => undefined,
    },
  );
  gateway.start();
  owner.serve();
  const bus = broker.connect();
  const live: object[] = [];
  bus.subscribe(subjects.live(GENERAL), ({ data }) => {
    live.push(JSON.parse(new TextDecoder().decode(data)) as object);
  });
  const connect = async (user: string) => {
    const socket = new SlowSocket();
    socket.handlers = gateway.accept(socket);
    const send = async (...frames: object[]): Promise<void> => {
      socket.handlers?.onText(frames.map((frame) => JSON.stringify(frame)).join("\n"));
      await advance(clock, 20, 5);
    };
    await send({ t: "hello", token: user });
    const got = (type: string): object[] => framesOf(socket, type);
    return { socket, send, got };
  };
  return { clock, gateway, archive, bus, live, connect };
}

const join = { t: "join", ref: 1, room: GENERAL };
const send = (n: number) => ({
  t: "send",
  room: GENERAL,
  id: `0199f000-0000-7000-8000-00000000000${n}`,
  body: {},
});

describe("Room lists in a gateway", () => {
  it("U1: positions leave once a second, to the archive and to the members", async () => {
    const { clock, gateway, archive, live, connect } = await openGateway();
    const ada = await connect("ada");
    const ben = await connect("ben");
    await ada.send({ t: "read", room: GENERAL, seq: 1 });
    expect(ada.got("error")).to.have.length(1);
    await ada.send(join, send(1), send(2));
    await ben.send(join);
    for (const seq of [1, 2, 1, 9]) await ada.send({ t: "read", room: GENERAL, seq });
    await ben.send({ t: "read", room: GENERAL, seq: 1 });
    expect(gateway.memory.usedBy("reads")).to.be.greaterThan(100);
    expect(archive.stored).to.deep.equal([]);
    await advance(clock, 1_500, 50);
    const batch = [
      [GENERAL, "ada", 2],
      [GENERAL, "ben", 1],
    ];
    expect(archive.stored.map(([, reads]) => reads)).to.deep.equal([batch]);
    expect(live.filter((one) => "reads" in one)).to.deep.equal([
      {
        v: 1,
        t: "reads",
        room: GENERAL,
        reads: [
          ["ada", 2],
          ["ben", 1],
        ],
      },
    ]);
    expect(gateway.memory.usedBy("reads")).to.equal(0);
    await advance(clock, 3_000, 50);
    expect(archive.stored).to.have.length(1);
  });

  it("U1: positions wait while the archive is away, and a gateway that leaves hands them on", async () => {
    const { clock, gateway, archive, connect } = await openGateway();
    archive.isAway = true;
    const ada = await connect("ada");
    await ada.send(join, send(1));
    await ada.send({ t: "read", room: GENERAL, seq: 1 });
    await advance(clock, 5_000, 50);
    archive.isAway = false;
    void gateway.drain();
    await advance(clock, 2_000, 50);
    expect(archive.stored.map(([, reads]) => reads)).to.deep.equal([[[GENERAL, "ada", 1]]]);
  });

  it("U1: in a room with more than 200 present users positions are not announced", async () => {
    const { clock, archive, bus, live, connect } = await openGateway();
    const ada = await connect("ada");
    await ada.send(join, send(1));
    const here = PRESENCE_NAMES_MAX + 1;
    bus.publish(subjects.live(GENERAL), encodeLive({ t: "presence", room: GENERAL, here }));
    await advance(clock, 50, 5);
    await ada.send({ t: "read", room: GENERAL, seq: 1 });
    await advance(clock, 1_500, 50);
    expect(archive.stored).to.have.length(1);
    expect(live.filter((one) => "reads" in one)).to.deep.equal([]);
  });

  it("U4: a list comes after the user's own positions are stored, with its ref and the default limit", async () => {
    const { archive, connect } = await openGateway();
    const ada = await connect("ada");
    await ada.send(join, send(1));
    await ada.send({ t: "read", room: GENERAL, seq: 1 }, { t: "rooms", ref: 7 });
    expect(archive.stored.map(([, reads]) => reads)).to.deep.equal([[[GENERAL, "ada", 1]]]);
    expect(archive.asked).to.deep.equal([{ user: "ada", after: undefined, limit: 50 }]);
    expect(ada.got("rooms")).to.deep.equal([{ t: "rooms", ref: 7, rooms: [], next: "3.general" }]);
    await ada.send({ t: "rooms", ref: 8, after: "3.general", limit: 2 });
    expect(archive.asked.at(-1)).to.deep.equal({ user: "ada", after: "3.general", limit: 2 });
    await ada.send({ t: "rooms", ref: 9, after: "x" }, { t: "rooms", ref: 10, limit: 201 });
    expect(ada.got("error").map((frame) => (frame as { ref: number }).ref)).to.deep.equal([9, 10]);
  });

  it("U5: too many lists of a user get busy, and without the archive a list gets unavailable", async () => {
    const { clock, archive, connect } = await openGateway();
    archive.holds = true;
    const [one, other] = [await connect("ada"), await connect("ada")];
    const ask = (ref: number): object => ({ t: "rooms", ref });
    for (let ref = 1; ref <= LISTS_PER_USER_MAX; ref++) await one.send(ask(ref));
    await other.send(ask(20));
    await one.send(ask(21));
    const named = (client: typeof one): unknown[] =>
      client.got("error").map((frame) => (frame as { name: string }).name);
    expect([named(one), named(other)]).to.deep.equal([["busy"], ["busy"]]);
    for (const answer of archive.waiting.splice(0)) answer();
    await advance(clock, 20, 5);
    archive.isAway = true;
    await other.send(ask(22));
    await advance(clock, 3_500, 50);
    expect(named(other)).to.deep.equal(["busy", "unavailable"]);
    expect(one.got("rooms")).to.have.length(LISTS_PER_USER_MAX);
  });

  it("S8, gateway/room-lists.4: a list waits while a persistence process leaves", async () => {
    const { clock, archive, connect } = await openGateway();
    const ada = await connect("ada");
    archive.isAway = true;
    await ada.send({ t: "rooms", ref: 1 });
    await advance(clock, 100, 10);
    archive.isAway = false;
    await advance(clock, 300, 10);
    expect(ada.got("error")).to.deep.equal([]);
    expect(ada.got("rooms")).to.have.length(1);
  });

  it("gateway/room-lists.4: with a silent archive a list gets unavailable within seconds", async () => {
    const { clock, archive, connect } = await openGateway();
    const ada = await connect("ada");
    archive.silence = (run) => void clock.after(3_000, run);
    await ada.send({ t: "rooms", ref: 1 });
    await advance(clock, 8_000, 50);
    expect(archive.asked).to.have.length(2);
    expect(ada.got("error")).to.have.length(1);
  });

  it("U6: a note of an event after a list of rooms arrives, although the subscription waited", async () => {
    const { clock, bus, connect, gateway } = await openGateway();
    await connect("ada");
    // Both come within one pace of the subscriptions.
    const sockets = ["ben", "cara"].map((user) => {
      const socket = new SlowSocket();
      socket.handlers = gateway.accept(socket);
      socket.handlers.onText(JSON.stringify({ t: "hello", token: user }));
      return socket;
    });
    await advance(clock, 1, 0.25);
    const cara = sockets[1]!;
    const note = { room: GENERAL, seq: 3, why: "mention" } as const;
    const publish = async (): Promise<number> => {
      bus.publish(subjects.note(base64url("cara")), encodeNote(note));
      await advance(clock, 1, 0.25);
      return framesOf(cara, "note").length;
    };
    expect([framesOf(cara, "welcome").length, await publish()]).to.deep.equal([1, 0]);
    cara.handlers?.onText(JSON.stringify({ t: "rooms", ref: 1 }));
    await advance(clock, 2, 0.125);
    expect([framesOf(cara, "rooms").length, await publish()]).to.deep.equal([1, 1]);
  });

  it("U10: a note that needs a grant reaches the sessions whose token has one in its room alone", async () => {
    const { clock, bus, connect } = await openGateway();
    const token = (more: object): string => JSON.stringify({ user: "ada", ...more });
    const sessions = [
      await connect("ada"),
      await connect(token({ rooms: { [GENERAL]: "reader" } })),
      await connect(token({ rooms: { other: "owner" } })),
      await connect(token({ admin: true })),
    ];
    const note = { room: GENERAL, seq: 3, why: "mention" } as const;
    bus.publish(subjects.note(base64url("ada")), encodeNote({ ...note, needsGrant: true }));
    await advance(clock, 20, 5);
    const frame = { t: "note", ...note };
    const received = sessions.map((session) => session.got("note"));
    expect(received).to.deep.equal([[], [frame], [], [frame]]);
  });

  it("U6: a note reaches every session of its user, joined or not, and no other user", async () => {
    const { clock, gateway, bus, connect } = await openGateway();
    const [one, other, ben] = [
      await connect("ada ✓"),
      await connect("ada ✓"),
      await connect("ben"),
    ];
    const note = { room: GENERAL, seq: 3, why: "mention" } as const;
    const publish = async (text: string): Promise<void> => {
      bus.publish(subjects.note(base64url("ada ✓")), text);
      await advance(clock, 20, 5);
    };
    await publish(encodeNote(note));
    const expected = [{ t: "note", ...note }];
    expect([one.got("note"), other.got("note"), ben.got("note")]).to.deep.equal([
      expected,
      expected,
      [],
    ]);
    await publish("{}");
    expect(gateway.stats.refused.get("note")).to.equal(1);
    const bytes = gateway.memory.usedBy("notes");
    one.socket.handlers?.onClose();
    await publish(encodeNote(note));
    expect(other.got("note")).to.have.length(2);
    other.socket.handlers?.onClose();
    expect(gateway.memory.usedBy("notes")).to.equal(bytes / 2);
    await publish(encodeNote(note));
    expect(one.got("note")).to.deep.equal(expected);
  });
});
