// ChatStore: the open rooms, the saved state, the notifications of the views.

import { expect } from "chai";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { until } from "#shared/testing/wait.ts";
import { ChatStore } from "../store/chat-store.ts";
import type { KeyValue } from "../store/saved-rooms.ts";
import { ROOMS_MAX } from "../store/saved-rooms.ts";
import { FakeApi } from "./fixture/fake-api.ts";
import { FakeServer } from "./fixture/fake-server.ts";
import type { FakeClient } from "./fixture/fake-server.ts";

class FakeStorage implements KeyValue {
  readonly values = new Map<string, string>();
  isForbidden = false;
  writes = 0;

  getItem(key: string): string | null {
    if (this.isForbidden) throw new DOMException("denied", "SecurityError");
    return this.values.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    if (this.isForbidden) throw new DOMException("denied", "SecurityError");
    this.writes += 1;
    this.values.set(key, value);
  }
  removeItem(key: string): void {
    this.values.delete(key);
  }
}

interface ChatFixture {
  readonly server: FakeServer;
  readonly client: FakeClient;
  readonly clock: FakeClock;
  readonly storage: FakeStorage;
  readonly store: ChatStore;
}

function createFixture(
  server = new FakeServer(),
  storage = new FakeStorage(),
  schedule: (run: () => void) => void = (run) => run(),
): ChatFixture {
  const client = server.client("ada");
  const clock = new FakeClock();
  const api = new FakeApi(server, "ada");
  const store = new ChatStore({ client, api, me: "ada", clock, storage, schedule });
  client.connect();
  return { server, client, clock, storage, store };
}

async function isLive(store: ChatStore): Promise<void> {
  await until(() => store.rooms.every((room) => room.status === "live"), {
    withinMs: 1_000,
    what: "all rooms to be live",
  });
}

function names(store: ChatStore): string[] {
  return store.rooms.map((room) => room.name);
}

describe("chat store", () => {
  it("K6: messages wait while there is no connection, and each is named until it is sent", async () => {
    const { client, store } = createFixture();
    store.open("general");
    await isLive(store);
    client.isHolding = true;
    client.become("waiting");
    for (const text of ["one", "two"]) {
      store.active?.draft.set(text);
      store.active?.draft.submit();
    }
    const waiting = store.waiting.map(({ room, text }) => `${room}: ${text}`);
    expect(waiting).to.deep.equal(["general: one", "general: two"]);
    client.become("online");
    expect(store.waiting).to.deep.equal([]);
    client.release();
    await until(() => client.unsent.length === 0, { withinMs: 1_000, what: "both to be sent" });
  });

  it("timeline-rows.3: a message that the room has does not wait, also before its acknowledgement", async () => {
    const { client, store } = createFixture();
    store.open("general");
    await isLive(store);
    client.isHolding = true;
    for (const text of ["stored", "waits"]) {
      store.active?.draft.set(text);
      store.active?.draft.submit();
    }
    const [stored] = client.unsent;
    client.server.append("general", "ada", "stored", undefined, stored?.id);
    client.become("waiting");
    expect(store.waiting.map(({ text }) => text)).to.deep.equal(["waits"]);
    client.become("online");
    client.release();
    await until(() => client.unsent.length === 0, { withinMs: 1_000, what: "both to be sent" });
  });

  it("N1: opens only a room with a valid name", () => {
    const { store } = createFixture();
    for (const name of ["", "a b", "größe", "x".repeat(65), "../x", "a*"]) {
      expect(store.open(name), name).to.equal(false);
    }
    expect(store.open("general")).to.equal(true);
    expect(store.active?.name).to.equal("general");
    expect(names(store)).to.deep.equal(["general"]);
  });

  it("S5: opens no more rooms than one connection can join", () => {
    const { store } = createFixture();
    for (let i = 0; i < ROOMS_MAX; i++) expect(store.open(`room-${i}`)).to.equal(true);
    expect(store.open("one-more")).to.equal(false);
    expect(store.open("room-0")).to.equal(true);
  });

  it("K3: open rooms and read positions are saved for the same user", async () => {
    const first = createFixture();
    first.server.append("general", "grace", "one");
    first.store.open("general");
    first.store.open("random");
    first.store.open("general");
    await isLive(first.store);
    first.store.close();

    first.server.append("general", "grace", "two");
    const second = createFixture(first.server, first.storage);
    expect(names(second.store)).to.deep.equal(["general", "random"]);
    second.store.open("random");
    await isLive(second.store);
    expect(second.store.rooms[0]?.unread).to.equal(1);
    expect(second.store.unread).to.equal(1);
    second.store.open("general");
    expect(second.store.unread).to.equal(0);
    expect(second.store.active?.readMark).to.equal(1);
  });

  it("saved-rooms.4: an unsent text is saved for its composer, until it is sent or the room is left", () => {
    const first = createFixture();
    first.store.open("general");
    first.store.active?.draft.set("half a thought");
    first.store.open("random");
    first.store.active?.draft.set("nonsense");
    first.store.closeRoom("random");
    first.store.close();
    const second = createFixture(first.server, first.storage);
    second.store.open("random");
    expect(second.store.active?.draft.text).to.equal("");
    second.store.open("general");
    expect(second.store.active?.draft.text).to.equal("half a thought");
    second.store.active?.draft.submit();
    second.store.close();
    const third = createFixture(first.server, first.storage);
    third.store.open("general");
    expect(third.store.active?.draft.text).to.equal("");
  });

  it("K3: saved data of another program is checked", () => {
    const storage = new FakeStorage();
    for (const text of [
      "",
      "null",
      "[]",
      '{"rooms":3,"read":[]}',
      "{",
      '{"rooms":["a b","ok",7]}',
    ]) {
      storage.values.set("parley.user.ada", text);
      const { store } = createFixture(new FakeServer(), storage);
      expect(names(store), text).to.deep.equal(text.includes("ok") ? ["ok"] : []);
    }
  });

  it("K3: a browser that forbids storage loses only the saved rooms", async () => {
    const storage = new FakeStorage();
    storage.isForbidden = true;
    const { store, clock } = createFixture(new FakeServer(), storage);
    store.open("general");
    await isLive(store);
    clock.advance(1_000);
    expect(names(store)).to.deep.equal(["general"]);
  });

  it("K3: a busy room is saved a few times a second, not for each message", async () => {
    const { server, store, storage, clock } = createFixture();
    store.open("general");
    await isLive(store);
    clock.advance(1_000);
    const before = storage.writes;
    for (let i = 0; i < 500; i++) server.append("general", "grace", "x");
    clock.advance(1_000);
    expect(storage.writes - before).to.equal(1);
  });

  it("S6: closing a room shows its neighbour", async () => {
    const { server, store } = createFixture();
    for (const name of ["a", "b", "c"]) store.open(name);
    await isLive(store);
    store.open("b");
    store.closeRoom("b");
    expect(store.active?.name).to.equal("c");
    expect(server.room("b").members.has("ada")).to.equal(false);
    store.closeRoom("c");
    expect(store.active?.name).to.equal("a");
    store.closeRoom("a");
    expect(store.active).to.equal(undefined);
  });

  it("S6: stepping visits the rooms cyclically", () => {
    const { store } = createFixture();
    store.step(1);
    for (const name of ["a", "b", "c"]) store.open(name);
    const seen = [1, 1, -1, -1].map((by) => {
      store.step(by as 1 | -1);
      return store.active?.name;
    });
    expect(seen).to.deep.equal(["a", "b", "a", "c"]);
  });

  it("L5: the views are notified once per frame after any number of changes", async () => {
    const frames: (() => void)[] = [];
    const { server, store } = createFixture(
      new FakeServer(),
      new FakeStorage(),
      (run) => void frames.push(run),
    );
    store.open("general");
    await isLive(store);
    for (const frame of frames.splice(0)) frame();
    let notifications = 0;
    store.subscribe(() => (notifications += 1));
    for (let i = 0; i < 200; i++) server.append("general", "grace", "x");
    expect(frames.length).to.equal(1);
    frames[0]?.();
    expect(notifications).to.equal(1);
  });

  it("K4: the reason of a close is shown until the window is online again", () => {
    const { client, store } = createFixture();
    client.fail("unauthorized");
    client.become("closed");
    expect(store.connection).to.deep.equal({
      state: "closed",
      retryAt: undefined,
      problem: "The server did not accept your sign-in.",
    });
    store.reconnect();
    expect(store.connection.problem).to.equal(undefined);
  });

  it("SL10: the device is signed out when the server has ended its session, and by no other close", () => {
    const { client, store } = createFixture();
    const isSignedOut = (state: "waiting" | "closed", code: number): boolean => {
      client.closeCode = code;
      client.become(state);
      return store.isSignedOut;
    };
    expect(store.isSignedOut).to.equal(false);
    expect(isSignedOut("closed", 4500)).to.equal(false);
    expect(isSignedOut("waiting", 4501), "the user connects again").to.equal(false);
    expect(isSignedOut("closed", 4501)).to.equal(true);
  });

  it("F6: a failure of one room is shown in that room", async () => {
    const { client, store } = createFixture();
    store.open("general");
    const handle = [...client.server.room("general").handles][0]!;
    client.emit("error", { name: "forbidden", room: "general" });
    expect(store.active?.problem).to.equal(undefined);
    handle.leave();
    expect(store.active?.problem).to.equal("You are not allowed to do this here.");
  });
});
