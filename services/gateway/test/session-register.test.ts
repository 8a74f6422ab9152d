// SessionRegister: what is written of the sessions of a gateway, and when.

import { expect } from "chai";
import type { ProcessId, UserId } from "#shared/protocol/ids.ts";
import { SESSION_TEXT_LENGTH_MAX } from "#shared/protocol/session-records.ts";
import type { EndReason, SessionId } from "#shared/protocol/session-records.ts";
import { SESSION_WRITES_MAX } from "#shared/protocol/session-requests.ts";
import type { SessionWrite } from "#shared/protocol/session-requests.ts";
import { SESSION_ENDS_MAX } from "../core/bounds.ts";
import { namesOf, openedSession, SessionRegister } from "../core/session-register.ts";
import type { OpenedSession, SessionEntry } from "../core/session-register.ts";

const gateway = "gw-1" as ProcessId;
const ada = "ada" as UserId;

function id(n: number): SessionId {
  return `01890000-0000-7000-8000-${String(n).padStart(12, "0")}` as SessionId;
}

interface Bench {
  readonly register: SessionRegister;
  readonly entries: readonly SessionEntry[];
  readonly end: (n: number, reason?: EndReason) => void;
  readonly keep: () => void;
}

const opened = (n: number): OpenedSession => ({ user: ada, session: id(n), since: n });

/** A register with the sessions 1 to `count`. */
function registerWith(count: number): Bench {
  const register = new SessionRegister(gateway);
  const entries = Array.from({ length: count + 1 }, () => ({ revision: 0, names: undefined }));
  const entryOf = (n: number): SessionEntry => entries[n] as SessionEntry;
  for (let n = 1; n <= count; n++) register.open(entryOf(n), opened(n));
  return {
    register,
    entries,
    end: (n, reason = "left") => register.end(entryOf(n), opened(n), { at: 9, reason }),
    keep: () => entries.slice(1).forEach((entry, n) => register.keep(entry, opened(n + 1))),
  };
}

/** [event, session, revision] of each write. */
function shown(writes: readonly SessionWrite[] | undefined): readonly unknown[] | undefined {
  return writes?.map(([revision, event]) => [event.t, Number(event.session.slice(-6)), revision]);
}

describe("SessionRegister", () => {
  it("session-register.1: a session is written at its start and at its end, and one batch is in flight", () => {
    const { register, end, entries } = registerWith(2);
    const first = register.take();
    expect(first?.[0]).to.deep.equal([0, { t: "started", ...opened(1), gateway }]);
    end(1);
    expect([register.take(), register.isSettled]).to.deep.equal([undefined, false]);
    register.settle([11, 12]);
    expect(entries[2]).to.deep.include({ revision: 12 });
    const ended = { t: "ended", ...opened(1), gateway, at: 9, reason: "left" };
    expect(register.take()).to.deep.equal([[11, ended]]);
    register.settle([13]);
    expect([register.take(), register.isSettled, register.waiting]).to.deep.equal([
      undefined,
      true,
      0,
    ]);
  });

  it("session-register.1: what is in flight and what is due wait for the store, until both are stored", () => {
    const { register, end } = registerWith(3);
    const seen: unknown[] = [];
    const look = () => void seen.push([register.hasDue, register.isSettled, register.waiting]);
    look();
    register.take();
    look();
    end(1);
    look();
    register.settle([11, 12, 13]);
    look();
    register.take();
    register.settle([14]);
    look();
    expect(seen).to.deep.equal([
      [true, false, 3],
      [false, false, 3],
      [true, false, 4],
      [true, false, 1],
      [false, true, 0],
    ]);
  });

  it("session-register.1: a session that ends before its start is written gets both, the start first", () => {
    const { register, end } = registerWith(1);
    end(1);
    expect(shown(register.take())).to.deep.equal([["started", 1, 0]]);
    register.settle([5]);
    expect(shown(register.take())).to.deep.equal([["ended", 1, 5]]);
    register.settle([6]);
    expect(register.isSettled).to.equal(true);
  });

  it("session-register.2: what got no revision is written again, and no more", () => {
    const { register, end } = registerWith(3);
    register.take();
    register.settle([7, 0, 8]);
    expect(shown(register.take())).to.deep.equal([["started", 2, 0]]);
    end(2);
    register.settle(undefined);
    expect(shown(register.take())).to.deep.equal([["started", 2, 0]]);
    register.settle([9]);
    expect(shown(register.take())).to.deep.equal([["ended", 2, 9]]);
    register.settle(undefined);
    expect(shown(register.take())).to.deep.equal([["ended", 2, 9]]);
    register.settle([10]);
    expect(register.take()).to.equal(undefined);
  });

  it("session-register.3: stored sessions are announced again, others once", () => {
    const { register, keep } = registerWith(2);
    register.take();
    register.settle([1, 0]);
    keep();
    keep();
    expect(shown(register.take())).to.deep.equal([
      ["started", 2, 0],
      ["kept", 1, 1],
    ]);
    keep(); // In flight: the announcement may come too late for it.
    register.settle([2, 3]);
    expect(shown(register.take())).to.deep.equal([["kept", 1, 3]]);
    register.settle([4]);
    expect(register.isSettled).to.equal(true);
  });

  it("session-register.4, session-register.5: a batch has a bound, and so have the ends that wait", () => {
    const { register, end } = registerWith(SESSION_ENDS_MAX + 1);
    expect(register.take()).to.have.length(SESSION_WRITES_MAX);
    register.settle(undefined);
    for (let n = 1; n <= SESSION_ENDS_MAX + 1; n++) end(n);
    expect([register.dropped, register.waiting]).to.deep.equal([1, SESSION_ENDS_MAX]);
  });

  it("session-register.4: an end that is dropped takes a start with it that no batch has", () => {
    const { register, end } = registerWith(SESSION_ENDS_MAX + 1);
    for (let n = 1; n <= SESSION_ENDS_MAX; n++) end(n);
    expect(register.waiting).to.equal(SESSION_ENDS_MAX + 1);
    end(SESSION_ENDS_MAX + 1);
    expect([register.dropped, register.waiting]).to.deep.equal([1, SESSION_ENDS_MAX]);
  });

  it("session-register.4: an end that is stored leaves its place to the next one, and a start does not", () => {
    const { register, end, entries } = registerWith(SESSION_ENDS_MAX + 2);
    for (let n = 1; n <= SESSION_ENDS_MAX; n++) end(n);
    register.take();
    register.settle(Array.from({ length: SESSION_WRITES_MAX }, (_, n) => n + 1));
    end(SESSION_ENDS_MAX + 1);
    expect(register.dropped).to.equal(1);
    while (!register.isSettled) register.settle(register.take()?.map((_, n) => n + 1));
    expect(register.hasDue).to.equal(false);
    register.open(entries[1]!, opened(1));
    expect(register.hasDue).to.equal(true);
    end(1);
    expect(register.dropped).to.equal(1);
  });
});

describe("The names of a session", () => {
  const hello = { t: "hello", token: "t" } as const;

  it("session-register.1: a hello names its client, its device and the session before it", () => {
    const named = { client: "web", device: "phone", session: id(7) };
    expect(namesOf({ ...hello, ...named })).to.deep.equal({
      client: "web",
      device: "phone",
      from: id(7),
    });
    expect(namesOf({ ...hello, device: "phone" })).to.deep.equal({ device: "phone" });
  });

  it("session-register.1: a name that no store can keep is ignored, and without any there is none", () => {
    const longest = "x".repeat(SESSION_TEXT_LENGTH_MAX);
    expect(namesOf({ ...hello, client: longest })).to.deep.equal({ client: longest });
    for (const bad of [`${longest}x`, "a\u0000", "\ud800"]) {
      expect(namesOf({ ...hello, client: bad, device: bad })).to.equal(undefined);
    }
    expect(namesOf({ ...hello, session: "yesterday" })).to.equal(undefined);
    expect(namesOf(hello)).to.equal(undefined);
  });

  it("session-register.1: a session has begun at the time of its id, from a part of its address", () => {
    const names = { device: "phone" };
    expect(openedSession(id(7), { user: ada, address: "192.0.2.77", names })).to.deep.equal({
      user: ada,
      session: id(7),
      since: 0x0189_0000_0000,
      address: "192.0.2.0/24",
      device: "phone",
    });
  });
});
