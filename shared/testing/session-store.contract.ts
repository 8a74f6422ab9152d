// The contract suite of the port SessionStore (shared/ports/session-store.ts).

import { expect } from "chai";
import type { SessionStore, Stored } from "../ports/session-store.ts";
import type { ProcessId, UserId } from "../protocol/ids.ts";
import type { SessionEvent, SessionId, SessionRecord } from "../protocol/session-records.ts";

export const CONTRACT_GATEWAY_LEASE_MS = 1_000;

const AT = 1_800_000_000_000;
const [gateway, other] = ["gw-00000000000a", "gw-00000000000b"] as [ProcessId, ProcessId];
const ada = "ada lovelace" as UserId;
const bob = "böb" as UserId;

export interface SessionStoreUnderTest extends AsyncDisposable {
  /** A client of the same store, whose leases last CONTRACT_GATEWAY_LEASE_MS. */
  connect(): SessionStore;
  /** Resolves when every lease that is held now has ended. */
  expire(): Promise<void>;
  /** All events that are stored, in order. */
  events(): Promise<readonly SessionEvent[]>;
  /** Stops the store permanently. */
  stop(): Promise<void>;
}

export function sessionRecord(n: number, more: Partial<SessionRecord> = {}): SessionRecord {
  const session = `01890000-0000-7000-8000-${String(n).padStart(12, "0")}` as SessionId;
  return { user: ada, session, gateway, since: AT + n, ...more };
}

const started = (record: SessionRecord): SessionEvent => ({ t: "started", ...record });
const kept = (record: SessionRecord): SessionEvent => ({ t: "kept", ...record });
const left = (record: SessionRecord): SessionEvent => ({
  t: "ended",
  ...record,
  at: AT + 1_000,
  reason: "left",
});

export function sessionStoreContract(
  name: string,
  open: () => Promise<SessionStoreUnderTest>,
): void {
  describe(`SessionStore contract: ${name}`, () => {
    it("session-store.1: a gateway is lost when its lease has ended without a renewal, and not after it left", async () => {
      await using under = await open();
      const store = under.connect();
      await store.lease(gateway);
      await store.lease(other);
      expect(valueOf(await store.lost())).to.deep.equal([]);
      await under.expire();
      await store.lease(other);
      expect(valueOf(await store.lost())).to.deep.equal([gateway]);
      await store.leave(gateway);
      await store.leave(other);
      await under.expire();
      expect(valueOf(await under.connect().lost())).to.deep.equal([]);
    });

    it("session-store.2: a lease is new once, again after the gateway was declared lost, and after it left", async () => {
      await using under = await open();
      const store = under.connect();
      expect(valueOf(await store.lease(gateway)).isNew).to.equal(true);
      expect(valueOf(await under.connect().lease(gateway)).isNew).to.equal(false);
      await under.expire();
      expect(valueOf(await store.lease(gateway)).isNew, "it expired only").to.equal(false);
      await under.expire();
      await store.endLost(gateway, AT);
      expect(valueOf(await store.lease(gateway)).isNew, "it was lost").to.equal(true);
      await store.leave(gateway);
      expect(valueOf(await store.lease(gateway)).isNew, "it left").to.equal(true);
    });

    it("session-store.3: each session starts once and ends once, however many processes write it", async () => {
      await using under = await open();
      const store = under.connect();
      const records = [1, 2, 3].map((n) => sessionRecord(n));
      const first = await store.write(records.map((record) => [0, started(record)]));
      expect(first.every((revision) => revision > 0)).to.equal(true);
      expect(await under.connect().write([[0, started(sessionRecord(2))]])).to.deep.equal([
        first[1],
      ]);
      const again = await store.write(records.map((record) => [0, started(record)]));
      expect(again).to.deep.equal(first);
      const ends = await Promise.all(
        [1, 2, 3, 4].map(() =>
          under.connect().write(records.map((record, n) => [first[n] ?? 0, left(record)])),
        ),
      );
      // A loser of the race may have to ask again.
      const last = await store.write(records.map((record, n) => [first[n] ?? 0, left(record)]));
      for (const revisions of ends) {
        for (const [n, revision] of revisions.entries()) expect(revision).to.be.oneOf([0, last[n]]);
      }
      const events = await under.events();
      expect(events).to.have.deep.members([...records.map(started), ...records.map(left)]);
      expect(events.slice(0, 3).map(({ t }) => t)).to.deep.equal(["started", "started", "started"]);
      expect(valueOf(await store.list(ada))).to.deep.equal({ sessions: [], more: 0 });
    });

    it("session-store.3: the list of a user has the live sessions, the oldest first, with all they say", async () => {
      await using under = await open();
      const store = under.connect();
      const more = { client: "parley/1", device: "phone", address: "192.0.2.0/24" };
      const records = [
        sessionRecord(2, { ...more, from: sessionRecord(9).session }),
        sessionRecord(1, { gateway: other }),
        sessionRecord(3, { user: bob }),
      ];
      await store.write(records.map((record) => [0, started(record)]));
      expect(valueOf(await store.list(ada)).sessions).to.deep.equal([records[1], records[0]]);
      expect(valueOf(await store.list(bob)).sessions).to.deep.equal([records[2]]);
      expect(valueOf(await store.list("eve" as UserId)).sessions).to.deep.equal([]);
    });

    it("session-store.4: a session that is announced again goes on, and one that ended does not", async () => {
      await using under = await open();
      const store = under.connect();
      const [record, lost] = [sessionRecord(1), sessionRecord(2)] as const;
      const [revision = 0] = await store.write([[0, started(record)]]);
      const [renewed = 0] = await store.write([[revision, kept(record)]]);
      expect(renewed).to.be.greaterThan(revision);
      await store.write([[renewed, left(record)]]);
      await store.write([[renewed, kept(record)]]);
      await store.write([[0, started(record)]]);
      await store.write([[0, kept(lost)]]);
      await store.write([[0, { ...left(lost), t: "ended", at: AT, reason: "gateway-lost" }]]);
      await store.write([[0, kept(lost)]]);
      const [unknown] = await store.write([[7, left(sessionRecord(3))]]);
      expect(unknown).to.be.greaterThan(0);
      expect((await under.events()).map((event) => [event.t, "again" in event])).to.deep.equal([
        ["started", false],
        ["kept", false],
        ["ended", false],
        ["started", false],
        ["ended", false],
        ["started", true],
      ]);
      expect(valueOf(await store.list(ada)).sessions).to.deep.equal([lost]);
    });

    it("session-store.5: several processes end the sessions of a lost gateway once each, and no others", async () => {
      await using under = await open();
      const store = under.connect();
      const records = Array.from({ length: 600 }, (_, n) => sessionRecord(n));
      const stays = sessionRecord(5_000, { gateway: other });
      await store.lease(gateway);
      for (let n = 0; n < records.length; n += 300) {
        await store.write(records.slice(n, n + 300).map((record) => [0, started(record)]));
      }
      await store.write([[0, started(stays)]]);
      expect(valueOf(await store.endLost(gateway, AT)), "the lease is held").to.equal(0);
      await under.expire();
      await store.lease(other);
      await Promise.all([1, 2, 3].map(() => under.connect().endLost(gateway, AT)));
      await store.endLost(gateway, AT);
      expect(valueOf(await store.lost())).not.to.include(gateway);
      const ended = (await under.events()).filter((event) => event.t === "ended");
      expect(new Set(ended.map(({ session }) => session)).size).to.equal(records.length);
      expect(ended).to.have.length(records.length);
      for (const event of ended) expect(event).to.deep.include({ reason: "gateway-lost", at: AT });
      expect(valueOf(await store.list(ada)).sessions).to.deep.equal([stays]);
    });

    it("session-store.5: the sessions of a gateway that returned are live behind it, whenever it returned", async () => {
      await using under = await open();
      const [back, reaper] = [under.connect(), under.connect()];
      const records = Array.from({ length: 40 }, (_, n) => sessionRecord(n));
      await back.lease(gateway);
      const first = await back.write(records.map((record) => [0, started(record)]));
      await under.expire();
      const ending = reaper.endLost(gateway, AT);
      const { isNew } = valueOf(await back.lease(gateway));
      if (isNew) await announce();
      await ending;
      // The next renewal shows it to a gateway that was declared lost behind the last one.
      if (valueOf(await back.lease(gateway)).isNew) await announce();
      expect(valueOf(await back.list(ada)).sessions).to.have.length(records.length);

      async function announce(): Promise<void> {
        let open = records.map((record, n) => [first[n] ?? 0, kept(record)] as const);
        while (open.length > 0) {
          const revisions = await back.write(open);
          open = open.filter((_, n) => revisions[n] === 0);
        }
      }
    });

    it("session-store.6: reports that the store is away, and rejects nothing", async () => {
      await using under = await open();
      const store = under.connect();
      await store.lease(gateway);
      await under.stop();
      expect((await store.lease(gateway)).kind).to.equal("unavailable");
      expect((await store.list(ada)).kind).to.equal("unavailable");
      expect((await store.lost()).kind).to.equal("unavailable");
      expect((await store.endLost(gateway, AT)).kind).to.equal("unavailable");
      expect(await store.write([[0, started(sessionRecord(1))]])).to.deep.equal([0]);
    });
  });
}

function valueOf<T>(stored: Stored<T>): T {
  if (stored.kind === "unavailable") throw new Error(stored.reason);
  return stored.value;
}
