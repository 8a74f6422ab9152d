// Erasures: which lines lose their text.

import { expect } from "chai";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { Erasures } from "../core/erasures.ts";
import { RoomMemory } from "../core/room-memory.ts";

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
});
