// Client, by example: the effects of one part on the others.

import { expect } from "chai";
import { errorFrame } from "#shared/protocol/errors.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { Body } from "#shared/protocol/events.ts";
import type { MessageId, RoomId } from "#shared/protocol/ids.ts";
import { BODY_BYTES_MAX } from "#shared/protocol/limits.ts";
import {
  ANSWER_SILENCE_MS,
  JOIN_TIMEOUT_MS,
  OUTBOX_MAX,
  PAGE_DEADLINE_MS,
  RETRY,
  SEND_DEADLINE_MS,
  TYPING_SHOWN_MS,
  WIRE_SENDS_MAX,
} from "../core/bounds.ts";
import { Client } from "../core/client.ts";
import type { Effect, Input } from "../core/effects.ts";
import { halfRandom } from "./half-random.ts";
import { DEV, fakeToken, GENERAL, ClientFixture } from "./client-fixture.ts";

const ID = "019b0000-0000-7000-8000-000000000001";
const AT = 1_795_500_000_000;

/** A client without a model gateway: the test writes every line of the server. */
class ScriptedClient {
  readonly client: Client;
  now = 1_000;

  constructor(canRefresh = true) {
    this.client = new Client({ canRefresh, random: halfRandom });
  }

  static online(frame: object = {}): ScriptedClient {
    const sdk = new ScriptedClient();
    sdk.client.step({ kind: "connect" }, sdk.now);
    sdk.client.step({ kind: "token", ask: 1, token: "ada" }, sdk.now);
    sdk.client.step({ kind: "opened", socket: 1 }, sdk.now);
    sdk.line({ t: "welcome", session: "s", user: "ada", at: AT, pingMs: 25_000, ...frame });
    return sdk;
  }

  /** Joined to the room, and live. */
  static member(frame?: object): ScriptedClient {
    const sdk = ScriptedClient.online(frame);
    sdk.client.step({ kind: "join", room: GENERAL }, sdk.now);
    sdk.joined(1);
    return sdk;
  }

  joined(ref: number): readonly Effect[] {
    const joined = { t: "joined", ref, room: GENERAL, born: "b", head: 0, from: 1, here: 1 };
    return this.line(joined, { t: "caught-up", room: GENERAL, seq: 0 });
  }

  line(...frames: object[]): readonly Effect[] {
    return this.text(frames.map((frame) => JSON.stringify(frame)).join("\n"));
  }

  text(text: string, socket = 1): readonly Effect[] {
    return this.client.step({ kind: "text", socket, text }, this.now);
  }

  send(id: string, body: object = { text: "hi" }): readonly Effect[] {
    return this.client.step(writeInput(GENERAL, id, body), this.now);
  }

  tick(ms = 0): readonly Effect[] {
    this.now += ms;
    return this.client.step({ kind: "tick" }, this.now);
  }

  error(name: ErrorName, detail: object = {}): readonly Effect[] {
    return this.line(errorFrame(name, detail));
  }
}

function idOf(n: number): string {
  return `${ID.slice(0, -4)}${n.toString(16).padStart(4, "0")}`;
}

function written(effects: readonly Effect[]): { t: string; [key: string]: unknown }[] {
  return effects.flatMap((effect) =>
    effect.kind === "write" ? [JSON.parse(effect.text) as { t: string }] : [],
  );
}

function settledOf(effects: readonly Effect[]) {
  return effects.filter((effect) => effect.kind === "settled");
}

function writeInput(room: RoomId, id: string, body: object = {}, more: object = {}): Input {
  const frame = { t: "send", room, id: id as MessageId, body: body as Body, ...more } as const;
  return { kind: "write", frame };
}

function refusal(id: string, error: ErrorName, message: string) {
  return { kind: "settled", id, result: { kind: "refused", error, message } };
}

describe("SDK client: sending", () => {
  it("F2: a send that the server would refuse is refused at once and not written", () => {
    const { client, now } = ScriptedClient.member();
    const step = (id: string, body: object) => client.step(writeInput(GENERAL, id, body), now);
    const cycle: { self?: object } = {};
    cycle.self = cycle;
    expect(step("x", {})).to.deep.equal([
      refusal("x", "bad_id", "The message id is not a UUIDv7."),
    ]);
    const notJson = [refusal(ID, "bad_frame", "The body is not JSON.")];
    for (const body of [cycle, [], { toJSON: () => undefined }]) {
      expect(step(ID, body)).to.deep.equal(notJson);
    }
    const fits = { a: "ü".repeat((BODY_BYTES_MAX - 8) / 2) };
    expect(written(step(idOf(2), fits))).to.have.length(1);
    const large = { a: `${fits.a}x` };
    expect(step(ID, large)).to.deep.equal([refusal(ID, "too_large", "The body is too large.")]);
    const elsewhere = client.step(writeInput(DEV, ID), now);
    expect(elsewhere).to.deep.equal([refusal(ID, "not_joined", "Join the room first.")]);
    const closed = new ScriptedClient().client;
    closed.step({ kind: "close" }, 0);
    const late = closed.step(writeInput(GENERAL, ID), 0);
    expect(late).to.deep.equal([refusal(ID, "unavailable", "The connection is closed.")]);
  });

  it("K2: a send is one frame with all given fields", () => {
    const sdk = ScriptedClient.member();
    const plain = { t: "send", room: "general", id: ID, body: { text: "hi" } };
    expect(written(sdk.send(ID))).to.deep.equal([plain]);
    const more = { replyTo: 3, trace: "00-a" };
    const full = sdk.client.step(writeInput(GENERAL, idOf(2), {}, more), sdk.now);
    expect(written(full)).to.deep.equal([{ ...plain, id: idOf(2), body: {}, ...more }]);
    expect(settledOf(sdk.line({ t: "ack", id: ID, room: "general", seq: 4, at: 9 }))).to.deep.equal(
      [{ kind: "settled", id: ID, result: { kind: "acked", seq: 4, at: 9 } }],
    );
  });

  it("S5: fewer sends are unanswered than the server allows, and at least one", () => {
    const countWith = (limits: object | undefined): number => {
      const sdk = ScriptedClient.member(limits && { limits });
      return Array.from({ length: 70 }, (_, n) => written(sdk.send(idOf(n)))).flat().length;
    };
    const allowed = (unansweredSends: number) => countWith({ unansweredSends });
    expect([64, 1_000, 20, 4, 1].map(allowed)).to.deep.equal([60, WIRE_SENDS_MAX, 16, 1, 1]);
    expect(countWith(undefined)).to.equal(WIRE_SENDS_MAX - 4);
  });

  it("K2: after `reconnect` nothing is written, and all of it follows on the next connection", () => {
    const sdk = ScriptedClient.member();
    sdk.line({ t: "reconnect", afterMs: 500 });
    expect(written(sdk.send(ID))).to.deep.equal([]);
    expect(sdk.client.state).to.equal("online");
    sdk.client.step({ kind: "ended", socket: 1, code: 1012 }, sdk.now);
    expect(sdk.client.retryAt).to.equal(sdk.now + 500);
    sdk.tick(500);
    sdk.client.step({ kind: "token", ask: 2, token: "ada" }, sdk.now);
    sdk.client.step({ kind: "opened", socket: 2 }, sdk.now);
    const welcome = { t: "welcome", session: "s", user: "ada", at: AT, pingMs: 25_000 };
    const joins = sdk.text(JSON.stringify(welcome), 2);
    expect(written(joins)).to.deep.equal([{ t: "join", ref: 2, room: "general", after: 0 }]);
    const joined = { t: "joined", ref: 2, room: GENERAL, born: "b", head: 0, from: 1 };
    expect(written(sdk.text(JSON.stringify(joined), 2)).map(({ t }) => t)).to.deep.equal(["send"]);
  });

  it("sdk/outbox.1: the outbox is bounded, and a send has a deadline of five minutes", () => {
    const sdk = new ScriptedClient();
    sdk.client.step({ kind: "join", room: GENERAL }, sdk.now);
    for (let n = 0; n < OUTBOX_MAX; n++) expect(sdk.send(idOf(n))).to.deep.equal([]);
    expect(settledOf(sdk.send(idOf(999)))[0]).to.have.nested.property("result.error", "busy");
    expect(sdk.client.wakeAt).to.equal(sdk.now + SEND_DEADLINE_MS);
    expect(settledOf(sdk.tick(SEND_DEADLINE_MS))).to.have.length(OUTBOX_MAX);
    expect(sdk.client.wakeAt).to.equal(undefined);
  });
});

describe("SDK client: answers", () => {
  it("F6: a final error ends a send, and a temporary error causes a resend", () => {
    const sdk = ScriptedClient.member();
    sdk.send(ID);
    sdk.send(idOf(2));
    expect(settledOf(sdk.error("forbidden", { id: ID, message: "no" }))).to.deep.equal([
      refusal(ID, "forbidden", "no"),
    ]);
    expect(sdk.error("busy", { id: idOf(2), afterMs: 700 })).to.deep.equal([]);
    expect(sdk.client.wakeAt).to.equal(sdk.now + 700);
    expect(written(sdk.tick(700)).map(({ id }) => id)).to.deep.equal([idOf(2)]);
  });

  it("F6: a final error of a join is a fault and ends the room with its pending calls", () => {
    const sdk = ScriptedClient.online();
    sdk.client.step({ kind: "join", room: GENERAL }, sdk.now);
    sdk.send(ID);
    const range = { limit: 5 };
    sdk.client.step({ kind: "history", call: 1, room: GENERAL, range }, sdk.now);
    expect(sdk.error("forbidden", { ref: 1, message: "no" })).to.deep.equal([
      { kind: "fault", fault: { name: "forbidden", message: "no", room: GENERAL } },
      refusal(ID, "forbidden", "no"),
      { kind: "page-failed", call: 1, error: "forbidden", message: "no" },
      { kind: "status", room: GENERAL, status: "left" },
    ]);
    expect(sdk.client.room(GENERAL)).to.equal(undefined);
  });

  it("F6: a temporary error of a join causes another join", () => {
    const sdk = ScriptedClient.online();
    sdk.client.step({ kind: "join", room: DEV }, sdk.now);
    sdk.client.step({ kind: "join", room: GENERAL }, sdk.now);
    expect(sdk.error("busy", { ref: 2, afterMs: 900 })).to.deep.equal([]);
    expect(written(sdk.tick(899))).to.deep.equal([]);
    expect(written(sdk.tick(1))).to.deep.equal([{ t: "join", ref: 3, room: "general" }]);
    expect(sdk.error("unavailable", { ref: 3 })).to.deep.equal([]);
    expect(written(sdk.tick(1_000)), "without a better wait, a second").to.have.length(1);
  });

  it("F6: an error of no known request is a fault only when it is final", () => {
    const sdk = ScriptedClient.member();
    expect(sdk.error("not_joined")).to.deep.equal([
      { kind: "fault", fault: { name: "not_joined", message: "Join the room first." } },
    ]);
    expect(sdk.error("rate_limited")).to.deep.equal([]);
    expect(sdk.error("forbidden", { ref: 77 })).to.deep.equal([]);
  });

  it("S4: token_expired ends no call: the close that follows returns it to its queue", () => {
    const sdk = ScriptedClient.member();
    sdk.send(ID);
    const range = { limit: 5 };
    sdk.client.step({ kind: "history", call: 1, room: GENERAL, range }, sdk.now);
    sdk.client.step({ kind: "join", room: DEV }, sdk.now);
    for (const detail of [{ id: ID }, { ref: 2 }, { ref: 3 }, {}]) {
      expect(sdk.error("token_expired", detail)).to.deep.equal([]);
    }
    sdk.client.step({ kind: "ended", socket: 1, code: 4003 }, sdk.now);
    expect(sdk.client.state).to.equal("waiting");
    const single = new ScriptedClient(false);
    single.client.step({ kind: "connect" }, 0);
    single.client.step({ kind: "token", ask: 1, token: "ada" }, 0);
    single.client.step({ kind: "opened", socket: 1 }, 0);
    single.client.step({ kind: "join", room: GENERAL }, 0);
    single.now = 0;
    single.send(ID);
    const ended = single.client.step({ kind: "ended", socket: 1, code: 4003 }, 0);
    expect(ended).to.deep.equal([
      { kind: "state", state: "closed" },
      refusal(ID, "unavailable", "The connection is closed."),
    ]);
  });

  it("S4: a refused refresh is a fault, and another attempt follows", () => {
    const sdk = new ScriptedClient();
    sdk.client.step({ kind: "connect" }, sdk.now);
    const token = fakeToken("ada", AT / 1_000 + 8);
    sdk.client.step({ kind: "token", ask: 1, token }, sdk.now);
    sdk.client.step({ kind: "opened", socket: 1 }, sdk.now);
    sdk.line({ t: "welcome", session: "s", user: "ada", at: AT, pingMs: 25_000 });
    expect(sdk.client.wakeAt).to.equal(sdk.now + 6_000);
    expect(sdk.tick(6_000)).to.deep.equal([{ kind: "ask-token", ask: 2 }]);
    const sent = sdk.client.step({ kind: "token", ask: 2, token: "next" }, sdk.now);
    expect(written(sent)).to.deep.equal([{ t: "refresh", ref: 1, token: "next" }]);
    expect(sdk.error("unauthorized", { ref: 1 })).to.deep.equal([
      { kind: "fault", fault: { name: "unauthorized", message: "The token is not valid." } },
    ]);
    expect(sdk.client.wakeAt).to.equal(sdk.now + 1_250);
    sdk.tick(1_250);
    sdk.client.step({ kind: "token", ask: 3, token: "next" }, sdk.now);
    sdk.line({ t: "refreshed", ref: 2, until: AT + 7_250 + 100_000 });
    expect(sdk.client.wakeAt).to.equal(sdk.now + 25_000);
    const failed = sdk.client.step({ kind: "token-failed", ask: 9 }, sdk.now);
    expect(failed).to.deep.equal([]);
  });

  it("O12: a page and a failure reach their call", () => {
    const sdk = ScriptedClient.member();
    const ask = (call: number) =>
      sdk.client.step({ kind: "history", call, room: GENERAL, range: { limit: 5 } }, sdk.now);
    expect(written(ask(1))).to.deep.equal([{ t: "history", ref: 2, room: "general", limit: 5 }]);
    const event = { t: "msg", room: "general", seq: 1, id: ID, from: "bob", at: 1, body: {} };
    expect(
      sdk.line({ t: "page", ref: 2, room: "general", events: [event], more: true }),
    ).to.deep.equal([{ kind: "page", call: 1, page: { events: [event], more: true } }]);
    ask(2);
    expect(sdk.error("not_found", { ref: 3, message: "none" })).to.deep.equal([
      { kind: "page-failed", call: 2, error: "not_found", message: "none" },
    ]);
    ask(3);
    sdk.client.step({ kind: "ended", socket: 1, code: 1006 }, sdk.now);
    expect(sdk.tick(PAGE_DEADLINE_MS).filter(({ kind }) => kind === "page-failed")).to.have.length(
      1,
    );
  });
});

describe("SDK client: lines", () => {
  it("F1: a text can hold several lines; a line that cannot be decoded is a fault, and the others count", () => {
    const sdk = ScriptedClient.member();
    const event = (seq: number) =>
      JSON.stringify({
        t: "msg",
        room: "general",
        seq,
        id: idOf(seq),
        from: "bob",
        at: 1,
        body: {},
      });
    const effects = sdk.text(`${event(1)}\n{\n\n{"t":"pong"}\n${event(2)}`);
    const message = "The server sent a frame that this client cannot decode.";
    expect(
      effects.map((effect) => (effect.kind === "event" ? effect.event.seq : effect)),
    ).to.deep.equal([1, { kind: "fault", fault: { name: "bad_frame", message } }, 2]);
    expect(sdk.text(event(3), 9), "another socket").to.deep.equal([]);
    expect(sdk.line({ t: "msg", room: "dev", seq: 1, id: ID, from: "b", at: 1 })).to.deep.equal([]);
  });

  it("sdk/connection.4: every received line resets the silence", () => {
    const sdk = ScriptedClient.member();
    sdk.now += 10_000;
    sdk.line({ t: "pong", ref: 1 });
    expect(sdk.client.wakeAt).to.equal(sdk.now + 25_000);
    sdk.text("");
    expect(sdk.client.wakeAt).to.equal(sdk.now + 25_000);
  });

  it("O7: frames of unknown rooms and answers to older joins change nothing", () => {
    const sdk = ScriptedClient.member();
    const frames = [
      { t: "joined", ref: 77, room: GENERAL, born: "c", head: 9, from: 5, here: 1 },
      { t: "joined", ref: 1, room: DEV, born: "c", head: 9, from: 5, here: 1 },
      { t: "caught-up", room: DEV, seq: 9 },
      { t: "presence", room: DEV, join: ["eve"] },
      { t: "typing", room: DEV, user: "eve", on: true },
    ];
    expect(sdk.line(...frames)).to.deep.equal([]);
    expect(sdk.client.room(GENERAL)?.head).to.equal(0);
  });

  it("A5: typing of other users is delivered, the own is not; own typing is written while joined", () => {
    const sdk = ScriptedClient.member();
    expect(sdk.line({ t: "typing", room: GENERAL, user: "ada", on: true })).to.deep.equal([]);
    expect(sdk.line({ t: "typing", room: GENERAL, user: "bob", on: true })).to.have.length(1);
    expect(sdk.client.wakeAt).to.equal(sdk.now + TYPING_SHOWN_MS);
    expect(sdk.tick(TYPING_SHOWN_MS)).to.have.length(1);
    const type = (room = GENERAL) => sdk.client.step({ kind: "typing", room, on: true }, sdk.now);
    expect(written(type())).to.deep.equal([{ t: "typing", room: "general", on: true }]);
    expect(type(DEV)).to.deep.equal([]);
    sdk.send(ID);
    expect(written(type()), "a message ended it").to.have.length(1);
    sdk.line({ t: "reconnect", afterMs: 1 });
    sdk.now += 10_000;
    expect(type()).to.deep.equal([]);
    expect(sdk.line({ t: "presence", room: GENERAL, join: ["eve"], here: 2 })).to.have.length(1);
  });
});

describe("SDK client: rooms and connections", () => {
  it("K2: joins are written first, then sends, then pages; a room is joined once", () => {
    const sdk = ScriptedClient.online();
    sdk.client.step({ kind: "join", room: GENERAL, tail: 3 }, sdk.now);
    const again = sdk.client.step({ kind: "join", room: GENERAL, after: 9 }, sdk.now);
    expect(again).to.deep.equal([]);
    sdk.client.step({ kind: "history", call: 1, room: GENERAL, range: { limit: 5 } }, sdk.now);
    sdk.send(ID);
    expect(written(sdk.joined(1)).map(({ t }) => t)).to.deep.equal(["send", "history"]);
  });

  it("S6: leaving writes `leave` and ends pending calls; leaving an unknown room does nothing", () => {
    const sdk = ScriptedClient.member();
    sdk.send(ID);
    const left = sdk.client.step({ kind: "leave", room: GENERAL }, sdk.now);
    expect(left).to.deep.equal([
      { kind: "write", socket: 1, text: '{"t":"leave","ref":2,"room":"general"}' },
      { kind: "status", room: GENERAL, status: "left" },
    ]);
    expect(sdk.client.step({ kind: "leave", room: GENERAL }, sdk.now)).to.deep.equal([]);
    const ack = sdk.line({ t: "ack", id: ID, room: "general", seq: 1, at: 1 });
    expect(settledOf(ack), "it was on the wire").to.have.length(1);
    const offline = new ScriptedClient().client;
    offline.step({ kind: "join", room: GENERAL }, 0);
    expect(offline.step({ kind: "leave", room: GENERAL }, 0)).to.deep.equal([
      { kind: "status", room: GENERAL, status: "left" },
    ]);
  });

  it("sdk/connection.4: a join without an answer ends the connection, also while other frames arrive", () => {
    const sdk = ScriptedClient.online();
    sdk.client.step({ kind: "join", room: GENERAL }, sdk.now);
    expect(sdk.client.wakeAt).to.equal(sdk.now + 25_000);
    sdk.now += JOIN_TIMEOUT_MS - 1;
    sdk.line({ t: "pong", ref: 9 });
    expect(sdk.tick()).to.deep.equal([]);
    expect(sdk.client.wakeAt).to.equal(sdk.now + 1);
    expect(sdk.tick(1)).to.deep.equal([
      { kind: "drop", socket: 1, isSilent: true },
      { kind: "state", state: "waiting" },
    ]);
    expect(sdk.client.room(GENERAL)?.status).to.equal("joining");
  });

  it("sdk/connection.4: a send without an answer for 15 s ends the connection, and its rooms join again", () => {
    const sdk = ScriptedClient.member();
    sdk.send(ID);
    expect(sdk.client.wakeAt).to.equal(sdk.now + ANSWER_SILENCE_MS);
    expect(sdk.tick(ANSWER_SILENCE_MS)).to.deep.equal([
      { kind: "drop", socket: 1, isSilent: true },
      { kind: "state", state: "waiting" },
      { kind: "status", room: GENERAL, status: "joining" },
    ]);
    expect(sdk.client.wakeAt).to.equal(sdk.client.retryAt);
  });

  it("K4: a final close refuses every pending call once", () => {
    const sdk = ScriptedClient.member();
    sdk.send(ID);
    sdk.client.step({ kind: "history", call: 1, room: GENERAL, range: { limit: 5 } }, sdk.now);
    const ended = sdk.client.step({ kind: "ended", socket: 1, code: 4501 }, sdk.now);
    expect(ended.map(({ kind }) => kind)).to.deep.equal([
      "state",
      "status",
      "settled",
      "page-failed",
    ]);
    expect(sdk.client.step({ kind: "close" }, sdk.now)).to.deep.equal([]);
    expect(sdk.client.step({ kind: "ended", socket: 1, code: 1006 }, sdk.now)).to.deep.equal([]);
    expect(sdk.client.wakeAt).to.equal(undefined);
    expect([sdk.client.state, sdk.client.user]).to.deep.equal(["closed", "ada"]);
  });

  it("K4: close drops the socket, and a later connect resumes the rooms", () => {
    const fixture = new ClientFixture();
    fixture.enter(GENERAL);
    fixture.sendAsOther(GENERAL, "one");
    fixture.settle();
    fixture.step({ kind: "close" });
    expect(fixture.client.state).to.equal("closed");
    fixture.sendAsOther(GENERAL, "two");
    fixture.step({ kind: "connect" });
    fixture.settle();
    expect(fixture.events.map(({ seq }) => seq)).to.deep.equal([1, 2]);
    expect(fixture.received("join")[0]).to.include({ after: 1 });
  });

  it("K1: a wait that is over requests no wake-up", () => {
    const sdk = ScriptedClient.member();
    sdk.send(ID);
    sdk.error("busy", { id: ID, afterMs: 0 });
    const at = sdk.now + RETRY.baseMs / 2;
    expect(sdk.client.wakeAt).to.equal(at);
    sdk.line({ t: "reconnect", afterMs: 60_000 });
    sdk.now = at;
    sdk.tick();
    expect(sdk.client.wakeAt, "it now waits for the connection").to.be.above(at);
  });
});
