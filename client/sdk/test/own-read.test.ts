// OwnRead and the positions of others in a room: what is said, when, and what is received.

import { expect } from "chai";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { PRESENCE_NAMES_MAX } from "#shared/protocol/limits.ts";
import { READ_REPEAT_MS } from "../core/bounds.ts";
import { OwnRead } from "../core/own-read.ts";
import { Room } from "../core/room.ts";
import { halfRandom } from "./half-random.ts";

const GENERAL = "general" as RoomId;

function joinedRoom(): { readonly room: Room; readonly take: (now?: number) => object[] } {
  const room = new Room({ room: GENERAL, random: halfRandom });
  const take = (now = 0): object[] =>
    room.take(now, () => 1).map((text) => JSON.parse(text) as object);
  take();
  room.onJoined({ from: 1, head: 0, born: "x", here: 1 }, 0);
  return { room, take };
}

describe("SDK read positions", () => {
  it("U1: own-read.1: a position is said at once, a higher one after a while, a lower one never", () => {
    const own = new OwnRead();
    expect([own.dueAt, own.take(0)]).to.deep.equal([undefined, undefined]);
    own.read(3);
    expect([own.dueAt, own.take(5)]).to.deep.equal([0, 3]);
    own.read(2);
    expect(own.dueAt).to.equal(undefined);
    own.read(7);
    own.read(4);
    expect([own.dueAt, own.take(6)]).to.deep.equal([5 + READ_REPEAT_MS, undefined]);
    expect(own.take(5 + READ_REPEAT_MS)).to.equal(7);
    expect(own.take(5 + 2 * READ_REPEAT_MS)).to.equal(undefined);
  });

  it("U1: own-read.2: the newest position is said again on a new connection, once the room is joined", () => {
    const { room, take } = joinedRoom();
    room.read(3);
    expect(take()).to.deep.equal([{ t: "read", room: "general", seq: 3 }]);
    expect(take()).to.deep.equal([]);
    room.read(5);
    expect(room.wakeAt(1)).to.equal(READ_REPEAT_MS);
    room.onDisconnected();
    expect(take().map((frame) => (frame as { t: string }).t)).to.deep.equal(["join"]);
    expect(take()).to.deep.equal([]);
    room.onJoined({ from: 1, head: 0, born: "x", here: 1 }, 0);
    expect(take()).to.deep.equal([{ t: "read", room: "general", seq: 5 }]);
  });

  it("U1: the positions of others only grow, for a bounded number of users", () => {
    const { room } = joinedRoom();
    const [ada, ben] = ["ada", "ben"] as [UserId, UserId];
    const said = room.onReads([
      [ada, 3],
      [ben, 1],
      [ada, 2],
    ]);
    expect(said.map((effect) => "change" in effect && effect.change)).to.deep.equal([
      { user: ada, seq: 3, reads: room.reads },
      { user: ben, seq: 1, reads: room.reads },
    ]);
    expect(room.onReads([[ada, 3]])).to.deep.equal([]);
    const many = Array.from(
      { length: PRESENCE_NAMES_MAX },
      (_, i) => [`u${i}` as UserId, 1] as const,
    );
    room.onReads(many);
    expect(room.reads.size).to.equal(PRESENCE_NAMES_MAX);
    expect(room.onReads([[ben, 9]])).to.have.length(1);
    room.onDisconnected();
    expect(room.onReads([[ben, 10]])).to.deep.equal([]);
  });
});
