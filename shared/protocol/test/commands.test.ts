// Commands: the rows of COMMANDS that lanes and owners use, and both halves of the batch.

import { expect } from "chai";
import * as fc from "fast-check";
import { decodeClientFrame } from "../client-frames.ts";
import { decodeCommandBatch, encodeCommand, encodeCommandBatch } from "../command-batch.ts";
import { encodeLate } from "../command-batch.ts";
import { behaviourOf, COMMANDS, isImport, isSync, isWrite, writeOf } from "../commands.ts";
import type { Command, ImportCommand, Query, SendCommand, Sync, Write } from "../commands.ts";
import { encodeEvent } from "../events.ts";
import type { MessageId, ProcessId, RoomId, UserId } from "../ids.ts";

const ROOM = "general" as RoomId;
const ADA = "ada" as UserId;
const ID = "0199d3c0-0000-7000-8000-000000000001" as MessageId;
const TRACE = `00-${"1".repeat(32)}-${"2".repeat(16)}-01`;

const SEND: SendCommand = { c: 1, op: "send", from: ADA, room: ROOM, id: ID, body: { text: "hi" } };
const WRITE = { from: ADA, room: ROOM, id: ID };
const CREATE: Write = { c: 7, op: "create", ...WRITE, kind: "closed", members: [{ user: ADA }] };
const MEMBER: Write = { c: 8, op: "member", ...WRITE, user: ADA, role: "none", reason: "moved" };
const UPDATE: Write = { c: 9, op: "update", ...WRITE, title: "Plans" };
const JOIN: Query = { c: 2, op: "join", room: ROOM, user: ADA };
const LEAVE: Query = { c: 3, op: "leave", room: ROOM, user: ADA };
const HEAD: Query = { c: 4, op: "head", room: ROOM };
const ABOUT: Query = { c: 10, op: "about", room: ROOM, user: ADA };
const INVITES: Query = { c: 12, op: "invites", room: ROOM, user: ADA };
const MEMBERS: Query = { c: 11, op: "members", room: ROOM, user: ADA, limit: 5 };
const RANGE: Query = { c: 5, op: "range", room: ROOM, first: 1, last: 9 };
const SYNC: Sync = { c: 6, op: "sync", rooms: [[ROOM, 3, [ADA]]] };
const CHANGE = { ...WRITE, target: 3 };
const EDIT: Write = { c: 12, op: "edit", ...CHANGE, body: { text: "hello" } };
const DELETE: Write = { c: 13, op: "delete", ...CHANGE, reason: "typo" };
const REACT: Write = { c: 14, op: "react", ...CHANGE, emoji: ":ok:", on: true };
const PIN: Write = { c: 15, op: "pin", ...CHANGE, on: false };
const CHANGES = [EDIT, DELETE, REACT, PIN];
const INVITE: Write = { c: 16, op: "invite", ...WRITE, hash: "h".repeat(43) };
const REVOKE: Write = { c: 17, op: "revoke", ...WRITE, invite: ID };
const ENTER: Write = { c: 18, op: "enter", ...WRITE, invite: ID, hash: "h".repeat(43) };
const WRITES = [SEND, ...CHANGES, CREATE, MEMBER, UPDATE, INVITE, REVOKE, ENTER];
const QUERIES = [JOIN, LEAVE, HEAD, ABOUT, MEMBERS, INVITES, RANGE];
const EVENTS = [{ t: "msg", room: ROOM, seq: 1, id: ID, from: ADA, at: 1, body: {} }] as const;
const IMPORT: ImportCommand = {
  c: 29,
  op: "import",
  room: ROOM,
  user: ADA,
  grant: "admin",
  born: ID,
  events: EVENTS,
};
const ALL: readonly Command[] = [...WRITES, ...QUERIES, SYNC, IMPORT];

describe("Commands", () => {
  it("commands.5: has a row for every op, and one kind for each", () => {
    expect(Object.keys(COMMANDS)).to.deep.equal(ALL.map(({ op }) => op));
    expect(ALL.filter(isWrite)).to.deep.equal(WRITES);
    expect(ALL.filter(isSync)).to.deep.equal([SYNC]);
    expect(ALL.filter(isImport)).to.deep.equal([IMPORT]);
  });

  it("O4: keeps the order of the writes of one sender in one room, and of nothing else", () => {
    const orders = ALL.map((command) => behaviourOf(command).order(command));
    const expected = [...WRITES.map(() => "general ada"), ...QUERIES.map(() => ""), "", ""];
    expect(orders).to.deep.equal(expected);
  });

  it("O4: a write over HTTP has no order", () => {
    for (const write of WRITES) {
      const unordered = { ...write, unordered: true } as const;
      expect(behaviourOf(unordered).order(unordered)).to.equal("");
      expect(behaviourOf(unordered).hold.empty(unordered)).to.include({ unordered: true });
    }
  });

  it("names the user on whose behalf a command runs", () => {
    const users = ALL.map((command) => behaviourOf(command).user(command));
    const queries = [ADA, ADA, undefined, ADA, ADA, ADA, undefined];
    expect(users).to.deep.equal([...WRITES.map(() => ADA), ...queries, undefined, ADA]);
  });

  it("C1: a change names its target, and a send the root of its thread", () => {
    const targets = WRITES.map((write) => behaviourOf(write).target(write));
    expect(targets).to.deep.equal([undefined, 3, 3, 3, 3, ...Array(6)]);
    expect(behaviourOf(SEND).target({ ...SEND, thread: 7 })).to.equal(7);
    const { hold } = behaviourOf(EDIT);
    expect(hold.empty(EDIT)).to.deep.equal({ ...EDIT, body: {} });
    for (const write of CHANGES) {
      expect(Object.keys(behaviourOf(write).hold.content(write)).length).to.be.at.most(1);
    }
  });

  it("O4: a write that waits for its refusal has no content", () => {
    const { hold } = behaviourOf(SEND);
    expect(hold.content(SEND)).to.equal(SEND.body);
    expect(hold.empty(SEND)).to.deep.equal({ ...SEND, body: {} });
  });

  it("O4: a change of a room that waits for its refusal has no texts", () => {
    const textsOf = (write: Write): object => behaviourOf(write).hold.empty(write);
    expect(textsOf(UPDATE)).to.deep.equal({ c: 9, op: "update", ...WRITE });
    expect(textsOf(MEMBER)).not.to.have.property("reason");
    expect(textsOf(CREATE)).not.to.have.property("members");
    expect(behaviourOf(CREATE).hold.content(CREATE)).to.deep.include({ members: [{ user: ADA }] });
  });

  it("M2: an update keeps what it does not name, and an empty text removes a value", () => {
    const before = { kind: "closed", title: "Old", topic: "T", sendRole: "owner" } as const;
    const settings = (update: Write): object => {
      const [event] = behaviourOf(update).events(update, { seq: 2, at: 3 }, before);
      const { t: _t, room: _r, seq: _s, id: _i, from: _f, at: _a, ...rest } = event!;
      return JSON.parse(JSON.stringify(rest)) as object;
    };
    expect(settings(UPDATE)).to.deep.equal({ ...before, title: "Plans" });
    const cleared = { ...UPDATE, title: undefined, topic: "", archived: true } as Write;
    const { topic: _topic, ...kept } = before;
    expect(settings(cleared)).to.deep.equal({ ...kept, archived: true });
  });

  it("a send becomes a message, and refers to the event that it replies to", () => {
    const { events, refersTo } = behaviourOf(SEND);
    const lineOf = (write: typeof SEND): string =>
      events(write, { seq: 7, at: 9 }, { kind: "open" }).map(encodeEvent).join();
    const reply = { ...SEND, replyTo: 4 };
    expect(refersTo(SEND)).to.equal(undefined);
    expect(refersTo(reply)).to.equal(4);
    const head = `{"t":"msg","room":"general","seq":7,"id":"${ID}","from":"ada","at":9`;
    expect(lineOf(SEND)).to.equal(`${head},"body":{"text":"hi"}}`);
    expect(lineOf(reply)).to.equal(`${head},"body":{"text":"hi"},"replyTo":4}`);
  });

  it("E3: a write carries the frame's content and the gateway's trace context", () => {
    const frame = { t: "send", room: ROOM, id: ID, body: {}, replyTo: 3, trace: "theirs" } as const;
    const content = { op: "send", from: ADA, room: ROOM, id: ID, body: {}, replyTo: 3 };
    const hashOf = (): string => "never";
    const traced = (trace?: string): object => writeOf(frame, { user: ADA }, { trace, hashOf });
    expect(traced()).to.deep.equal(content);
    expect(traced(TRACE)).to.deep.equal({ ...content, trace: TRACE });
  });

  it("O4: no frame of a client gives its write the mark of a write over HTTP", () => {
    const text = JSON.stringify({ t: "send", room: ROOM, id: ID, body: {}, unordered: true });
    const decoded = decodeClientFrame(text);
    expect(decoded).to.deep.include({ kind: "frame" });
    expect(JSON.stringify(decoded)).not.to.include("unordered");
  });

  it("commands.6, M11: a command has the hash of a secret in its place", () => {
    const hashOf = (secret: string): string => `hash of ${secret}`;
    const [head, secret] = [{ room: ROOM, id: ID }, "s".repeat(22)];
    for (const frame of [
      { t: "invite", ...head, uses: 2, secret },
      { t: "enter", ...head, invite: ID, secret },
    ] as const) {
      const { t: op, secret: _secret, ...content } = frame;
      const expected = { op, from: ADA, ...content, hash: `hash of ${secret}` };
      const write = writeOf(frame, { user: ADA }, { trace: undefined, hashOf });
      expect(write).to.deep.equal(expected);
    }
  });
});

describe("Command batches", () => {
  const GATEWAY = { gw: "gw-a1" as ProcessId, lane: 3, n: 2 };
  const batchOf = (...texts: string[]): string => encodeCommandBatch(GATEWAY, texts);

  it("command-batch.1: decodes the batch that was encoded, with commands of every op", () => {
    const text = batchOf(...ALL.map(encodeCommand));
    expect(decodeCommandBatch(text)).to.deep.equal({ v: 1, ...GATEWAY, commands: ALL });
  });

  it("command-batch.1: decodes a late write", () => {
    const [late] = decodeCommandBatch(batchOf(encodeLate(encodeCommand(SEND))))?.commands ?? [];
    expect(late).to.deep.equal({ ...SEND, late: true });
  });

  it("N6, command-batch.1: decodes a write over HTTP, and one of an older gateway without the mark", () => {
    const unordered = { ...SEND, unordered: true } as const;
    const text = batchOf(encodeCommand(unordered), encodeCommand(SEND));
    expect(decodeCommandBatch(text)?.commands).to.deep.equal([unordered, SEND]);
  });

  it("N5: refuses a batch with one malformed command as a whole", () => {
    const broken: object[] = [
      { ...SEND, op: 1 },
      { ...SEND, op: "later", c: 0 },
      { ...SEND, c: 0 },
      { ...SEND, from: "" },
      { ...SEND, id: "1" },
      { ...SEND, body: "hi" },
      { ...SEND, replyTo: 0 },
      { ...SEND, late: false },
      { ...SEND, unordered: false },
      { ...SEND, thread: 0 },
      { ...SEND, mentions: "@here" },
      { ...SEND, mentions: [""] },
      { ...SEND, mentions: Array.from({ length: 51 }, (_, i) => `user-${i}`) },
      { ...SEND, op: "edit" },
      { ...SEND, op: "edit", target: 3, body: "hi" },
      { ...SEND, op: "edit", target: 3, mentions: [3] },
      { ...SEND, op: "delete", target: 3, reason: 7 },
      { ...SEND, op: "react", target: 3, emoji: "text", on: true },
      { ...SEND, op: "react", target: 3, emoji: ":ok:" },
      { ...SEND, op: "pin", target: 1.5, on: true },
      { ...SEND, trace: "x".repeat(129) },
      { ...JOIN, user: 1 },
      { ...HEAD, room: "a b" },
      { ...RANGE, first: 0 },
      { ...SYNC, rooms: [[ROOM, 3]] },
    ];
    for (const command of broken) {
      const text = batchOf(encodeCommand(JOIN), JSON.stringify(command));
      expect(decodeCommandBatch(text), text).to.equal(undefined);
    }
  });

  it("N6: a text has its length in characters, as the API description counts them", () => {
    const reason = "😀".repeat(256);
    const command = { ...DELETE, reason };
    const batch = decodeCommandBatch(batchOf(JSON.stringify(command)));
    expect(batch?.commands[0]).to.have.property("reason", reason);
    const longer = JSON.stringify({ ...DELETE, reason: `${reason}.` });
    expect(decodeCommandBatch(batchOf(longer))).to.equal(undefined);
  });

  it("N6: keeps the numbers of commands with an unknown op, apart from the others", () => {
    const unknown = ["later", "toString", ""].map((op, i) =>
      JSON.stringify({ ...SEND, op, c: 7 + i, body: { of: "another shape" } }),
    );
    const batch = decodeCommandBatch(batchOf(encodeCommand(JOIN), ...unknown));
    expect(batch?.commands).to.deep.equal([JOIN]);
    expect(batch?.unknown).to.deep.equal([7, 8, 9]);
    // The field is not one of the wire.
    const forged = batchOf(encodeCommand(JOIN)).replace("{", '{"unknown":[1,"2"],');
    expect(decodeCommandBatch(forged)).to.not.have.property("unknown");
  });

  it("command-batch.2: no text makes the decoder throw", () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.json());
    fc.assert(fc.property(text, (text) => void decodeCommandBatch(text)));
  });
});
