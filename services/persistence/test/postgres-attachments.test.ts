// The records of attachments on a real PostgreSQL, with the rights of a serving process only.

import { expect } from "chai";
import { Client } from "pg";
import { valueOf } from "#shared/testing/archive.contract.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import type { Attachment } from "#shared/protocol/attachments.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { PostgresArchive } from "../adapters/archive-postgres.ts";
import { migrate } from "../adapters/migrate.ts";

const SERVING = { name: `parley_files_${process.pid}`, password: "serving" };
const room = "plans" as RoomId;
const [ada, ben] = ["ada", "ben"] as [UserId, UserId];
const idOf = (n: number): MessageId =>
  `01890000-0000-7000-8000-${String(n).padStart(12, "0")}` as MessageId;
const QUOTA = 1_000;

describe("Attachments on PostgreSQL", function () {
  this.timeout(60_000);
  let server: PostgresServer;
  let admin: Client;
  let store: PostgresArchive;
  let logSeq = 0;

  before(async () => {
    server = await launchPostgres();
    admin = new Client({ connectionString: server.url });
    await admin.connect();
    await migrate({ url: server.url, serving: SERVING });
    const whole = new URL(server.url);
    whole.username = SERVING.name;
    whole.password = SERVING.password;
    store = new PostgresArchive({ url: whole.href });
  });

  after(async () => {
    await store.close();
    await admin.query(`drop owned by ${SERVING.name}`);
    await admin.query(`drop role ${SERVING.name}`);
    await admin.end();
    await server.stop();
  });

  beforeEach(async () => {
    logSeq = 0;
    await admin.query(
      "truncate attachments, attachment_uses, events, rooms, members, watermarks, message_state",
    );
  });

  const begin = (n: number, user = ada, bytes = 10) =>
    store.begin({ id: idOf(n), room, user, name: `${n}.txt`, bytes, quota: QUOTA });
  const finish = (n: number, user = ada) =>
    store.finish({ id: idOf(n), room, user, type: "text/plain" });
  const find = (n: number) => store.find({ id: idOf(n), room });
  const fileOf = (n: number, bytes = 10): Attachment => ({
    id: idOf(n),
    name: `${n}.txt`,
    type: "text/plain",
    bytes,
  });

  async function write(...events: readonly object[]): Promise<void> {
    const from = logSeq;
    logSeq += 1;
    const lines = events.map((event) => {
      const whole = { room, from: ada, at: 1, ...event } as RoomEvent;
      const named = { ...whole, id: idOf(1_000 + whole.seq) };
      const { seq, from: sender, at, t: kind } = named;
      return { room, seq, kind, id: named.id, sender, at, line: encodeEvent(named) };
    });
    const outcome = await store.write({ p: 0, from, to: logSeq, epoch: 1, events: lines });
    expect(outcome).to.deep.equal({ kind: "ok", quarantined: 0 });
  }
  const say = (seq: number, attachments: readonly Attachment[], more = {}) => ({
    t: "msg",
    seq,
    body: {},
    attachments,
    ...more,
  });
  const erase = (seq: number, target: number) => ({ t: "deleted", seq, target });

  async function toSweep(): Promise<readonly number[]> {
    const query = { after: idOf(0), unfinishedMs: 0, unsentMs: 60_000, most: 10 };
    return valueOf(await store.sweepable(query)).map(({ id }) => Number(id.slice(-12)));
  }

  it("AT3: a file is found when it is finished, in its room only, and a repeat changes nothing", async () => {
    expect(await begin(1)).to.deep.equal({ kind: "begun" });
    expect(await begin(1)).to.deep.equal({ kind: "begun" });
    expect(await find(1)).to.deep.equal({ kind: "refused", error: "missing" });
    expect(await finish(1)).to.deep.equal({ kind: "file", file: fileOf(1) });
    expect(await begin(1)).to.deep.equal({ kind: "file", file: fileOf(1) });
    const other = { id: idOf(1), room, user: ada, type: "image/png", width: 1, height: 1 };
    expect(await store.finish(other)).to.deep.equal({ kind: "file", file: fileOf(1) });
    expect(await begin(1, ben)).to.deep.equal({ kind: "refused", error: "conflict" });
    expect(await begin(1, ada, 11)).to.deep.equal({ kind: "refused", error: "conflict" });
    expect(await finish(1, ben)).to.deep.equal({ kind: "refused", error: "missing" });
    const elsewhere = await store.find({ id: idOf(1), room: "general" as RoomId });
    expect(elsewhere).to.deep.equal({ kind: "refused", error: "missing" });
  });

  it("AT7: uploads of a user that begin at once do not pass the quota, and an erased file counts no more", async () => {
    const outcomes = await Promise.all([1, 2, 3, 4].map((n) => begin(n, ada, 400)));
    const kinds = outcomes.map((outcome) => ("error" in outcome ? outcome.error : outcome.kind));
    expect(kinds.toSorted()).to.deep.equal(["begun", "begun", "full", "full"]);
    expect(await begin(5, ben, QUOTA)).to.deep.equal({ kind: "begun" });
    expect(await begin(6, ben, 1)).to.deep.equal({ kind: "refused", error: "full" });
    await finish(5, ben);
    await write(say(1, [fileOf(5, QUOTA)], { from: ben }), erase(2, 1));
    expect(await begin(6, ben, 1)).to.deep.equal({ kind: "begun" });
  });

  it("AT5: a file is erased with the last message that names it, in the batch of the deletion", async () => {
    for (const n of [1, 2, 3]) {
      await begin(n);
      await finish(n);
    }
    await write(say(1, [fileOf(1), fileOf(2)]), say(2, [fileOf(2)]));
    await write(erase(3, 1));
    expect(await find(1)).to.deep.equal({ kind: "refused", error: "missing" });
    expect(await find(2)).to.deep.equal({ kind: "file", file: fileOf(2) });
    expect(await toSweep()).to.deep.equal([1]);
    await write(erase(4, 2));
    expect(await find(2)).to.deep.equal({ kind: "refused", error: "missing" });
    expect(await toSweep()).to.deep.equal([1, 2]);
    await store.forget([idOf(1), idOf(2), idOf(3)]);
    expect(await toSweep()).to.deep.equal([]);
    const { rows } = await admin.query("select name from attachments");
    expect(rows).to.deep.equal([]);
  });

  it("AT5: a message and its deletion in one batch erase its file", async () => {
    await begin(1);
    await finish(1);
    await write(say(1, [fileOf(1)]), erase(2, 1));
    expect(await toSweep()).to.deep.equal([1]);
  });

  it("AT5: an archive that is filled from the logs again has the records again", async () => {
    await write(say(1, [{ ...fileOf(1), width: 30, height: 20 }, fileOf(2)]));
    const file = { ...fileOf(1), width: 30, height: 20 };
    expect(await find(1)).to.deep.equal({ kind: "file", file });
    await write(erase(2, 1));
    expect(await toSweep()).to.deep.equal([1, 2]);
  });

  it("AT5: a line of another sender or room takes no file over", async () => {
    await begin(1);
    await finish(1);
    await write(say(1, [fileOf(1)], { from: ben }));
    await write(erase(2, 1));
    expect(await find(1)).to.deep.equal({ kind: "file", file: fileOf(1) });
  });

  it("AT6: what was not finished, and what no message named, is to be swept; a sent file is not", async () => {
    await begin(1);
    for (const n of [2, 3, 4]) {
      await begin(n);
      await finish(n);
    }
    await write(say(1, [fileOf(3)]));
    await admin.query("update attachments set begun = now() - interval '2 minutes'");
    await admin.query("update attachments set begun = now() where id = $1", [idOf(4)]);
    expect(await toSweep()).to.deep.equal([1, 2]);
  });
});
