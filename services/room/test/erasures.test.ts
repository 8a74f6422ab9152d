// Erasures: which lines lose their text.

import { expect } from "chai";
import type { Write } from "#shared/protocol/commands.ts";
import { decodeEvent, encodeEvent } from "#shared/protocol/events.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { Erasures } from "../core/erasures.ts";
import { ReplayedRoom } from "../core/replayed-room.ts";
import { RoomMemory } from "../core/room-memory.ts";
import { Room } from "../core/room.ts";
import { emptySnapshot, GENERAL, idAt, lineOf, T0 } from "./partition-fixture.ts";

const from = "ada" as UserId;
const about = { room: "general" as RoomId, from, at: 1 };

function edited(seq: number, target: number): RoomEvent {
  const id = `01a20c23-e33c-717b-88cc-e68d39b436${seq}` as MessageId;
  return { t: "edited", ...about, seq, id, target, body: { text: "a secret" } };
}

function deleted(seq: number, target: number): RoomEvent {
  const id = `01a20c24-0a47-7020-9087-1f6ef0f614${seq}` as MessageId;
  return { t: "deleted", ...about, seq, id, target };
}

describe("Erasures", () => {
  // The simulation found it with seed 130685: the snapshot had the edit, the replay the deletion.
  it("C6, erasures.1: a replayed deletion erases the edits before the replay, and no others", () => {
    const [erasures, replayed] = [new Erasures(), new Erasures()];
    const lines = [edited(10, 3), edited(11, 4)];
    for (const line of lines) erasures.take(line);
    replayed.take(deleted(21, 3));
    erasures.absorb(replayed);
    const [ofErased, ofOther] = lines.map((line) => erasures.redact(line.seq, encodeEvent(line)));
    expect(ofErased).to.include('"deleted"').and.to.not.include("secret");
    expect(ofOther).to.include("secret");
  });

  it("C6, erasures.1: the edits and deletions of a replay count as if the owner had decided them", () => {
    const [erasures, replayed] = [new Erasures(), new Erasures()];
    const edits = [edited(20, 3), edited(22, 5)];
    for (const event of [edits[0]!, deleted(21, 3), edits[1]!]) replayed.take(event);
    erasures.absorb(replayed);
    const shown = edits.map((edit) => erasures.redact(edit.seq, encodeEvent(edit)));
    expect(shown[0]).to.not.include("secret");
    expect(shown[1]).to.include("secret");
    expect(erasures.take(edited(30, 5))).to.deep.equal([]);
    expect(erasures.take(deleted(31, 5))).to.have.members([5, 22, 30]);
    expect(erasures.redact(22, encodeEvent(edits[1]!))).to.not.include("secret");
  });

  it("P23, erasures.3: edits, deletions and what a replay read are counted once, and given back", () => {
    const { account } = new RoomMemory(1 << 24);
    const before = account.used;
    const erasures = new Erasures(account);
    erasures.take(edited(10, 3));
    const edit = account.used - before;
    expect(edit).to.be.above(0);
    erasures.take(edited(11, 4));
    expect(account.used - before).to.equal(2 * edit);
    const replayed = new Erasures();
    replayed.take(deleted(21, 3));
    erasures.absorb(replayed);
    const deletions = account.used - before - 2 * edit;
    expect(erasures.erased.size, "the message and its edit").to.equal(2);
    erasures.take(deleted(22, 4));
    expect(account.used - before - 2 * edit).to.equal(2 * deletions);
    erasures.clear();
    expect(account.used).to.equal(before);
    expect([erasures.edits.size, erasures.erased.size]).to.deep.equal([0, 0]);
  });

  /** A room with `tail` from the archive and `above` from the log. */
  function loaded(tail: readonly string[], above: readonly string[]) {
    const memory = new RoomMemory(1 << 24);
    const room = new Room(GENERAL, memory, T0);
    const replayed = new ReplayedRoom(GENERAL, tail.length + 1, memory);
    if (above.length > 0) replayed.add(tail.length + 1, above, 9);
    const snapshot = { ...emptySnapshot(GENERAL, 0), head: tail.length, born: "b", tail };
    expect(room.load(snapshot, above.length > 0 ? replayed : undefined)).to.equal(true);
    return { room, memory };
  }

  function erase(room: Room, target: number): void {
    const id = idAt(T0, 900);
    const decided = room.decide({ c: 1, op: "delete", room: GENERAL, id, from, target }, T0);
    if (decided.kind !== "event") throw new Error(decided.kind);
    room.commit(decided.seq, decided.lines, 99);
  }

  /** The numbers of the lines with a text, of those that the room shows. */
  function withText(room: Room, last: number): number[] {
    const shown = room.recent.range(1, last);
    const lines = shown.kind === "lines" ? shown.lines.map(decodeEvent) : [];
    expect(lines).to.have.length(last);
    return lines.filter((event) => "body" in event && "text" in event.body).map(({ seq }) => seq);
  }

  it("C6, erasures.1: a deletion after a load erases the edits of the tail and those of the replay", () => {
    for (const inTail of [2, 3, 4, 5]) {
      const lines = [
        lineOf(GENERAL, 1),
        encodeEvent(edited(2, 1)),
        lineOf(GENERAL, 3),
        encodeEvent(edited(4, 1)),
        encodeEvent(edited(5, 3)),
      ];
      const { room } = loaded(lines.slice(0, inTail), lines.slice(inTail));
      expect(withText(room, 5)).to.deep.equal([1, 2, 3, 4, 5]);
      erase(room, 1);
      expect(withText(room, 6), `${inTail} in the tail`).to.deep.equal([3, 5]);
    }
  });

  it("C6, erasures.1: a deletion of the replay erases its line of the tail, and no other", () => {
    for (const target of [1, 2, 3]) {
      const tail = [1, 2, 3].map((seq) => lineOf(GENERAL, seq));
      const { room } = loaded(tail, [encodeEvent(deleted(4, target))]);
      expect(withText(room, 4)).to.deep.equal([1, 2, 3].filter((seq) => seq !== target));
    }
  });

  it("C6, erasures.2: a room erases a line that it reads back while the line has its place, and then gives the memory back", () => {
    const { room, memory } = loaded([], []);
    const before = memory.account.usedBy("rooms");
    const lines = [lineOf(GENERAL, 1), encodeEvent(edited(2, 1))];
    for (const [i, content] of [
      { op: "send", body: { text: "secret" } },
      { op: "edit", target: 1, body: { text: "secret" } },
    ].entries()) {
      const id = idAt(T0, i);
      const write = { c: 1, room: GENERAL, id, from, ...content } as Write;
      const decided = room.decide(write, T0);
      if (decided.kind !== "event") throw new Error(decided.kind);
      room.commit(decided.seq, decided.lines, i + 1);
    }
    erase(room, 1);
    const isErased = () => lines.map((line, i) => room.redact(i + 1, line) !== line);
    room.onArchived(0);
    expect(isErased()).to.deep.equal([true, true]);
    room.forgetLines(3);
    room.onArchived(3);
    expect(isErased()).to.deep.equal([false, false]);
    expect(memory.account.usedBy("rooms")).to.equal(before);
  });
});
