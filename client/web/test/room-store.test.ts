// RoomStore against a fake server that can delay, refuse and stop answering.

import { expect } from "chai";
import { bodyOf } from "#shared/protocol/events.ts";
import { BODY_BYTES_MAX } from "#shared/protocol/limits.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { until } from "#shared/testing/wait.ts";
import { RoomStore, WINDOW_MESSAGES_MAX } from "../store/room-store.ts";
import { FakeApi } from "./fixture/fake-api.ts";
import { FakeServer } from "./fixture/fake-server.ts";
import type { FakeClient, FakeHandle } from "./fixture/fake-server.ts";

interface RoomFixture {
  readonly server: FakeServer;
  readonly client: FakeClient;
  readonly handle: FakeHandle;
  readonly clock: FakeClock;
  readonly room: RoomStore;
  readonly read: number[];
  /** How often the view rendered. */
  readonly renders: () => number;
}

/** Ada in #general, which holds `count` messages of Grace; live and in front. */
async function enter(count: number, readThrough?: number): Promise<RoomFixture> {
  const server = new FakeServer();
  for (let i = 1; i <= count; i++) server.append("general", "grace", `text ${i}`);
  const client = server.client("ada");
  const clock = new FakeClock();
  const handle = client.join("general", { tail: 100 });
  const read: number[] = [];
  let renders = 0;
  const drafts = new Map<number | undefined, string>();
  const room = new RoomStore({
    handle,
    api: new FakeApi(server, "ada"),
    me: "ada",
    clock,
    readThrough,
    changed: () => void (renders += 1),
    onRead: (seq) => read.push(seq),
    draftOf: (thread) => drafts.get(thread) ?? "",
    onDraft: (text, thread) => void drafts.set(thread, text),
  });
  await until(() => room.status === "live", { withinMs: 1_000, what: "the room to be live" });
  return { server, client, handle, clock, room, read, renders: () => renders };
}

function shown(room: RoomStore): number[] {
  return room.timeline.sent.map((message) => message.seq);
}

function run(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

describe("room store", () => {
  it("O7: a room begins with its tail and continues with live events", async () => {
    const { server, room } = await enter(150);
    expect(shown(room)).to.deep.equal(run(51, 150));
    server.append("general", "grace", "one more");
    expect(shown(room)).to.deep.equal(run(51, 151));
    expect(room.completeThrough).to.equal(151);
  });

  it("O12: older pages are added in front, down to the first message", async () => {
    const { room, handle } = await enter(200);
    await room.loadOlder();
    expect(shown(room)).to.deep.equal(run(51, 200));
    expect(room.isFromBeginning).to.equal(false);
    await room.loadOlder();
    expect(shown(room)).to.deep.equal(run(1, 200));
    expect(room.isFromBeginning).to.equal(true);
    await room.loadOlder();
    expect(handle.asked.length).to.equal(2);
  });

  it("O12: at most one page is pending, and a failed page can be retried", async () => {
    const { room, handle } = await enter(250);
    handle.isHistoryDown = true;
    await Promise.all([room.loadOlder(), room.loadOlder()]);
    expect(handle.asked.length).to.equal(1);
    expect(room.older).to.equal("failed");
    handle.isHistoryDown = false;
    await room.loadOlder();
    expect(room.older).to.equal("idle");
    expect(shown(room)).to.deep.equal(run(101, 250));
  });

  it("O12: a long scroll keeps a bounded range, and the way back has no gap", async () => {
    const { server, room } = await enter(1_000);
    room.setInFront(true);
    room.setAtEnd(false);
    while (!room.isFromBeginning) await room.loadOlder();
    expect(shown(room)).to.deep.equal(run(1, WINDOW_MESSAGES_MAX));
    server.append("general", "grace", "meanwhile");
    expect(room.timeline.isAttached).to.equal(false);
    while (!room.timeline.isAttached) await room.loadNewer();
    expect(shown(room)).to.deep.equal(run(1_001 - WINDOW_MESSAGES_MAX + 1, 1_001));
  });

  it("O12: a jump to the end discards the pending page", async () => {
    const { room } = await enter(1_000);
    room.setAtEnd(false);
    while (room.timeline.first > 301) await room.loadOlder();
    await room.loadOlder();
    expect(room.timeline.isAttached).to.equal(false);
    const late = room.loadOlder();
    room.jumpToEnd();
    await late;
    await settled();
    expect(shown(room)).to.deep.equal(run(951, 1_000));
  });

  it("O2: a sent message appears at once as pending, then with its number", async () => {
    const { client, room } = await enter(3);
    client.isHolding = true;
    room.draft.set("  hello\n");
    expect(room.draft.submit()).to.equal(true);
    expect(room.draft.text).to.equal("");
    expect(room.timeline.unsent.map(({ kind, text }) => [kind, text])).to.deep.equal([
      ["pending", "hello"],
    ]);
    client.release();
    await settled();
    expect(room.timeline.unsent).to.deep.equal([]);
    expect(room.timeline.sent.at(-1)).to.include({ seq: 4, from: "ada", text: "hello" });
  });

  it("K2: a refused message shows the reason, and a retry has the same id", async () => {
    const { server, client, room } = await enter(0);
    client.refusal = { error: "rate_limited" };
    room.draft.set("hello");
    room.draft.submit();
    await settled();
    const [refused] = room.timeline.unsent;
    expect(refused?.kind).to.equal("refused");
    expect(refused?.kind === "refused" && refused.reason).to.contain("too much in a short time");
    client.refusal = undefined;
    room.retry(refused!.id);
    await settled();
    expect(room.timeline.unsent).to.deep.equal([]);
    expect(server.room("general").log.map((event) => event.id)).to.deep.equal([refused!.id]);
  });

  it("K2: a pending message cannot be retried, and a refused message can be discarded", async () => {
    const { server, client, room } = await enter(0);
    client.isHolding = true;
    room.draft.set("hello");
    room.draft.submit();
    room.retry(room.timeline.unsent[0]!.id);
    client.refusal = { error: "busy" };
    client.release();
    await settled();
    expect(room.timeline.unsent.length).to.equal(1);
    room.discard(room.timeline.unsent[0]!.id);
    expect(room.timeline.unsent).to.deep.equal([]);
    expect(server.room("general").log).to.deep.equal([]);
  });

  it("F2: characters that the cluster refuses are removed, and a message that is too long is not sent", async () => {
    const { server, room } = await enter(0);
    room.draft.set("a\u0000b\ud800c");
    room.draft.submit();
    await settled();
    expect(bodyOf(server.room("general").log[0]!)).to.deep.equal({ text: "ab\ufffdc" });
    room.draft.set("é".repeat(BODY_BYTES_MAX / 2));
    expect(room.draft.problem).to.contain("bytes too long");
    expect(room.draft.submit()).to.equal(false);
    expect(room.draft.text).to.not.equal("");
    room.draft.set(" \n ");
    expect(room.draft.submit()).to.equal(false);
  });

  it("A5: typing is sent at a bounded rate and ends with the message", async () => {
    const { clock, handle, room } = await enter(0);
    room.draft.set("h");
    room.draft.set("he");
    expect(handle.typingSignals).to.deep.equal([true]);
    clock.advance(3_000);
    room.draft.set("hel");
    expect(handle.typingSignals).to.deep.equal([true, true]);
    room.draft.submit();
    expect(handle.typingSignals).to.deep.equal([true, true, false]);
  });

  it("A5: a typing name disappears after a while and after a message, and is never the own name", async () => {
    const { clock, server, room } = await enter(0);
    server.type("general", "ada", true);
    server.type("general", "grace", true);
    server.type("general", "radia", true);
    expect(room.typing).to.deep.equal(["grace", "radia"]);
    server.append("general", "radia", "done");
    expect(room.typing).to.deep.equal(["grace"]);
    clock.advance(10_000);
    expect(room.typing).to.deep.equal([]);
  });

  it("A1: the list of users is that of the room", async () => {
    const { server, room } = await enter(0);
    server.present("general", ["grace"]);
    expect([...room.users].sort()).to.deep.equal(["ada", "grace"]);
    server.absent("general", "grace");
    expect(room.here).to.equal(1);
  });

  it("K3: nothing is unread on a first visit; later visits count the messages since the last one", async () => {
    const { server, room } = await enter(30);
    expect(room.unread).to.equal(0);
    server.append("general", "grace", "psst");
    expect(room.unread).to.equal(1);
    const again = await enter(30, 20);
    expect(again.room.unread).to.equal(10);
  });

  it("K3: messages count as read at the end of a window in front only", async () => {
    const { server, room, read } = await enter(30, 20);
    room.setInFront(true);
    expect(room.unread).to.equal(0);
    expect(room.readMark).to.equal(20);
    expect(read).to.deep.equal([30]);
    room.setAtEnd(false);
    server.append("general", "grace", "below the fold");
    expect(room.unread).to.equal(1);
    room.setAtEnd(true);
    expect(room.unread).to.equal(0);
    room.setInFront(false);
    server.append("general", "grace", "while away");
    expect(room.unread).to.equal(1);
    room.setInFront(true);
    expect(room.readMark).to.equal(31);
  });

  it("U1: what was read is said, and what was read on another device counts as read here", async () => {
    const { handle, room, read, server } = await enter(30, 20);
    room.setInFront(true);
    expect(handle.positions).to.deep.equal([30]);
    room.setInFront(false);
    server.append("general", "grace", "one");
    server.append("general", "grace", "two");
    expect(room.unread).to.equal(2);
    handle.emit("read", { user: "grace", seq: 32 });
    expect(room.unread).to.equal(2);
    handle.emit("read", { user: "ada", seq: 31 });
    handle.emit("read", { user: "ada", seq: 29 });
    expect(room.unread).to.equal(1);
    expect(read.at(-1)).to.equal(31);
    expect(handle.positions).to.deep.equal([30]);
  });

  it("K3: a recreated room starts again, and the page shows a note", async () => {
    const { server, handle, room } = await enter(30);
    handle.reset();
    expect(shown(room)).to.deep.equal([]);
    expect(room.wasReset).to.equal(true);
    server.append("general", "grace", "first again");
    expect(shown(room)).to.deep.equal([1]);
    expect(room.unread).to.equal(1);
  });

  it("room-store.2: changes of messages and replies in threads do not count as unread", async () => {
    const { server, room } = await enter(30);
    server.append("general", "grace", "psst");
    server.add("general", "grace", { t: "reacted", target: 3, emoji: "👍", on: true });
    server.add("general", "grace", { t: "msg", thread: 3, body: { text: "a reply" } });
    expect(room.unread).to.equal(1);
    room.setInFront(true);
    expect(room.unread).to.equal(0);
    room.setInFront(false);
    server.add("general", "grace", { t: "edited", target: 31, body: { text: "psst!" } });
    expect(room.unread).to.equal(0);
    server.append("general", "grace", "again");
    expect(room.unread).to.equal(1);
  });

  it("thread-store.1: a thread has the replies of before and of later, and sends into the thread", async () => {
    const { server, room } = await enter(3);
    const reply = (text: string): unknown =>
      server.add("general", "grace", { t: "msg", thread: 2, body: { text } });
    reply("before");
    room.openThread(2);
    await settled();
    reply("later");
    room.thread?.draft.set("mine");
    room.thread?.draft.submit();
    await settled();
    expect(room.thread?.timeline.sent.map(({ text }) => text)).to.deep.equal([
      "before",
      "later",
      "mine",
    ]);
    expect(shown(room)).to.deep.equal([1, 2, 3]);
    expect(room.timeline.at(2)?.replies).to.equal(3);
    room.closeThread();
    expect(room.thread).to.equal(undefined);
  });

  it("U11: an edit names whom its text mentions now, also a user whom only the message knows", async () => {
    const { server, room } = await enter(1); // Grace wrote.
    const text = "@grace and @zoe look";
    server.add("general", "ada", { t: "msg", body: { text }, mentions: ["grace", "zoe"] });
    const edited = async (to: string): Promise<unknown> => {
      room.draft.edit(room.timeline.at(2)!);
      room.draft.set(to);
      room.draft.submit();
      await settled();
      return server.room("general").log.at(-1);
    };
    server.present("general", ["Ada Lovelace"]);
    expect(await edited("@zoe and @Ada Lovelace look")).to.deep.include({
      t: "edited",
      target: 2,
      mentions: ["zoe", "Ada Lovelace"],
    });
    expect(room.timeline.at(2)?.mentions).to.deep.equal(["zoe", "Ada Lovelace"]);
    expect(await edited("mail@zoe")).to.deep.include({ mentions: [] });
  });

  it("room-rules.1, C3: the time for an edit ends by the clock of the room, which is that of its live events", async () => {
    const { server, clock, room } = await enter(1);
    const hour = 3_600_000;
    const left = (): number => room.changes.editMs(room.timeline.at(2)!);
    server.now = clock.now() - hour; // This device is an hour ahead.
    server.append("general", "ada", "one");
    server.add("general", "grace", { t: "room", kind: "open", editWindow: 60 });
    expect(left()).to.equal(60_000);
    clock.advance(40_000);
    expect(left()).to.equal(20_000);
    server.now += 40_000 - 500; // An event that was on its way for half a second changes nothing.
    server.append("general", "grace", "two");
    expect(left()).to.equal(20_000);
    clock.advance(20_001);
    expect(left()).to.equal(-1);
    server.now += 10 * hour; // An event of an import can be much older, not newer.
    server.append("general", "grace", "three");
    expect(left()).to.be.below(-hour);
  });

  it("room-rules.2, M3: the view changes when the mute of the user ends, by the clock of the room", async () => {
    const { server, clock, room, renders } = await enter(1);
    const mute = (mutedUntil: number): unknown =>
      server.add("general", "grace", { t: "member", user: "ada", role: "member", mutedUntil });
    server.now = clock.now() - 10_000; // This device is ahead.
    mute(server.now + 60_000);
    await settled();
    let before = renders();
    clock.advance(59_999);
    expect([room.bar, renders() - before]).to.deep.equal(["muted", 0]);
    clock.advance(1);
    expect([room.bar, renders() - before]).to.deep.equal([undefined, 1]);
    expect(clock.armed).to.equal(0);
    server.now = clock.now() - 10_000;
    const farAway = server.now + 2 ** 40;
    mute(farAway);
    await settled();
    before = renders();
    clock.advance(2 ** 31);
    expect([room.bar, renders() - before], "no timer is longer than 2^31 ms").to.deep.equal([
      "muted",
      1,
    ]);
    expect(clock.armed).to.equal(1);
    room.close();
    expect(clock.armed).to.equal(0);
  });

  it("room-rules.2: the end of a mute that the answer of the server has", async () => {
    const { server, clock, room, renders } = await enter(1);
    const { stored } = server.room("general");
    stored.set("ada", { user: "ada", role: "member", mutedUntil: clock.now() + 5_000 });
    room.enter();
    await settled();
    expect(room.bar).to.equal("muted");
    const before = renders();
    clock.advance(5_000);
    expect([room.bar, renders() - before]).to.deep.equal([undefined, 1]);
  });

  it("C3: a refused edit is explained by the time of the room, unless the user may not write at all", async () => {
    const { server, client, room } = await enter(1);
    server.append("general", "ada", "one");
    client.refusal = { error: "forbidden" };
    const problem = async (): Promise<string | undefined> => {
      room.changes.edit(2, "two");
      await settled();
      return room.changes.problemOf(2);
    };
    const not = "Not edited. You are not allowed to do this here.";
    expect(await problem()).to.equal(not);
    server.add("general", "grace", { t: "room", kind: "open", editWindow: 60 });
    expect(await problem()).to.equal("Not edited. The time to edit this message is over.");
    room.info.load();
    await settled();
    server.add("general", "grace", { t: "room", kind: "open", editWindow: 60, archived: true });
    expect(await problem()).to.equal(not);
  });

  it("U11: an edit names everyone only while the user may", async () => {
    const { server, room } = await enter(1);
    const text = "@room look";
    server.add("general", "ada", { t: "msg", body: { text }, mentions: "@room" });
    const edited = async (to: string): Promise<unknown> => {
      room.draft.edit(room.timeline.at(2)!);
      room.draft.set(to);
      room.draft.submit();
      await settled();
      return server.room("general").log.at(-1);
    };
    expect(await edited("@room, look"), "a member").to.deep.include({ mentions: [] });
    server.add("general", "grace", { t: "room", kind: "open" });
    server.add("general", "grace", { t: "member", user: "ada", role: "moderator" });
    room.info.load();
    await settled();
    expect(await edited("@room, look!"), "a moderator").to.deep.include({ mentions: "@room" });
  });

  it("U11: an edit in a thread names whom its text mentions", async () => {
    const { server, room } = await enter(2);
    room.openThread(1);
    await settled();
    server.add("general", "ada", { t: "msg", thread: 1, body: { text: "a reply" } });
    const { draft, timeline } = room.thread!;
    draft.edit(timeline.at(3)!);
    draft.set("a reply, @grace");
    draft.submit();
    await settled();
    expect(server.room("general").log.at(-1)).to.deep.include({ t: "edited", mentions: ["grace"] });
  });

  it("M8: a removed user reads by whom and why", async () => {
    const { server, handle, room } = await enter(3);
    const gone = { user: "ada", role: "none", reason: "moved" };
    server.add("general", "grace", { t: "member", ...gone });
    handle.emit("removed", { reason: "removed" });
    handle.leave();
    expect(room.problem).to.equal("grace removed you from this room: moved");
  });
});
