// Archive contract, second part: the settings and the stored members of rooms (archive.7).

import { expect } from "chai";
import { cutMembers, SNAPSHOT_MEMBERS_MAX } from "../kit/archived-members.ts";
import type { ArchiveEvent } from "../ports/archive.ts";
import { decodeEvent, encodeEvent } from "../protocol/events.ts";
import type { RoomEvent } from "../protocol/events.ts";
import type { StoredMember } from "../protocol/history.ts";
import type { Seq, UserId } from "../protocol/ids.ts";
import { dev, event, events, general, idOf, valueOf } from "./archive.contract.ts";
import type { ArchiveUnderTest } from "./archive.contract.ts";

const T0 = 1_795_500_000_000;
const ada = "ada" as UserId;
const mallory = "mallory" as UserId;

type StateDraft = { readonly t: "room" | "member" | "invite"; readonly [key: string]: unknown };

/** A `room` or `member` event. */
function change(seq: Seq, draft: StateDraft, sender = ada): ArchiveEvent {
  const { t, ...rest } = draft;
  const head = { t, room: general, seq, id: idOf(seq), from: sender, at: T0 + seq };
  const line = encodeEvent({ ...head, ...rest } as unknown as RoomEvent);
  return { room: general, seq, kind: t, id: idOf(seq), sender, at: T0 + seq, line };
}

export function archiveStatesContract(name: string, open: () => Promise<ArchiveUnderTest>): void {
  describe(`Archive contract, states of rooms: ${name}`, () => describeStates(open));
}

function describeStates(open: () => Promise<ArchiveUnderTest>): void {
  it("M5: a snapshot has the settings and the stored members at its head, and a batch that is written twice changes nothing", async () => {
    await using archive = await open();
    const { store, other } = archive;
    const stateNow = async (): Promise<unknown> =>
      valueOf(await other.snapshot(3, general, 0)).state;
    await store.write({ p: 3, from: 0, to: 1, epoch: 1, events: events(dev, 1, 1) });
    expect(valueOf(await store.snapshot(3, dev, 0)).state).to.equal(undefined);
    expect(await stateNow()).to.equal(undefined);
    const created = [
      change(1, { t: "room", kind: "closed", title: "Plans" }),
      change(2, { t: "member", user: ada, role: "owner" }),
      change(3, { t: "member", user: mallory, role: "reader", mutedUntil: T0 + 99 }),
    ];
    await store.write({ p: 3, from: 1, to: 2, epoch: 1, events: created });
    expect(await stateNow()).to.deep.equal({
      settings: { kind: "closed", title: "Plans" },
      members: [
        [ada, "owner", 0, false],
        [mallory, "reader", T0 + 99, false],
      ],
    });
    const changed = [
      event(general, 4),
      change(5, { t: "member", user: mallory, role: "member" }),
      change(6, { t: "member", user: mallory, role: "none", banned: true }),
      change(7, { t: "member", user: "eve", role: "none" }),
      change(8, { t: "room", kind: "closed", topic: "Next", sendRole: "owner", archived: true }),
    ];
    await store.write({ p: 3, from: 2, to: 3, epoch: 1, events: changed });
    const expected = {
      settings: { kind: "closed", topic: "Next", sendRole: "owner", archived: true },
      members: [
        [ada, "owner", 0, false],
        [mallory, "none", 0, true],
      ],
    };
    expect(await stateNow()).to.deep.equal(expected);
    // archive.2: a log that was lost and restored can bring old events again.
    await store.write({ p: 3, from: 3, to: 4, epoch: 1, events: created });
    expect(await stateNow()).to.deep.equal(expected);
    expect(valueOf(await store.snapshot(3, general, 0)).head).to.equal(8);
  });

  it("M11: a snapshot has the invites in force with their uses, and a batch that is written twice changes nothing", async () => {
    await using archive = await open();
    const { store, other } = archive;
    const hash = "h".repeat(43);
    const invite = (seq: Seq, more: object): ArchiveEvent =>
      change(seq, { t: "invite", invite: idOf(seq), ...more });
    const terms = { hash, role: "reader", until: T0 + 99_999, uses: 2 };
    const use = (seq: Seq, of: Seq, n: number, user = `guest-${seq}`): ArchiveEvent =>
      change(seq, { t: "member", user, role: "reader", invite: idOf(of), use: n }, user as UserId);
    const revoke = (seq: Seq, of: Seq): ArchiveEvent =>
      invite(seq, { invite: idOf(of), revoked: true });
    const invites = async (): Promise<unknown> =>
      valueOf(await other.snapshot(3, general, 0)).state?.invites;
    const first = [
      change(1, { t: "room", kind: "closed" }),
      invite(2, terms),
      invite(3, { ...terms, until: T0 + 5 }),
      use(4, 2, 1),
      invite(5, terms),
    ];
    await store.write({ p: 3, from: 0, to: 1, epoch: 1, events: first });
    const stored = (of: Seq, used: number) => [idOf(of), hash, "reader", T0 + 99_999, 2, used];
    expect(await invites()).to.deep.equal([stored(2, 1), stored(5, 0)]);
    const second = [use(6, 5, 1), revoke(7, 5), invite(8, terms), use(9, 8, 1), use(10, 8, 2)];
    await store.write({ p: 3, from: 1, to: 2, epoch: 1, events: second });
    expect(await invites()).to.deep.equal([stored(2, 1)]);
    await store.write({ p: 3, from: 2, to: 3, epoch: 1, events: [...first, ...second] });
    expect(await invites()).to.deep.equal([stored(2, 1)]);
    await store.write({ p: 3, from: 3, to: 4, epoch: 1, events: [use(11, 2, 2)] });
    expect(await invites()).to.equal(undefined);
    expect(valueOf(await store.snapshot(3, general, 0)).state?.members).to.have.length(5);
  });

  it("M10: a snapshot of a room with slow mode has the last message of each sender who can have to wait", async () => {
    await using archive = await open();
    const { store } = archive;
    const by = (seq: Seq, from: UserId, at = T0 + seq): ArchiveEvent => ({
      ...event(general, seq, { from }),
      at,
    });
    const senders = async (): Promise<unknown> =>
      valueOf(await store.snapshot(3, general, 0)).senders;
    const before = [change(1, { t: "room", kind: "open" }), by(2, mallory)];
    await store.write({ p: 3, from: 0, to: 1, epoch: 1, events: before });
    expect(await senders()).to.equal(undefined);
    const slow = { t: "room", kind: "open", slowMode: 5, slowFrom: 3 } as const;
    const events = [
      change(3, slow),
      by(4, ada),
      by(5, mallory),
      by(6, ada),
      change(7, { t: "member", user: "eve", role: "member" }, "eve" as UserId),
      change(8, { ...slow, topic: "Next" }),
    ];
    await store.write({ p: 3, from: 1, to: 2, epoch: 1, events });
    expect(await senders()).to.deep.equal([
      [mallory, T0 + 5, 5],
      [ada, T0 + 6, 6],
    ]);
    // Five seconds later only a newer one counts.
    await store.write({ p: 3, from: 2, to: 3, epoch: 1, events: [by(9, mallory, T0 + 5_006)] });
    expect(await senders()).to.deep.equal([[mallory, T0 + 5_006, 9]]);
    await store.write({
      p: 3,
      from: 3,
      to: 4,
      epoch: 1,
      events: [change(10, { t: "room", kind: "open" })],
    });
    expect(await senders()).to.equal(undefined);
  });

  it("M5: a member event in quarantine counts, and one beside a refused event too", async () => {
    await using archive = await open();
    const { store } = archive;
    await archive.refuse(mallory);
    const batch = [
      change(1, { t: "room", kind: "closed" }, mallory),
      change(2, { t: "member", user: ada, role: "owner" }, mallory),
      change(3, { t: "member", user: "eve", role: "member" }),
    ];
    const written = await store.write({ p: 3, from: 0, to: 1, epoch: 1, events: batch });
    expect(written).to.deep.equal({ kind: "ok", quarantined: 2 });
    expect(valueOf(await store.snapshot(3, general, 0)).state).to.deep.equal({
      settings: { kind: "closed" },
      members: [
        [ada, "owner", 0, false],
        ["eve", "member", 0, false],
      ],
    });
  });

  it("M7: a state with many members is cut, and `members` has the rest in order", async () => {
    await using archive = await open();
    const { store, other } = archive;
    const users = Array.from(
      { length: SNAPSHOT_MEMBERS_MAX + 7 },
      (_, i) => `user-${String(i).padStart(6, "0")}`,
    );
    const all = users.map((user, i) => change(i + 1, { t: "member", user, role: "member" }));
    await store.write({ p: 3, from: 0, to: 1, epoch: 1, events: all.slice(0, 1_000) });
    await store.write({ p: 3, from: 1, to: 2, epoch: 1, events: all.slice(1_000) });
    const { state } = valueOf(await other.snapshot(3, general, 0));
    expect(state?.isCut).to.equal(true);
    const found: StoredMember[] = [...(state?.members ?? [])];
    for (let isCut: true | undefined = true; isCut === true;) {
      const page = valueOf(await other.members(general, found.at(-1)?.[0] ?? ada));
      found.push(...page.members);
      isCut = page.isCut;
    }
    expect(found.map(([user]) => user)).to.deep.equal(users);
    expect(cutMembers(found.slice(0, 3))).to.deep.equal({ members: found.slice(0, 3) });
    expect(decodeEvent(all[0]!.line)).to.include({ t: "member" });
  });
}
