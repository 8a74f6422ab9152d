// Erasures: which lines lose their text.

import { expect } from "chai";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { Erasures } from "../core/erasures.ts";

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
});
