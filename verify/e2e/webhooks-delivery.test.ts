// Deliveries on a real PostgreSQL, to real receivers.

import { expect } from "chai";
import { until } from "#shared/testing/wait.ts";
import { TRIED_FOR_MS } from "../../services/webhooks/core/bounds.ts";
import type { SessionFeed, SessionRecord } from "../../services/webhooks/core/ports.ts";
import { openFixture } from "./webhooks-fixture.ts";
import type { WebhooksFixture } from "./webhooks-fixture.ts";
import { openReceiver, SECRET } from "../../services/webhooks/test/receiver.ts";
import type { Receiver } from "../../services/webhooks/test/receiver.ts";

const within = (what: string) => ({ withinMs: 20_000, what });

function seqsOf(receiver: Receiver, room: string): number[] {
  return receiver.taken
    .filter(({ data }) => data["room"] === room)
    .map(({ data }) => Number(data["seq"]));
}

/** The first arrivals. */
function inOrder(seqs: readonly number[]): number[] {
  return [...new Set(seqs)];
}

function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1);
}

describe("Webhooks: deliveries", function () {
  this.timeout(60_000);
  let fixture: WebhooksFixture;
  before(async () => {
    fixture = await openFixture();
  });
  after(() => fixture[Symbol.asyncDispose]());
  afterEach(() => fixture.query("delete from webhooks"));

  it("W1, W5: every event arrives, signed, with an id of its own; the feed is then empty", async () => {
    await using receiver = await openReceiver(SECRET);
    await fixture.add(receiver.url);
    const node = fixture.start();
    await fixture.archive(["w1-a", "w1-b"], 150);
    await fixture.archive(["w1-a"], 1, 1);
    await until(() => receiver.taken.length === 301, within("all deliveries"));
    expect(seqsOf(receiver, "w1-b")).to.deep.equal(upTo(150));
    expect(inOrder(seqsOf(receiver, "w1-a"))).to.have.members(upTo(151));
    expect(new Set(receiver.taken.map(({ id }) => id)).size).to.equal(301);
    expect(receiver.forged).to.equal(0);
    expect(receiver.taken[0]).to.include({ type: "room.msg", path: "/hook" });
    // The receiver has an event before the service has its answer and stores the cursor.
    const rest = async (): Promise<number> => {
      await fixture.desk.prune();
      const tables = ["webhook_feed", "webhook_left"];
      const rows = await Promise.all(tables.map((name) => fixture.query(`select * from ${name}`)));
      return rows.flat().length;
    };
    await until(async () => (await rest()) === 0, within("an empty feed"));
    await node.stop();
    expect(receiver.deliveries).to.have.length(301);
  });

  it("W1: only the kinds and rooms of a subscription arrive, from its creation on", async () => {
    await using receiver = await openReceiver(SECRET);
    await fixture.archive(["w1-c"], 3);
    await fixture.add(receiver.url, { rooms: ["w1-c"] });
    await fixture.add(`${receiver.url}?pins`, { kinds: ["room.pinned"] });
    const node = fixture.start();
    await fixture.archive(["w1-c", "w1-d"], 2);
    await until(() => receiver.taken.length === 2, within("two deliveries"));
    expect(seqsOf(receiver, "w1-c")).to.deep.equal([4, 5]);
    await node.stop();
    expect(receiver.deliveries).to.have.length(2);
  });

  it("W2: an event that fails stops its room, not the others; then the room goes on in order", async () => {
    let isBad = true;
    await using receiver = await openReceiver(SECRET, ({ data }) =>
      data["room"] === "w2-bad" && data["seq"] === 3 && isBad ? 500 : 200,
    );
    const webhook = await fixture.add(receiver.url);
    const node = fixture.start();
    await fixture.archive(["w2-bad", "w2-good"], 10);
    await until(() => seqsOf(receiver, "w2-good").length === 10, within("the good room"));
    await fixture.archive(["w2-bad", "w2-good"], 10);
    await until(() => seqsOf(receiver, "w2-good").length === 20, within("the good room"));
    expect(seqsOf(receiver, "w2-bad")).to.deep.equal([1, 2]);
    const listed = async () => (await fixture.desk.list()).find((one) => one.webhook === webhook);
    await until(async () => (await listed())?.waiting === 18, within("18 waiting events"));
    expect(await listed()).to.deep.include({ dead: 0, reason: "status 500" });
    isBad = false;
    await until(() => seqsOf(receiver, "w2-bad").length === 20, within("the bad room"));
    expect(seqsOf(receiver, "w2-bad")).to.deep.equal(upTo(20));
    await node.stop();
  });

  it("W4: a receiver that hangs delays no other one, and gets everything when it answers", async () => {
    let hangs = true;
    await using slow = await openReceiver(SECRET, () => (hangs ? undefined : 200));
    await using good = await openReceiver(SECRET);
    await fixture.add(slow.url);
    await fixture.add(good.url);
    const node = fixture.start({ timeoutMs: 600_000 });
    for (let round = 0; round < 3; round++) {
      await fixture.archive(["w4-a", "w4-b", "w4-c"], 20);
      await until(() => good.taken.length === 60 * (round + 1), within("the good receiver"));
    }
    expect(slow.deliveries.length).to.be.within(1, 3); // One of each room.
    hangs = false;
    await node.stop();
    const next = fixture.start();
    await until(() => slow.taken.length >= 180, within("the slow receiver"));
    for (const room of ["w4-a", "w4-b", "w4-c"]) {
      expect(inOrder(seqsOf(slow, room))).to.deep.equal(upTo(60));
    }
    await next.stop();
  });

  it("W3: a second process takes over, and loses and reorders nothing", async () => {
    await using receiver = await openReceiver(SECRET);
    await fixture.add(receiver.url);
    const first = fixture.start();
    await until(() => first.serves.length === 1, within("the first process to serve"));
    const second = fixture.start();
    const archived = (async () => {
      for (let n = 0; n < 40; n++) {
        await fixture.archive(["w3-a", "w3-b", "w3-c"], 5);
        await until(() => receiver.taken.length > n * 10, within("the deliveries to follow"));
      }
    })();
    await until(() => receiver.taken.length > 100, within("some deliveries"));
    expect(second.serves).to.deep.equal([]);
    // What a kill leaves behind: the session with PostgreSQL ends at once.
    await fixture.query(
      "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid = $1",
      [0x686f6f6b],
    );
    await first.stop();
    await archived;
    const all = () =>
      ["w3-a", "w3-b", "w3-c"].every((room) => seqsOf(receiver, room).includes(200));
    await until(all, within("all deliveries"));
    for (const room of ["w3-a", "w3-b", "w3-c"]) {
      expect(inOrder(seqsOf(receiver, room))).to.deep.equal(upTo(200));
    }
    await until(() => second.serves.length === 1, within("the second process to serve"));
    await second.stop();
  });

  it("W6: what is too old becomes a dead letter, the room goes on, and a replay sends it again", async () => {
    let isBad = true;
    await using receiver = await openReceiver(SECRET, ({ data }) =>
      data["room"] === "w6-bad" && data["seq"] === 1 && isBad ? 503 : 200,
    );
    const webhook = await fixture.add(receiver.url);
    const node = fixture.start();
    await fixture.archive(["w6-bad"], 3);
    const waiting = async () => (await fixture.desk.list())[0]?.waiting === 3;
    await until(waiting, within("three waiting events"));
    await node.stop();
    const age = `${TRIED_FOR_MS + 1_000} ms`;
    await fixture.query("update webhook_left set at = now() - $1::interval where seq = 1", [age]);
    const next = fixture.start();
    await until(() => seqsOf(receiver, "w6-bad").length === 2, within("the rest of the room"));
    expect(seqsOf(receiver, "w6-bad")).to.deep.equal([2, 3]);
    const [dead] = (await fixture.desk.dead(webhook, 0, 10)) ?? [];
    expect(dead).to.include({ kind: "room.msg", reason: "status 503" });
    expect(dead?.id).to.match(/^room_w6-bad_1_[0-9a-f-]{36}$/);
    isBad = false;
    expect(await fixture.desk.replay(webhook, [dead!.id])).to.equal(1);
    await until(() => seqsOf(receiver, "w6-bad").length === 3, within("the dead letter"));
    expect(await fixture.desk.dead(webhook, 0, 10)).to.deep.equal([]);
    const other = "00000000-0000-4000-8000-000000000000";
    expect(await fixture.desk.dead(other, 0, 10), "W9: no such webhook").to.equal(undefined);
    expect(await fixture.desk.replay(other, undefined), "W9").to.equal(undefined);
    await next.stop();
  });

  it("W6: events that a receiver missed for three days go from the feed to the dead letters", async () => {
    await using receiver = await openReceiver(SECRET, () => 500);
    const webhook = await fixture.add(receiver.url);
    await fixture.archive(["w6-old"], 30);
    await fixture.query("update webhook_feed set at = now() - interval '73 hours'");
    const node = fixture.start();
    const dead = async () => (await fixture.desk.list())[0]?.dead === 30;
    await until(dead, within("30 dead letters"));
    expect(receiver.deliveries).to.deep.equal([]);
    expect(
      (await fixture.desk.dead(webhook, 0, 200))?.map(({ attempts }) => attempts),
    ).to.deep.equal(Array.from({ length: 30 }, () => 0));
    await node.stop();
  });

  it("C6: an event that was erased before it arrives is a tombstone", async () => {
    let isBad = true;
    await using receiver = await openReceiver(SECRET, () => (isBad ? 500 : 200));
    await fixture.add(receiver.url);
    const node = fixture.start();
    await fixture.archive(["c6"], 2);
    await until(() => receiver.deliveries.length > 0, within("an attempt"));
    await fixture.query(`update events set line = jsonb_build_object('t', 'msg', 'room', 'c6', 'seq', seq,
      'id', id, 'from', sender, 'at', at, 'body', '{}'::jsonb, 'deleted', '{"by":"ada","at":1,"seq":9}'::jsonb)::text
      where room = 'c6' and seq = 1`);
    isBad = false;
    await until(() => receiver.taken.length === 2, within("both deliveries"));
    expect(receiver.taken[0]?.data).to.deep.include({ body: {}, seq: 1 });
    expect(receiver.taken[1]?.data["body"]).to.deep.equal({ text: "hello 2" });
    await node.stop();
  });

  it("W7: session events arrive beside those of rooms, in the order of each user", async () => {
    const records: SessionRecord[] = [];
    const sessions: SessionFeed = {
      read: ({ ident, position }, most) => {
        const from = ident === "s1" ? position : 0;
        const found = records.filter(({ seq }) => seq > from).slice(0, most);
        return Promise.resolve({
          ident: "s1",
          position: found.at(-1)?.seq ?? from,
          records: found,
        });
      },
      end: () => Promise.resolve({ ident: "s1", position: 0 }),
    };
    let isBad = true;
    await using receiver = await openReceiver(SECRET, ({ data }) =>
      isBad && data["user"] === "ben" ? 500 : 200,
    );
    await fixture.add(receiver.url, { kinds: ["session.ended", "room.msg"] });
    for (let seq = 1; seq <= 6; seq++) {
      const user = seq % 2 === 0 ? "ada" : "ben";
      const kind = seq < 3 ? "session.started" : "session.ended";
      const data = JSON.stringify({ user, session: `s${seq}`, reason: "gateway-lost" });
      records.push({ seq, user, kind, at: Date.now(), data });
    }
    const node = fixture.start({ sessions });
    await fixture.archive(["ben"], 2);
    await until(() => receiver.taken.length === 4, within("ada's sessions and the room ben"));
    isBad = false;
    await until(() => receiver.taken.length === 6, within("all"));
    const ended = receiver.taken.filter(({ type }) => type === "session.ended");
    const of = (user: string) =>
      ended.filter(({ data }) => data["user"] === user).map(({ id }) => id);
    expect(of("ada")).to.deep.equal(["session_s1_4", "session_s1_6"]);
    expect(of("ben")).to.deep.equal(["session_s1_3", "session_s1_5"]);
    await node.stop();
  });

  it("postgres-feed.2: without a subscription the archive writes no row of the feed", async () => {
    await fixture.query("delete from webhook_feed");
    await fixture.archive(["quiet"], 3);
    expect(await fixture.query("select * from webhook_feed")).to.deep.equal([]);
  });
});
