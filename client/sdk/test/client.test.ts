// The whole core by example, against the model gateway: what one part means for the others.

import { expect } from "chai";
import { errorFrame } from "#shared/protocol/errors.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
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
import type { Effect } from "../core/effects.ts";
import { halfRandom } from "./half-random.ts";
import { DEV, fakeToken, GENERAL, World } from "./client-fixture.ts";

const ID = "019b0000-0000-7000-8000-000000000001";
const AT = 1_795_500_000_000;

/** A client without a model: the test says every line of the server. */
class Bench {
  readonly client: Client;
  now = 1_000;

  constructor(canRefresh = true) {
    this.client = new Client({ canRefresh, random: halfRandom });
  }

  static online(frame: object = {}): Bench {
    const bench = new Bench();
    bench.client.step({ kind: "connect" }, bench.now);
    bench.client.step({ kind: "token", ask: 1, token: "ada" }, bench.now);
    bench.client.step({ kind: "opened", socket: 1 }, bench.now);
    bench.hear({ t: "welcome", session: "s", user: "ada", at: AT, pingMs: 25_000, ...frame });
    return bench;
  }

  /** In the room, and live there. */
  static member(frame?: object): Bench {
    const bench = Bench.online(frame);
    bench.client.step({ kind: "join", room: GENERAL }, bench.now);
    bench.joined(1);
    return bench;
  }

  joined(ref: number): readonly Effect[] {
    const joined = { t: "joined", ref, room: GENERAL, born: "b", head: 0, from: 1, here: 1 };
    return this.hear(joined, { t: "caught-up", room: GENERAL, seq: 0 });
  }

  hear(...frames: object[]): readonly Effect[] {
    return this.text(frames.map((frame) => JSON.stringify(frame)).join("\n"));
  }

  text(text: string, socket = 1): readonly Effect[] {
    return this.client.step({ kind: "text", socket, text }, this.now);
  }

  send(id: string, body: object = { text: "hi" }): readonly Effect[] {
    return this.client.step({ kind: "send", room: GENERAL, id, body }, this.now);
  }

  tick(ms = 0): readonly Effect[] {
    this.now += ms;
    return this.client.step({ kind: "tick" }, this.now);
  }

  error(name: ErrorName, detail: object = {}): readonly Effect[] {
    return this.hear(errorFrame(name, detail));
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

function refusal(id: string, error: ErrorName, message: string) {
  return { kind: "settled", id, result: { kind: "refused", error, message } };
}

describe("SDK client: sending", () => {
  it("F2: what the server would refuse is refused at once, and not written", () => {
    const { client, now } = Bench.member();
    const step = (id: string, body: object) =>
      client.step({ kind: "send", room: GENERAL, id, body }, now);
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
    const elsewhere = client.step({ kind: "send", room: DEV, id: ID, body: {} }, now);
    expect(elsewhere).to.deep.equal([refusal(ID, "not_joined", "Join the room first.")]);
    const closed = new Bench().client;
    closed.step({ kind: "close" }, 0);
    const late = closed.step({ kind: "send", room: GENERAL, id: ID, body: {} }, 0);
    expect(late).to.deep.equal([refusal(ID, "unavailable", "The connection is closed.")]);
  });

  it("K2: a send is one frame with all that was given", () => {
    const bench = Bench.member();
    const plain = { t: "send", room: "general", id: ID, body: { text: "hi" } };
    expect(written(bench.send(ID))).to.deep.equal([plain]);
    const more = { replyTo: 3, trace: "00-a" };
    const full = bench.client.step(
      { kind: "send", room: GENERAL, id: idOf(2), body: {}, ...more },
      bench.now,
    );
    expect(written(full)).to.deep.equal([{ ...plain, id: idOf(2), body: {}, ...more }]);
    expect(
      settledOf(bench.hear({ t: "ack", id: ID, room: "general", seq: 4, at: 9 })),
    ).to.deep.equal([{ kind: "settled", id: ID, result: { kind: "acked", seq: 4, at: 9 } }]);
  });

  it("S5: the wire holds a few sends fewer than the server allows, at least one", () => {
    const countWith = (limits: object | undefined): number => {
      const bench = Bench.member(limits && { limits });
      return Array.from({ length: 70 }, (_, n) => written(bench.send(idOf(n)))).flat().length;
    };
    const allowed = (unansweredSends: number) => countWith({ unansweredSends });
    expect([64, 1_000, 20, 4, 1].map(allowed)).to.deep.equal([60, WIRE_SENDS_MAX, 16, 1, 1]);
    expect(countWith(undefined)).to.equal(WIRE_SENDS_MAX - 4);
  });

  it("K2: while the server leaves nothing is written, and all of it on the next connection", () => {
    const bench = Bench.member();
    bench.hear({ t: "reconnect", afterMs: 500 });
    expect(written(bench.send(ID))).to.deep.equal([]);
    expect(bench.client.state).to.equal("online");
    bench.client.step({ kind: "ended", socket: 1, code: 1012 }, bench.now);
    expect(bench.client.retryAt).to.equal(bench.now + 500);
    bench.tick(500);
    bench.client.step({ kind: "token", ask: 2, token: "ada" }, bench.now);
    bench.client.step({ kind: "opened", socket: 2 }, bench.now);
    const welcome = { t: "welcome", session: "s", user: "ada", at: AT, pingMs: 25_000 };
    const joins = bench.text(JSON.stringify(welcome), 2);
    expect(written(joins)).to.deep.equal([{ t: "join", ref: 2, room: "general", after: 0 }]);
    const joined = { t: "joined", ref: 2, room: GENERAL, born: "b", head: 0, from: 1 };
    expect(written(bench.text(JSON.stringify(joined), 2)).map(({ t }) => t)).to.deep.equal([
      "send",
    ]);
  });

  it("sdk/outbox.1: the outbox is bounded, and a send has five minutes", () => {
    const bench = new Bench();
    bench.client.step({ kind: "join", room: GENERAL }, bench.now);
    for (let n = 0; n < OUTBOX_MAX; n++) expect(bench.send(idOf(n))).to.deep.equal([]);
    expect(settledOf(bench.send(idOf(999)))[0]).to.have.nested.property("result.error", "busy");
    expect(bench.client.wakeAt).to.equal(bench.now + SEND_DEADLINE_MS);
    expect(settledOf(bench.tick(SEND_DEADLINE_MS))).to.have.length(OUTBOX_MAX);
    expect(bench.client.wakeAt).to.equal(undefined);
  });
});

describe("SDK client: answers", () => {
  it("F6: a final error about a send is its outcome, a temporary one has it sent again", () => {
    const bench = Bench.member();
    bench.send(ID);
    bench.send(idOf(2));
    expect(settledOf(bench.error("forbidden", { id: ID, message: "no" }))).to.deep.equal([
      refusal(ID, "forbidden", "no"),
    ]);
    expect(bench.error("busy", { id: idOf(2), afterMs: 700 })).to.deep.equal([]);
    expect(bench.client.wakeAt).to.equal(bench.now + 700);
    expect(written(bench.tick(700)).map(({ id }) => id)).to.deep.equal([idOf(2)]);
  });

  it("F6: a final error about a join is a fault and ends the room, with what waits in it", () => {
    const bench = Bench.online();
    bench.client.step({ kind: "join", room: GENERAL }, bench.now);
    bench.send(ID);
    const range = { limit: 5 };
    bench.client.step({ kind: "history", call: 1, room: GENERAL, range }, bench.now);
    expect(bench.error("forbidden", { ref: 1, message: "no" })).to.deep.equal([
      { kind: "fault", fault: { name: "forbidden", message: "no", room: GENERAL } },
      refusal(ID, "forbidden", "This user may not do that here."),
      {
        kind: "page-failed",
        call: 1,
        error: "forbidden",
        message: "This user may not do that here.",
      },
      { kind: "status", room: GENERAL, status: "left" },
    ]);
    expect(bench.client.room(GENERAL)).to.equal(undefined);
  });

  it("F6: a temporary error about a join has it asked again", () => {
    const bench = Bench.online();
    bench.client.step({ kind: "join", room: DEV }, bench.now);
    bench.client.step({ kind: "join", room: GENERAL }, bench.now);
    expect(bench.error("busy", { ref: 2, afterMs: 900 })).to.deep.equal([]);
    expect(written(bench.tick(899))).to.deep.equal([]);
    expect(written(bench.tick(1))).to.deep.equal([{ t: "join", ref: 3, room: "general" }]);
    expect(bench.error("unavailable", { ref: 3 })).to.deep.equal([]);
    expect(written(bench.tick(1_000)), "without a better wait, a second").to.have.length(1);
  });

  it("F6: an error about nothing of ours is a fault when it is final, and none when it is temporary", () => {
    const bench = Bench.member();
    expect(bench.error("not_joined")).to.deep.equal([
      { kind: "fault", fault: { name: "not_joined", message: "Join the room first." } },
    ]);
    expect(bench.error("rate_limited")).to.deep.equal([]);
    expect(bench.error("forbidden", { ref: 77 })).to.deep.equal([]);
  });

  it("S4: token_expired settles nothing: the close that follows puts it back", () => {
    const bench = Bench.member();
    bench.send(ID);
    const range = { limit: 5 };
    bench.client.step({ kind: "history", call: 1, room: GENERAL, range }, bench.now);
    bench.client.step({ kind: "join", room: DEV }, bench.now);
    for (const detail of [{ id: ID }, { ref: 2 }, { ref: 3 }, {}]) {
      expect(bench.error("token_expired", detail)).to.deep.equal([]);
    }
    bench.client.step({ kind: "ended", socket: 1, code: 4003 }, bench.now);
    expect(bench.client.state).to.equal("waiting");
    const single = new Bench(false);
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

  it("S4: a refused refresh is a fault, and is tried again", () => {
    const bench = new Bench();
    bench.client.step({ kind: "connect" }, bench.now);
    const token = fakeToken("ada", AT / 1_000 + 8);
    bench.client.step({ kind: "token", ask: 1, token }, bench.now);
    bench.client.step({ kind: "opened", socket: 1 }, bench.now);
    bench.hear({ t: "welcome", session: "s", user: "ada", at: AT, pingMs: 25_000 });
    expect(bench.client.wakeAt).to.equal(bench.now + 6_000);
    expect(bench.tick(6_000)).to.deep.equal([{ kind: "ask-token", ask: 2 }]);
    const sent = bench.client.step({ kind: "token", ask: 2, token: "next" }, bench.now);
    expect(written(sent)).to.deep.equal([{ t: "refresh", ref: 1, token: "next" }]);
    expect(bench.error("unauthorized", { ref: 1 })).to.deep.equal([
      { kind: "fault", fault: { name: "unauthorized", message: "The token is not valid." } },
    ]);
    expect(bench.client.wakeAt).to.equal(bench.now + 1_250);
    bench.tick(1_250);
    bench.client.step({ kind: "token", ask: 3, token: "next" }, bench.now);
    bench.hear({ t: "refreshed", ref: 2, until: AT + 7_250 + 100_000 });
    expect(bench.client.wakeAt).to.equal(bench.now + 25_000);
    const failed = bench.client.step({ kind: "token-failed", ask: 9 }, bench.now);
    expect(failed).to.deep.equal([]);
  });

  it("O12: a page and its failure reach their call", () => {
    const bench = Bench.member();
    const ask = (call: number) =>
      bench.client.step({ kind: "history", call, room: GENERAL, range: { limit: 5 } }, bench.now);
    expect(written(ask(1))).to.deep.equal([{ t: "history", ref: 2, room: "general", limit: 5 }]);
    const event = { t: "msg", room: "general", seq: 1, id: ID, from: "bob", at: 1, body: {} };
    expect(
      bench.hear({ t: "page", ref: 2, room: "general", events: [event], more: true }),
    ).to.deep.equal([{ kind: "page", call: 1, page: { events: [event], more: true } }]);
    ask(2);
    expect(bench.error("not_found", { ref: 3, message: "none" })).to.deep.equal([
      { kind: "page-failed", call: 2, error: "not_found", message: "none" },
    ]);
    ask(3);
    bench.client.step({ kind: "ended", socket: 1, code: 1006 }, bench.now);
    expect(
      bench.tick(PAGE_DEADLINE_MS).filter(({ kind }) => kind === "page-failed"),
    ).to.have.length(1);
  });
});

describe("SDK client: lines", () => {
  it("F1: a text holds several lines, in order; broken ones are faults and the rest is served", () => {
    const bench = Bench.member();
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
    const effects = bench.text(`${event(1)}\n{\n\n{"t":"pong"}\n${event(2)}`);
    const message = "The server sent what this client cannot read.";
    expect(
      effects.map((effect) => (effect.kind === "event" ? effect.event.seq : effect)),
    ).to.deep.equal([1, { kind: "fault", fault: { name: "bad_frame", message } }, 2]);
    expect(bench.text(event(3), 9), "another socket").to.deep.equal([]);
    expect(bench.hear({ t: "msg", room: "dev", seq: 1, id: ID, from: "b", at: 1 })).to.deep.equal(
      [],
    );
  });

  it("sdk/connection.4: every line is a sign of life", () => {
    const bench = Bench.member();
    bench.now += 10_000;
    bench.hear({ t: "pong", ref: 1 });
    expect(bench.client.wakeAt).to.equal(bench.now + 25_000);
    bench.text("");
    expect(bench.client.wakeAt).to.equal(bench.now + 25_000);
  });

  it("O7: frames about rooms that are not ours, and answers to older joins, change nothing", () => {
    const bench = Bench.member();
    const frames = [
      { t: "joined", ref: 77, room: GENERAL, born: "c", head: 9, from: 5, here: 1 },
      { t: "joined", ref: 1, room: DEV, born: "c", head: 9, from: 5, here: 1 },
      { t: "caught-up", room: DEV, seq: 9 },
      { t: "presence", room: DEV, join: ["eve"] },
      { t: "typing", room: DEV, user: "eve", on: true },
    ];
    expect(bench.hear(...frames)).to.deep.equal([]);
    expect(bench.client.room(GENERAL)?.head).to.equal(0);
  });

  it("A5: others' typing is shown, our own is not; a key of ours is written while we are in", () => {
    const bench = Bench.member();
    expect(bench.hear({ t: "typing", room: GENERAL, user: "ada", on: true })).to.deep.equal([]);
    expect(bench.hear({ t: "typing", room: GENERAL, user: "bob", on: true })).to.have.length(1);
    expect(bench.client.wakeAt).to.equal(bench.now + TYPING_SHOWN_MS);
    expect(bench.tick(TYPING_SHOWN_MS)).to.have.length(1);
    const type = (room = GENERAL) =>
      bench.client.step({ kind: "typing", room, on: true }, bench.now);
    expect(written(type())).to.deep.equal([{ t: "typing", room: "general", on: true }]);
    expect(type(DEV)).to.deep.equal([]);
    bench.send(ID);
    expect(written(type()), "a message ended it").to.have.length(1);
    bench.hear({ t: "reconnect", afterMs: 1 });
    bench.now += 10_000;
    expect(type()).to.deep.equal([]);
    expect(bench.hear({ t: "presence", room: GENERAL, join: ["eve"], here: 2 })).to.have.length(1);
  });
});

describe("SDK client: rooms and connections", () => {
  it("K2: joins are written first, then sends, then pages; a room is joined once", () => {
    const bench = Bench.online();
    bench.client.step({ kind: "join", room: GENERAL, tail: 3 }, bench.now);
    const again = bench.client.step({ kind: "join", room: GENERAL, after: 9 }, bench.now);
    expect(again).to.deep.equal([]);
    bench.client.step({ kind: "history", call: 1, room: GENERAL, range: { limit: 5 } }, bench.now);
    bench.send(ID);
    expect(written(bench.joined(1)).map(({ t }) => t)).to.deep.equal(["send", "history"]);
  });

  it("S6: leaving says so, and ends what waits; a room that is unknown is nothing", () => {
    const bench = Bench.member();
    bench.send(ID);
    const left = bench.client.step({ kind: "leave", room: GENERAL }, bench.now);
    expect(left).to.deep.equal([
      { kind: "write", socket: 1, text: '{"t":"leave","ref":2,"room":"general"}' },
      { kind: "status", room: GENERAL, status: "left" },
    ]);
    expect(bench.client.step({ kind: "leave", room: GENERAL }, bench.now)).to.deep.equal([]);
    const ack = bench.hear({ t: "ack", id: ID, room: "general", seq: 1, at: 1 });
    expect(settledOf(ack), "it was on the wire").to.have.length(1);
    const offline = new Bench().client;
    offline.step({ kind: "join", room: GENERAL }, 0);
    expect(offline.step({ kind: "leave", room: GENERAL }, 0)).to.deep.equal([
      { kind: "status", room: GENERAL, status: "left" },
    ]);
  });

  it("sdk/connection.4: a join without an answer ends the connection, although other frames come", () => {
    const bench = Bench.online();
    bench.client.step({ kind: "join", room: GENERAL }, bench.now);
    expect(bench.client.wakeAt).to.equal(bench.now + 25_000);
    bench.now += JOIN_TIMEOUT_MS - 1;
    bench.hear({ t: "pong", ref: 9 });
    expect(bench.tick()).to.deep.equal([]);
    expect(bench.client.wakeAt).to.equal(bench.now + 1);
    expect(bench.tick(1)).to.deep.equal([
      { kind: "drop", socket: 1 },
      { kind: "state", state: "waiting" },
    ]);
    expect(bench.client.room(GENERAL)?.status).to.equal("joining");
  });

  it("sdk/connection.4: a send without an answer for 15 s ends the connection, and its rooms join again", () => {
    const bench = Bench.member();
    bench.send(ID);
    expect(bench.client.wakeAt).to.equal(bench.now + ANSWER_SILENCE_MS);
    expect(bench.tick(ANSWER_SILENCE_MS)).to.deep.equal([
      { kind: "drop", socket: 1 },
      { kind: "state", state: "waiting" },
      { kind: "status", room: GENERAL, status: "joining" },
    ]);
    expect(bench.client.wakeAt).to.equal(bench.client.retryAt);
  });

  it("K4: the end refuses every open call, once", () => {
    const bench = Bench.member();
    bench.send(ID);
    bench.client.step({ kind: "history", call: 1, room: GENERAL, range: { limit: 5 } }, bench.now);
    const ended = bench.client.step({ kind: "ended", socket: 1, code: 4501 }, bench.now);
    expect(ended.map(({ kind }) => kind)).to.deep.equal([
      "state",
      "status",
      "settled",
      "page-failed",
    ]);
    expect(bench.client.step({ kind: "close" }, bench.now)).to.deep.equal([]);
    expect(bench.client.step({ kind: "ended", socket: 1, code: 1006 }, bench.now)).to.deep.equal(
      [],
    );
    expect(bench.client.wakeAt).to.equal(undefined);
    expect([bench.client.state, bench.client.user]).to.deep.equal(["closed", "ada"]);
  });

  it("K4: closing drops the socket, and connecting again resumes the rooms", () => {
    const world = new World();
    world.enter(GENERAL);
    world.other(GENERAL, "one");
    world.settle();
    world.step({ kind: "close" });
    expect(world.client.state).to.equal("closed");
    world.other(GENERAL, "two");
    world.step({ kind: "connect" });
    world.settle();
    expect(world.events.map(({ seq }) => seq)).to.deep.equal([1, 2]);
    expect(world.heard("join")[0]).to.include({ after: 1 });
  });

  it("K1: a wait whose time is over sets no timer", () => {
    const bench = Bench.member();
    bench.send(ID);
    bench.error("busy", { id: ID, afterMs: 0 });
    const at = bench.now + RETRY.baseMs / 2;
    expect(bench.client.wakeAt).to.equal(at);
    bench.hear({ t: "reconnect", afterMs: 60_000 });
    bench.now = at;
    bench.tick();
    expect(bench.client.wakeAt, "it now waits for the connection").to.be.above(at);
  });
});
