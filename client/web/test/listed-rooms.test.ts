// The rooms of the sidebar: the server's list, what events change of it, and joining, creating,
// leaving rooms.

import { expect } from "chai";
import { directRoomId } from "#shared/protocol/direct-room.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { ChatStore } from "../store/chat-store.ts";
import { matchesFilter } from "../store/room-entry.ts";
import { leadWords, lineWords } from "../store/words.ts";
import { FakeApi } from "./fixture/fake-api.ts";
import { FakeServer } from "./fixture/fake-server.ts";
import type { FakeClient } from "./fixture/fake-server.ts";

const MINUTE = 60_000;

interface ListFixture {
  readonly server: FakeServer;
  readonly client: FakeClient;
  readonly clock: FakeClock;
  readonly store: ChatStore;
}

async function settled(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
}

/** Ada is a member of two rooms; the second one has newer activity. */
async function signIn(server = new FakeServer()): Promise<ListFixture> {
  for (const [room, at] of [
    ["plans", 1],
    ["tea", 2],
  ] as const) {
    server.now += at * MINUTE;
    server.add(room, "grace", { t: "room", kind: "closed", title: `The ${room}` });
    server.add(room, "grace", { t: "member", user: "ada", role: "member" });
    server.append(room, "grace", `hello ${room}`);
  }
  const clock = new FakeClock();
  const client = server.client("ada");
  const storage = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
  const store = new ChatStore({
    client,
    api: new FakeApi(server, "ada"),
    me: "ada",
    clock,
    storage,
    schedule: (run) => run(),
  });
  client.connect();
  await settled();
  return { server, client, clock, store };
}

function rows(store: ChatStore): string[] {
  return store.entries.map(({ title, unread, mentions, last }) => {
    return `${title} ${unread}/${mentions} ${last?.text ?? ""}`;
  });
}

describe("the rooms of the sidebar", () => {
  it("room-entry.1: lists rooms by activity, with counts and the last message, before they are opened", async () => {
    const { server, store } = await signIn();
    expect(rows(store)).to.deep.equal(["The tea 1/0 hello tea", "The plans 1/0 hello plans"]);
    expect(store.rooms).to.deep.equal([]);
    server.now += MINUTE;
    server.add("plans", "grace", { t: "msg", body: { text: "@ada look" }, mentions: ["ada"] });
    expect(rows(store)).to.deep.equal(["The plans 2/1 @ada look", "The tea 1/0 hello tea"]);
    expect(store.unread).to.equal(3);
    server.add("plans", "grace", { t: "edited", target: 4, body: { text: "@ada see" } });
    expect(store.entries[0]?.last?.text).to.equal("@ada see");
  });

  it("U4: a message that has only files is shown with their names, from the list and live, also after an edit", async () => {
    const server = new FakeServer();
    const attachments = ["plan.pdf", "photo.png"].map((name) => ({ name }));
    server.add("cake", "grace", { t: "member", user: "ada", role: "member" });
    server.add("cake", "grace", { t: "msg", body: { text: "" }, attachments: [{ name: "a.txt" }] });
    const { store } = await signIn(server);
    const words = (): string | undefined => {
      const { last, kind = "open" } = store.entries.find(({ name }) => name === "cake") ?? {};
      return last && leadWords(last.from, kind, "ada") + lineWords(last);
    };
    expect(words()).to.equal("grace: File: a.txt");
    const files = server.add("cake", "grace", { t: "msg", body: { text: " " }, attachments });
    expect(words()).to.equal("grace: Files: plan.pdf and photo.png");
    server.add("cake", "grace", { t: "edited", target: files.seq, body: { text: "look" } });
    expect(words()).to.equal("grace: look");
    server.add("cake", "grace", { t: "edited", target: files.seq, body: { text: "" } });
    expect(words()).to.equal("grace: Files: plan.pdf and photo.png");
  });

  it("chat-store.1: the newest line that the user sees is read, here and at the server", async () => {
    const { server, store } = await signIn();
    store.open("plans");
    await settled();
    expect(store.active?.timeline.sent.map(({ text }) => text)).to.deep.equal(["hello plans"]);
    expect(store.entry("plans")?.unread).to.equal(0);
    expect(server.room("plans").reads.get("ada")).to.equal(3);
    store.setFocus(false);
    server.append("plans", "grace", "are you there?");
    expect(store.entry("plans")?.unread).to.equal(1);
    store.setFocus(true);
    expect(store.entry("plans")?.unread).to.equal(0);
  });

  it("listed-rooms.2: a room that the user is added to appears, one of a removal disappears", async () => {
    const { server, clock, store } = await signIn();
    server.add("cake", "grace", { t: "room", kind: "closed" });
    server.add("cake", "grace", { t: "member", user: "ada", role: "member" });
    clock.advance(3_000);
    await settled();
    expect(store.entries.map(({ name }) => name)).to.contain("cake");
    store.open("cake");
    await settled();
    server.add("cake", "grace", { t: "member", user: "ada", role: "none", reason: "eaten" });
    server.add("tea", "grace", { t: "member", user: "ada", role: "none" });
    expect(store.active?.problem).to.equal("grace removed you from this room: eaten");
    clock.advance(3_000);
    await settled();
    expect(store.entries.map(({ name }) => name)).to.have.members(["cake", "plans"]);
    server.add("cake", "grace", { t: "member", user: "ada", role: "member" });
    await settled();
    expect(store.active?.problem, "added again").to.equal(undefined);
    store.closeRoom("cake");
    clock.advance(3_000);
    await settled();
    expect(store.entries.map(({ name }) => name)).to.have.members(["cake", "plans"]);
  });

  it("listed-rooms.2: a list that is older than a removal does not hide the reason", async () => {
    const { server, client, clock, store } = await signIn();
    store.open("tea");
    await settled();
    const old = await client.rooms();
    server.add("tea", "grace", { t: "member", user: "ada", role: "none", reason: "late" });
    client.rooms = async () => old; // The archive is behind.
    const joins = server.room("tea").handles.size;
    clock.advance(3_000);
    await settled();
    expect(server.room("tea").handles.size, "no join that would be refused").to.equal(joins);
    expect(store.active?.problem).to.equal("grace removed you from this room: late");
    // A read position that crossed the removal is refused.
    client.emit("error", { name: "not_joined", room: "tea" });
    expect(store.active?.problem).to.equal("grace removed you from this room: late");
  });

  it("listed-rooms.1: a failed list keeps the earlier one, and the next connection requests it again", async () => {
    const { client, clock, store } = await signIn();
    client.isListDown = true;
    client.emit("note", { room: "new", seq: 1, why: "added" });
    clock.advance(3_000);
    await settled();
    expect(store.listState).to.equal("failed");
    expect(store.entries.length).to.equal(2);
    client.isListDown = false;
    client.become("online");
    await settled();
    expect(store.listState).to.equal("loaded");
    const before = client.lists;
    clock.advance(61_000);
    await settled();
    expect(client.lists).to.equal(before + 1);
  });

  it("chat-store.1: creates, joins and leaves rooms", async () => {
    const { server, clock, store } = await signIn();
    expect(await store.create("cake", { kind: "open", title: "Cake" })).to.equal(undefined);
    await settled();
    expect(store.activeEntry?.title).to.equal("Cake");
    expect(store.active?.info.role).to.equal("owner");
    expect(await store.create("cake", { kind: "open" })).to.equal(
      "A room with this name exists already.",
    );
    server.add("garden", "grace", { t: "room", kind: "open" });
    store.open("garden");
    await settled();
    expect(store.activeEntry?.listed).to.equal(undefined);
    expect(await store.join("garden")).to.equal(undefined);
    clock.advance(3_000);
    await settled();
    expect(store.activeEntry?.listed?.role).to.equal("member");
    expect(await store.leave("garden")).to.equal(undefined);
    clock.advance(3_000);
    await settled();
    expect(store.entry("garden")).to.equal(undefined);
  });

  it("chat-store.1: a direct room has the name of the other user, and is made once", async () => {
    const { server, store } = await signIn();
    expect(await store.openDirect("grace")).to.equal(undefined);
    expect(store.activeEntry?.title).to.equal("grace");
    expect(store.activeEntry?.kind).to.equal("direct");
    expect(await store.openDirect("grace")).to.equal(undefined);
    const name = directRoomId("ada" as UserId, "grace" as UserId);
    expect(server.room(name).log.length).to.equal(3);
    server.append(name, "grace", "psst");
    store.open("tea");
    server.append(name, "grace", "psst again");
    expect(store.entry(name)?.mentions).to.equal(1);
    // Another window of the same user learns the name from the members.
    const other = server.client("ada");
    const storage = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
    const clock = new FakeClock();
    const api = new FakeApi(server, "ada");
    const second = new ChatStore({
      client: other,
      api,
      me: "ada",
      clock,
      storage,
      schedule: (run) => run(),
    });
    other.connect();
    await settled();
    expect(second.entry(name)?.title).to.equal("grace");
  });

  it("chat-store.1: an invite opens its room; one that has ended says so", async () => {
    const { server, store } = await signIn();
    server.add("vault", "grace", { t: "room", kind: "closed", title: "Vault" });
    const grace = server.client("grace").join("vault");
    const { token } = grace.createInvite({});
    expect(await store.enterInvite(token)).to.equal(undefined);
    expect(store.active?.name).to.equal("vault");
    for (const wrong of [
      "x",
      `nowhere.${"0".repeat(8)}-0000-7000-8000-000000000000.${"s".repeat(22)}`,
    ]) {
      expect(await store.enterInvite(wrong)).to.contain("Ask for a new one");
    }
  });

  it("room-entry.1: the filter finds the title and the name", async () => {
    const { store } = await signIn();
    const found = (text: string): string[] =>
      store.entries.filter((entry) => matchesFilter(entry, text)).map(({ name }) => name);
    expect(found("")).to.deep.equal(["tea", "plans"]);
    expect(found(" THE P")).to.deep.equal(["plans"]);
    expect(found("tea")).to.deep.equal(["tea"]);
    expect(found("zoo")).to.deep.equal([]);
  });
});
