// Room lists on an embedded cluster: unread counts, mentions, notes and the search, through two
// gateways, a restart of persistence and a kill of a gateway.

import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "#shared/testing/wait.ts";
import type { Note } from "#shared/protocol/note.ts";
import type { ListedRoom } from "#shared/protocol/room-list.ts";
import type { Parley } from "#client/sdk/parley.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { devToken } from "../wire-client/dev-token.ts";
import { connect } from "./clients.ts";

const WAIT = { withinMs: 60_000 };

describe("Room lists", function () {
  this.timeout(300_000);
  let dataDir = "";
  let cluster: Cluster;
  const clients: Parley[] = [];
  const open = async (user: string, gateway = 0): Promise<Parley> => {
    const parley = await connect(cluster, user, gateway);
    clients.push(parley);
    return parley;
  };

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "parley-lists-"));
    cluster = await startCluster({ dataDir, port: 0, gateways: 2, say: () => undefined });
  });
  after(async () => {
    for (const parley of clients) parley.close();
    await cluster.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Waits until the list of the user has the room as expected. */
  const listed = async (
    parley: Parley,
    room: string,
    expected: Partial<ListedRoom>,
  ): Promise<ListedRoom> => {
    let found: ListedRoom | undefined;
    await until(
      async () => {
        const { rooms } = await parley.rooms();
        found = rooms.find((one) => one.room === room);
        if (found === undefined) return false;
        const parts = Object.fromEntries(
          Object.keys(expected).map((key) => [key, found![key as "read"]]),
        );
        return JSON.stringify(parts) === JSON.stringify(expected);
      },
      { ...WAIT, what: `${room} as ${JSON.stringify(expected)}`, everyMs: 100 },
    ).catch((error: unknown) => {
      throw new Error(`the list has ${JSON.stringify(found)}`, { cause: error });
    });
    return found!;
  };

  /**
   * The notes of a user in other rooms, from here on. A note is a hint (U6): one from before NATS
   * has the subscription of the session is lost.
   */
  const notesOf = async (parley: Parley, user: string): Promise<readonly Note[]> => {
    const bell = `bell-${user}`;
    const notes: Note[] = [];
    let hasRung = false;
    parley.on("note", (note) => {
      if (note.room === bell) hasRung = true;
      else notes.push(note);
    });
    const host = await open("host", 0);
    await host.createRoom(bell, { kind: "closed", members: [{ user }] }).done;
    const room = host.join(bell);
    await until(
      async () => {
        await room.send({ text: "hello" }, { mentions: [user] }).done;
        return hasRung;
      },
      { ...WAIT, what: `the first note of ${user}`, everyMs: 100 },
    );
    return notes;
  };

  it("U1, U2, U3, U4, U6: messages of others are unread until they are read on any gateway, and notes arrive", async () => {
    const ada = await open("ada", 0);
    const ben = await open("ben", 1);
    const notes = await notesOf(ben, "ben");
    await ada.createRoom("plans", { kind: "closed", title: "Plans", members: [{ user: "ben" }] })
      .done;
    const room = ada.join("plans");
    await room.send({ text: "one" }).done;
    await room.send({ text: "two, ben" }, { mentions: ["ben"] }).done;
    await room.send({ text: "all of you" }, { mentions: "@room" }).done;
    const counts = { read: 0, unread: 3, mentions: 2 };
    const before = await listed(ben, "plans", {
      title: "Plans",
      role: "member",
      head: 6,
      ...counts,
    });
    expect(before.last).to.include({ seq: 6, from: "ada", text: "all of you" });
    await until(() => notes.length >= 3, { ...WAIT, what: "the notes of ben" });
    expect(notes.map(({ room: of, seq, why }) => [of, seq, why])).to.deep.equal([
      ["plans", 3, "added"],
      ["plans", 5, "mention"],
      ["plans", 6, "mention"],
    ]);
    const received: string[] = [];
    room.on("read", ({ user, seq }) => received.push(`${user} ${seq}`));
    const own = ben.join("plans");
    await until(() => own.completeThrough === 6, { ...WAIT, what: "ben to have everything" });
    own.markRead(5);
    await listed(ben, "plans", { read: 5, unread: 1, mentions: 1 });
    own.markRead();
    own.markRead(2);
    await listed(ben, "plans", { read: 6, unread: 0, mentions: 0 });
    await until(() => received.at(-1) === "ben 6", {
      ...WAIT,
      what: "ada to receive the position of ben",
    });
    await own.send({ text: "an answer" }, { replyTo: 6 }).done;
    await listed(ada, "plans", { head: 7, unread: 1 });
    await listed(ben, "plans", { head: 7, unread: 0 });
  });

  it("U9: an edit mentions a user, who gets one note and a count, and a later edit ends it", async () => {
    const dora = await open("dora", 0);
    const finn = await open("finn", 1);
    const notes = await notesOf(finn, "finn");
    await dora.createRoom("drafts", { kind: "closed", members: [{ user: "finn" }] }).done;
    const room = dora.join("drafts");
    const sent = await room.send({ text: "hello" }).done;
    const target = sent.kind === "acked" ? sent.seq : 0;
    const counts = { read: 0, unread: 1 };
    await listed(finn, "drafts", { head: 4, ...counts, mentions: 0 });
    for (const text of ["hello finn", "hello, finn"]) {
      await room.edit(target, { text }, { mentions: ["finn"] }).done;
    }
    await listed(finn, "drafts", { head: 6, ...counts, mentions: 1 });
    await room.edit(target, { text: "hello!" }).done;
    await listed(finn, "drafts", { head: 7, ...counts, mentions: 1 });
    const page = await room.messages({ limit: 5 });
    expect(page.messages[0]?.mentions).to.deep.equal(["finn"]);
    await room.edit(target, { text: "hello" }, { mentions: [] }).done;
    await listed(finn, "drafts", { head: 8, ...counts, mentions: 0 });
    await room.edit(target, { text: "all" }, { mentions: "@room" }).done;
    await until(() => notes.length >= 3, { ...WAIT, what: "the notes of finn" });
    expect(notes.map(({ room: of, seq, why }) => `${of} ${seq} ${why}`)).to.deep.equal([
      "drafts 3 added",
      "drafts 5 mention",
      "drafts 9 mention",
    ]);
  });

  it("U1: positions survive a restart of persistence and a kill of the gateway, and are said again", async () => {
    const ada = await open("ada", 0);
    const cara = await open("cara", 1);
    await ada.createRoom("work", { kind: "open", title: "Work", members: [{ user: "cara" }] }).done;
    const room = ada.join("work");
    for (let n = 0; n < 3; n++) await room.send({ text: `message ${n}` }).done;
    const own = cara.join("work");
    await until(() => own.completeThrough === 6, { ...WAIT, what: "cara to have everything" });
    void cluster.kill("persistence-1");
    own.markRead(4);
    void cluster.kill("gateway-2");
    await listed(cara, "work", { read: 4, unread: 2 });
    const elsewhere = await open("cara", 0);
    await listed(elsewhere, "work", { read: 4, unread: 2, head: 6 });
  });

  it("U5, U7: pages over HTTP, and open rooms are found", async () => {
    const ada = await open("ada", 0);
    await ada.createRoom("tea", { kind: "open", title: "Tea time" }).done;
    await listed(ada, "tea", { head: 2 });
    const authorization = `Bearer ${await devToken(cluster.url, "ada")}`;
    const get = async (path: string): Promise<Record<string, unknown>> => {
      const response = await fetch(new URL(path, cluster.url), { headers: { authorization } });
      return (await response.json()) as Record<string, unknown>;
    };
    const names: string[] = [];
    for (let after = ""; ;) {
      const page = await get(`/v1/me/rooms?limit=1${after}`);
      names.push(...(page["rooms"] as ListedRoom[]).map(({ room }) => room));
      const { next } = page;
      if (typeof next !== "string") break;
      after = `&after=${next}`;
    }
    expect(names).to.deep.equal(["tea", "work", "plans"]);
    const found = await get("/v1/rooms?kind=open&q=TIME");
    expect((found["rooms"] as object[])[0]).to.deep.include({ room: "tea", title: "Tea time" });
    expect(await get("/v1/rooms?kind=open&q=plans")).to.deep.equal({ rooms: [] });
  });
});
