// Sessions: the records of the bucket, and the requests of gateways, both halves of each codec.

import { expect } from "chai";
import { assert, constantFrom, nat, property } from "fast-check";
import { CLOSE } from "../close-codes.ts";
import type { ProcessId, UserId } from "../ids.ts";
import {
  addressPrefix,
  decodeSessionEvent,
  encodeSessionEvent,
  END_REASONS,
  endReasonOf,
  sessionKey,
} from "../session-records.ts";
import type { SessionEvent, SessionId } from "../session-records.ts";
import {
  decodeSessionAnswer,
  decodeSessionNotice,
  decodeSessionRequest,
  encodeSessionAnswer,
  encodeSessionNotice,
  encodeSessionRequest,
  SESSION_WRITES_MAX,
} from "../session-requests.ts";
import type { SessionAnswer, SessionRequest } from "../session-requests.ts";

const session = "01890000-0000-7000-8000-000000000001" as SessionId;
const gateway = "gw-00000000000a" as ProcessId;
const user = "zoë" as UserId;
const record = { user, session, gateway, since: 5 };

const events: readonly SessionEvent[] = [
  { t: "started", ...record, client: "a/1", device: "b", address: "::1", from: session },
  { t: "started", ...record, again: true },
  { t: "kept", ...record },
  ...END_REASONS.map((reason) => ({ t: "ended", ...record, at: 6, reason }) as const),
];

describe("Session records", () => {
  it("session-records.5: every event survives its codec, under its own key", () => {
    for (const event of events) {
      const key = sessionKey(event);
      expect(decodeSessionEvent(key, encodeSessionEvent(event))).to.deep.equal(event);
      expect(decodeSessionEvent(`x.${key}`, encodeSessionEvent(event))).to.equal(undefined);
    }
    expect(sessionKey(record)).to.equal(`em_Dqw.${session}.${gateway}`);
  });

  it("session-records.5: a broken event does not decode, and an unknown field changes nothing", () => {
    const good = { v: 1, t: "ended", ...record, at: 6, reason: "left" };
    const key = sessionKey(record);
    const decode = (more: object) => decodeSessionEvent(key, JSON.stringify({ ...good, ...more }));
    expect(decode({ later: 1 })).to.deep.equal(decode({}));
    for (const more of [
      { v: 2 },
      { t: "paused" },
      { at: -1 },
      { reason: "bored" },
      { since: "5" },
      { client: "x".repeat(65) },
      { device: "\u0000" },
      { from: "1" },
    ]) {
      expect(decode(more), JSON.stringify(more)).to.equal(undefined);
    }
  });

  it("session-records.3: each close by the server has a reason, and a close by the client is left", () => {
    expect(endReasonOf(undefined)).to.equal("left");
    expect(endReasonOf(CLOSE.sessionMoved)).to.equal("moved");
    expect(endReasonOf(CLOSE.tooManyBrokenFrames)).to.equal("closed");
    expect(addressPrefix("203.0.113.77")).to.equal("203.0.113.0/24");
    expect(addressPrefix("2001:db8:0:0::/64")).to.equal("2001:db8:0:0::/64");
  });
});

describe("Session requests", () => {
  const requests: readonly SessionRequest[] = [
    { op: "lease", gateway },
    { op: "leave", gateway },
    { op: "write", writes: events.map((event, n) => [n, event]) },
    { op: "list", user },
    { op: "end", user, session, reason: "moved" },
    { op: "end", user, reason: "ended" },
    { op: "revoke", user, by: "ops@host" },
  ];
  const answers: readonly SessionAnswer[] = [
    { ok: true, op: "lease", isNew: true },
    { ok: true, op: "leave" },
    { ok: true, op: "write", revisions: [1, 0] },
    { ok: true, op: "list", sessions: [record], more: 3 },
    { ok: true, op: "end", ended: 1, left: 2 },
    { ok: true, op: "revoke", at: 9 },
    { ok: false, error: "full" },
  ];

  it("session-requests.2: every request, answer and notice survives its codec", () => {
    for (const request of requests) {
      expect(decodeSessionRequest(encodeSessionRequest(request))).to.deep.equal(request);
    }
    for (const answer of answers) {
      expect(decodeSessionAnswer(encodeSessionAnswer(answer))).to.deep.equal(answer);
    }
    const notice = { user, sessions: [session], reason: "ended" } as const;
    expect(decodeSessionNotice(encodeSessionNotice(notice))).to.deep.equal(notice);
  });

  it("session-requests.2: a message with any part changed decodes to the same or to nothing", () => {
    const texts = [
      ...requests.map((one) => [encodeSessionRequest(one), decodeSessionRequest] as const),
      ...answers.map((one) => [encodeSessionAnswer(one), decodeSessionAnswer] as const),
    ];
    assert(
      property(
        constantFrom(...texts),
        nat(),
        constantFrom("", "0", '"', "{", "null", "é"),
        ([text, decode], place, inserted) => {
          const at = place % text.length;
          decode(text.slice(0, at) + inserted + text.slice(at + 1)); // It must not throw.
        },
      ),
      { numRuns: 500 },
    );
    const write = [0, events[0]];
    const many = Array.from({ length: SESSION_WRITES_MAX + 1 }, () => write);
    const encode = (writes: unknown) => JSON.stringify({ v: 1, op: "write", writes });
    expect(decodeSessionRequest(encode(many.slice(1)))).not.to.equal(undefined);
    for (const writes of [many, [[0]], [[-1, events[0]]], ["x"], 7]) {
      expect(decodeSessionRequest(encode(writes))).to.equal(undefined);
    }
    expect(decodeSessionAnswer('{"v":1,"ok":false,"error":"later"}')).to.deep.equal({
      ok: false,
      error: "unavailable",
    });
    for (const text of ["", "{}", '{"v":1,"ok":true,"op":"later"}', '{"v":2,"ok":false}']) {
      expect(decodeSessionAnswer(text), text).to.equal(undefined);
    }
    for (const text of ["", '{"v":1}', `{"v":1,"user":"a","sessions":[],"reason":"left"}`]) {
      expect(decodeSessionNotice(text), text).to.equal(undefined);
    }
  });
});
