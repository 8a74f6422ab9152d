// SessionServer and SessionReaper: requests about sessions, and the end of lost gateways.

import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { MemorySessionStore } from "#shared/adapters/session-store-memory.ts";
import { GATEWAY_LEASE_MS } from "#shared/ports/session-store.ts";
import type { RevokeOutcome } from "#shared/ports/revocation-store.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import {
  decodeSessionAnswer,
  decodeSessionNotice,
  encodeSessionRequest,
} from "#shared/protocol/session-requests.ts";
import type { SessionNotice, SessionRequest } from "#shared/protocol/session-requests.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { sessionRecord } from "#shared/testing/session-store.contract.ts";
import { REQUESTS_MAX, SessionServer } from "../adapters/session-server.ts";
import { SessionReaper } from "../runtime/session-reaper.ts";

const ADA = "ada lovelace" as UserId;
const { gateway } = sessionRecord(0);

function serve(revoke: RevokeOutcome = "stored") {
  const clock = new FakeClock();
  const broker = new MemoryBroker({ after: (delayMs, run) => clock.after(delayMs, run) });
  const store = new MemorySessionStore(clock);
  const revocations = { revoke: () => Promise.resolve(revoke) };
  const server = new SessionServer({ bus: broker.connect(), store, revocations, clock });
  server.start();
  const bus = broker.connect();
  const send = async (text: string) => {
    const outcome = await bus.request(subjects.sessions, text, { timeoutMs: 60_000 });
    return outcome.kind === "ok"
      ? decodeSessionAnswer(new TextDecoder().decode(outcome.data))
      : outcome;
  };
  const ask = (request: SessionRequest) => send(encodeSessionRequest(request));
  const notices: SessionNotice[] = [];
  bus.subscribe(subjects.sessionNotice(gateway), ({ data }) => {
    const notice = decodeSessionNotice(new TextDecoder().decode(data));
    if (notice !== undefined) notices.push(notice);
  });
  const advance = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      clock.advance(10);
      await new Promise(setImmediate);
    }
  };
  const start = (n: number, more: object = {}) =>
    store.write([[0, { t: "started", ...sessionRecord(n, more) }]]);
  return { clock, store, server, ask, send, notices, advance, start };
}

describe("SessionServer", () => {
  it("SL6: notices are repeated until the session has ended, and the answer counts it", async () => {
    const { clock, store, ask, notices, advance, start } = serve();
    await start(1);
    await start(2);
    const { session } = sessionRecord(1);
    const answer = ask({ op: "end", user: ADA, session, reason: "ended" });
    await advance(300);
    const at = clock.now();
    await store.write([[1, { t: "ended", ...sessionRecord(1), at, reason: "ended" }]]);
    await start(3);
    await advance(300);
    expect(await answer).to.deep.equal({ ok: true, op: "end", ended: 1, left: 0 });
    expect(notices.length).to.be.greaterThan(1);
    for (const notice of notices) {
      expect(notice).to.deep.equal({ user: ADA, sessions: [session], reason: "ended" });
    }
  });

  it("SL6: sessions whose gateway does not confirm the end are left", async () => {
    const { ask, notices, advance, start } = serve();
    await start(1);
    await start(2);
    const answer = ask({ op: "end", user: ADA, reason: "ended" });
    await advance(1_000);
    await start(3); // It begins behind the request.
    await advance(1_500);
    expect(await answer).to.deep.equal({ ok: true, op: "end", ended: 0, left: 2 });
    expect(notices.at(-1)?.sessions).to.have.length(2);
  });

  it("SL5: a session that begins in place of another one ends that one, of the same user alone", async () => {
    const { ask, notices, advance, start } = serve();
    await start(1);
    const { session: from } = sessionRecord(1);
    const eve = sessionRecord(2, { from, user: "eve" as UserId });
    await ask({ op: "write", writes: [[0, { t: "started", ...eve }]] });
    await advance(100);
    expect(notices).to.deep.equal([]);
    const moved = sessionRecord(3, { from });
    const written = await ask({ op: "write", writes: [[0, { t: "started", ...moved }]] });
    expect(written).to.deep.equal({ ok: true, op: "write", revisions: [3] });
    await advance(100);
    expect(notices[0]).to.deep.equal({ user: ADA, sessions: [from], reason: "moved" });
    await advance(3_000);
  });

  it("SL7, SL8: a revocation is stored or refused, and at most REQUESTS_MAX requests run", async () => {
    const { clock, ask, advance, start } = serve();
    expect(await ask({ op: "revoke", user: ADA, by: "root" })).to.deep.equal({
      ok: true,
      op: "revoke",
      at: clock.now(),
    });
    expect(await serve("full").ask({ op: "revoke", user: ADA, by: "root" })).to.deep.equal({
      ok: false,
      error: "full",
    });
    await start(1);
    const ends = Array.from({ length: REQUESTS_MAX }, () =>
      ask({ op: "end", user: ADA, reason: "ended" }),
    );
    await advance(10);
    expect(await ask({ op: "list", user: ADA })).to.deep.equal({ ok: false, error: "busy" });
    await advance(3_000);
    await Promise.all(ends);
  });

  it("N5: a request of another version or shape gets bad_request, and an absent store unavailable", async () => {
    const { send, ask, store, server } = serve();
    for (const text of ["", "{}", '{"v":2,"op":"list","user":"ada"}', '{"v":1,"op":"fly"}']) {
      expect(await send(text), text).to.deep.equal({ ok: false, error: "bad_request" });
    }
    store.isAway = true;
    for (const request of [
      { op: "list", user: ADA },
      { op: "lease", gateway },
      { op: "leave", gateway },
      { op: "end", user: ADA, reason: "ended" },
    ] as const) {
      expect(await ask(request)).to.deep.equal({ ok: false, error: "unavailable" });
    }
    expect(server.requests.get("refused")).to.equal(8);
  });
});

describe("SessionReaper", () => {
  function reap() {
    const bench = serve();
    const lost: unknown[] = [];
    const { clock, store } = bench;
    const reaper = new SessionReaper({ store, clock, onLost: (...args) => lost.push(args) });
    return { ...bench, reaper, lost };
  }

  it("SL3: the sessions of a gateway without a lease end within twelve seconds of its last renewal", async () => {
    const { store, advance, start, reaper, lost } = reap();
    reaper.start();
    await start(1);
    for (let n = 0; n < 5; n++) {
      await store.lease(gateway);
      await advance(3_000);
    }
    expect(lost).to.deep.equal([]);
    await store.lease(gateway);
    await advance(GATEWAY_LEASE_MS + 1_500);
    expect(lost).to.deep.equal([[gateway, 1]]);
    expect(store.events.at(-1)).to.deep.include({ t: "ended", reason: "gateway-lost" });
    await advance(5_000);
    expect([lost.length, reaper.ended]).to.deep.equal([1, 1]);
    reaper.stop();
  });

  it("SL3: a time in which the leases could not be read ends no session", async () => {
    const { store, advance, start, reaper, lost } = reap();
    await start(1);
    await store.lease(gateway);
    await advance(GATEWAY_LEASE_MS);
    reaper.start(); // No persistence process ran.
    await advance(3_000);
    await store.lease(gateway);
    await advance(8_000);
    store.isAway = true;
    await advance(20_000);
    store.isAway = false;
    await advance(8_000);
    expect(lost).to.deep.equal([]);
    await store.lease(gateway);
    await advance(8_000);
    expect(lost).to.deep.equal([]);
    await advance(4_000);
    expect(lost).to.have.length(1);
    reaper.stop();
  });
});
