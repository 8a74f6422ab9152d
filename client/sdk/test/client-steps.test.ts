// Client, by example: the exact effects of single inputs, against the model gateway.

import { expect } from "chai";
import type { MessageId, RoomId } from "#shared/protocol/ids.ts";
import { LEAVING_GRACE_MS, READ_REPEAT_MS, RECONNECT } from "../core/bounds.ts";
import { Client } from "../core/client.ts";
import type { Input } from "../core/effects.ts";
import { tokenExpiry } from "../core/token-expiry.ts";
import { halfRandom } from "./half-random.ts";
import { GENERAL, ClientFixture } from "./client-fixture.ts";

const CREATE_ID = "0199d3c0-0000-7000-8000-000000000007" as MessageId;

function receive(fixture: ClientFixture, frame: object): readonly unknown[] {
  const { socket = 0 } = fixture.wire ?? {};
  return fixture.step({ kind: "text", socket, text: JSON.stringify(frame) });
}

const PLANS = "plans" as RoomId;

describe("SDK client: steps", () => {
  it("K1: a failed token function is a fault, and another attempt follows", () => {
    const client = new Client({ canRefresh: true, random: halfRandom });
    client.step({ kind: "connect" }, 0);
    expect(client.retryAt, "it does not wait").to.equal(undefined);
    const [fault, state] = client.step({ kind: "token-failed", ask: 1 }, 0);
    expect(fault).to.have.property("kind", "fault");
    expect(state).to.deep.equal({ kind: "state", state: "waiting" });
    expect(client.retryAt).to.equal(RECONNECT.baseMs / 2);
  });

  it("F1: an unknown frame is ignored, and a line that cannot be decoded is a fault", () => {
    const fixture = new ClientFixture().enter(GENERAL);
    expect(receive(fixture, { t: "pong", ref: 1 })).to.deep.equal([]);
    expect(receive(fixture, { t: "hologram" })).to.deep.equal([]);
    expect(receive(fixture, { t: 7 })).to.have.length(1);
  });

  it("S8: `reconnect`, `refreshed` and an expired token have no immediate effect", () => {
    const fixture = new ClientFixture().enter(GENERAL);
    expect(receive(fixture, { t: "refreshed", ref: 99, until: 5 })).to.deep.equal([]);
    const expired = { t: "error", name: "token_expired", message: "", retry: false, code: 401 };
    expect(receive(fixture, expired)).to.deep.equal([]);
    expect(receive(fixture, { t: "reconnect", afterMs: 50 })).to.deep.equal([]);
  });

  it("M8: `left` without ref ends the room here, and no reconnect joins it again", () => {
    const fixture = new ClientFixture().enter(GENERAL);
    expect(receive(fixture, { t: "left", ref: 9, room: GENERAL })).to.deep.equal([]);
    const left = { t: "left", room: GENERAL, reason: "banned", seq: 0 };
    const [removed, ...more] = receive(fixture, left);
    expect(removed).to.deep.include({ kind: "removed", removed: { reason: "banned", seq: 0 } });
    expect(more).to.deep.include({ kind: "status", room: GENERAL, status: "left" });
    fixture.cut();
    fixture.pass(RECONNECT.baseMs);
    expect(fixture.received("join")).to.deep.equal([]);
  });

  it("M8: `left` without a reason is a removal, and that of a room without a join changes nothing", () => {
    const fixture = new ClientFixture().enter(GENERAL);
    expect(receive(fixture, { t: "left", room: PLANS, seq: 0 })).to.deep.equal([]);
    const [removed] = receive(fixture, { t: "left", room: GENERAL, seq: 0 });
    expect(removed).to.deep.include({ removed: { reason: "removed", seq: 0 } });
  });

  it("SL9: the client has the session of its welcome, and the code of the latest close", () => {
    const fixture = new ClientFixture();
    const { client } = fixture;
    expect([client.session, client.closeCode]).to.deep.equal([undefined, undefined]);
    fixture.enter();
    expect(client.session).to.be.a("string");
    fixture.cut(1012);
    expect(client.closeCode).to.equal(1012);
  });

  it("S8, U1: a position that is due behind `reconnect` requests no wake-up before the close", () => {
    const fixture = new ClientFixture().enter(GENERAL);
    receive(fixture, { t: "reconnect", afterMs: 50 });
    expect(fixture.step({ kind: "read", room: GENERAL, seq: 1 })).to.deep.equal([]);
    expect(fixture.client.wakeAt).to.equal(fixture.now + LEAVING_GRACE_MS);
  });

  it("S8, U1: a position that becomes due behind `reconnect` requests one wake-up, not a second", () => {
    const fixture = new ClientFixture().enter(GENERAL);
    const { client, now } = fixture;
    expect(fixture.step({ kind: "read", room: GENERAL, seq: 1 })).to.have.length(1);
    receive(fixture, { t: "reconnect", afterMs: 50 });
    fixture.step({ kind: "read", room: GENERAL, seq: 2 });
    expect(client.wakeAt).to.equal(now + READ_REPEAT_MS);
    fixture.now = now + READ_REPEAT_MS;
    expect(fixture.step({ kind: "tick" })).to.deep.equal([]);
    expect(client.wakeAt).to.equal(now + LEAVING_GRACE_MS);
  });

  for (const frame of [
    { t: "create", room: PLANS, id: CREATE_ID, kind: "closed" },
    { t: "enter", room: PLANS, id: CREATE_ID, invite: CREATE_ID, secret: "s".repeat(22) },
  ] as const) {
    it(`M2, M11: \`${frame.t}\` needs no joined room, and is written before the join of its room`, () => {
      const fixture = new ClientFixture().enter(GENERAL);
      fixture.cut();
      fixture.step({ kind: "join", room: PLANS });
      fixture.step({ kind: "write", frame });
      fixture.pass(RECONNECT.baseMs);
      const written = fixture.effects.flatMap((effect) =>
        effect.kind === "write" ? effect.text : [],
      );
      const texts = written.filter((text) => text.includes('"plans"'));
      expect(texts.map((text) => (JSON.parse(text) as { t: string }).t)).to.deep.equal([
        frame.t,
        "join",
      ]);
    });
  }

  it("M2: `create` is written at once, also when its room is not joined", () => {
    const fixture = new ClientFixture().enter(GENERAL);
    const frame = { t: "create", room: PLANS, id: CREATE_ID, kind: "closed" } as const;
    const [written] = fixture.step({ kind: "write", frame });
    expect(written).to.deep.include({ kind: "write", text: JSON.stringify(frame) });
  });

  it("S6: pending sends of a left room are refused with not_joined", () => {
    const fixture = new ClientFixture();
    fixture.step({ kind: "join", room: GENERAL });
    const id = fixture.send(GENERAL, "too soon");
    fixture.step({ kind: "leave", room: GENERAL });
    const [result] = fixture.results.get(id) ?? [];
    expect(result).to.include({ kind: "refused", error: "not_joined" });
  });

  it("O12: a page waits until its room is joined, and is requested again after a disconnect", () => {
    const fixture = new ClientFixture().enter(GENERAL);
    const unknown = { room: "never" as RoomId, range: { limit: 5 } };
    expect(fixture.step({ kind: "history", call: 1, ...unknown })).to.deep.equal([]);
    fixture.step({ kind: "history", call: 2, room: GENERAL, range: { limit: 5 } });
    fixture.cut();
    fixture.pass(RECONNECT.baseMs);
    expect(fixture.received("history").map(({ room }) => room)).to.deep.equal([GENERAL]);
    expect(fixture.of("page").map(({ call }) => call)).to.deep.equal([2]);
  });

  it("K1: a socket that opens late or twice has no effect", () => {
    const client = new Client({ canRefresh: true, random: halfRandom });
    expect(client.step({ kind: "opened", socket: 1 }, 0)).to.deep.equal([]);
    const fixture = new ClientFixture().enter(GENERAL);
    expect(fixture.step({ kind: "opened", socket: fixture.wire?.socket ?? 0 })).to.deep.equal([]);
  });

  it("refresh.1: the expiry of a token is read from base64url only", () => {
    const payload = Buffer.from('{"exp":5}').toString("base64url");
    expect(tokenExpiry(`a.${payload}.b`)).to.equal(5_000);
    expect(tokenExpiry(`a.${payload}==.b`)).to.equal(5_000);
    expect(tokenExpiry(`a.${payload}!.b`)).to.equal(undefined);
    expect(tokenExpiry(`a.${payload.slice(0, 4)}=${payload.slice(4)}.b`)).to.equal(undefined);
  });

  /** Steps, and returns the frame that it writes first. */
  function writtenBy(fixture: ClientFixture, input: Input): Record<string, unknown> {
    const from = fixture.effects.length;
    fixture.step(input);
    const texts = fixture.effects
      .slice(from)
      .flatMap((effect) => (effect.kind === "write" ? effect.text : []));
    return JSON.parse(texts[0] ?? "{}") as Record<string, unknown>;
  }

  it("U4, U5: a page of rooms is requested without a joined room, and its `next` is kept", () => {
    const fixture = new ClientFixture().enter();
    const input = { kind: "rooms", call: 3, range: { limit: 2, after: "x" } } as const;
    const frame = writtenBy(fixture, input);
    expect(frame).to.deep.include({ t: "rooms", limit: 2, after: "x" });
    const { ref } = frame;
    expect(receive(fixture, { t: "rooms", ref, rooms: [], next: "y" })).to.deep.equal([
      { kind: "page", call: 3, page: { rooms: [], next: "y" } },
    ]);
    const last = writtenBy(fixture, { kind: "rooms", call: 4, range: {} });
    expect(receive(fixture, { t: "rooms", ref: last["ref"], rooms: [], next: null })).to.deep.equal(
      [{ kind: "page", call: 4, page: { rooms: [] } }],
    );
  });

  it("O12: a cancelled page gets no answer", () => {
    const fixture = new ClientFixture().enter();
    const { ref } = writtenBy(fixture, { kind: "rooms", call: 5, range: {} });
    expect(fixture.step({ kind: "cancel", call: 5 })).to.deep.equal([]);
    expect(receive(fixture, { t: "rooms", ref, rooms: [] })).to.deep.equal([]);
  });

  it("O12: a page of messages names what it covers, and a page of events does not", () => {
    const fixture = new ClientFixture().enter(GENERAL);
    const history = { kind: "history", room: GENERAL, range: { limit: 5 } } as const;
    const pageOf = (call: number, more: object): unknown => {
      const { ref } = writtenBy(fixture, { ...history, call });
      const frame = { t: "page", ref, room: GENERAL, events: [], more: false, ...more };
      const [effect] = receive(fixture, frame) as { readonly page?: object }[];
      return effect?.page;
    };
    const covered = { first: 1, last: 9, asOf: 12 };
    expect(pageOf(1, covered)).to.deep.equal({ events: [], more: false, ...covered });
    expect(pageOf(2, {})).to.deep.equal({ events: [], more: false });
  });

  it("U1: read positions of a joined room are reported, and those of another room are not", () => {
    const fixture = new ClientFixture().enter(GENERAL);
    const reads = [["ben", 4]];
    const [read] = receive(fixture, { t: "reads", room: GENERAL, reads });
    expect(read).to.deep.include({ kind: "read", room: GENERAL });
    expect(read).to.have.nested.property("change.seq", 4);
    expect(receive(fixture, { t: "reads", room: PLANS, reads })).to.deep.equal([]);
    fixture.sendAsOther(GENERAL, "one");
    fixture.settle();
    const said = writtenBy(fixture, { kind: "read", room: GENERAL, seq: 1 });
    expect(said).to.deep.include({ t: "read", room: GENERAL, seq: 1 });
    expect(fixture.step({ kind: "read", room: PLANS, seq: 1 })).to.deep.equal([]);
  });

  it("U6: a note is a hint with its room, its event and its reason", () => {
    const fixture = new ClientFixture().enter();
    const note = { room: PLANS, seq: 7, why: "mention" };
    expect(receive(fixture, { t: "note", ...note })).to.deep.equal([{ kind: "hint", note }]);
  });
});
