// Attachments on a real cluster: upload, send, download, rights, deletion, retries and limits, with
// a folder, through two gateways.

import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import sharp from "sharp";
import { systemClock, systemRandom } from "#shared/adapters/clock-system.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { UploadedFile } from "#shared/protocol/attachments.ts";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { FileFailed, Files } from "#client/sdk/files.ts";
import type { Parley } from "#client/sdk/parley.ts";
import { devToken } from "../wire-client/dev-token.ts";
import { connect } from "./clients.ts";

const WITHIN = { withinMs: 60_000 };
const CLI = fileURLToPath(new URL("../../client/cli/parley.ts", import.meta.url));
const run = promisify(execFile);
const KIB = 1024;
/** ATTACHMENTS_FILE_MIB and ATTACHMENTS_USER_MIB of this cluster. */
const FILE_BYTES_MAX = 1024 * KIB;
const USER_BYTES_MAX = 2 * 1024 * KIB;

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Series → value. */
async function scrape(url: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(url)).text();
  const lines = text.split("\n").map((line) => /^(\w+(?:\{[^}]*\})?) (\S+)/.exec(line) ?? []);
  return new Map(lines.map(([, series = "", value]) => [series, Number(value)]));
}

describe("Attachments on a cluster", function () {
  this.timeout(180_000);
  let cluster: Cluster;
  let dataDir: string;
  let ada: Parley;
  let ben: Parley;
  const tokens = new Map<string, string>();

  before(async () => {
    dataDir = mkdtempSync(join(tmpdir(), "parley-attachments-"));
    const env = { ATTACHMENTS_FILE_MIB: "1", ATTACHMENTS_USER_MIB: "2" };
    const shape = { gateways: 2, partitions: 2, limits: "off", say: () => undefined } as const;
    cluster = await startCluster({ ...shape, dataDir, port: 0, env });
    for (const user of ["ada", "ben", "eve", "cy"]) {
      tokens.set(user, await devToken(cluster.url, user));
    }
    ada = await connect(cluster, "ada", 0);
    ben = await connect(cluster, "ben", 1);
    await ada.createRoom("plans", { kind: "closed", members: [{ user: "ben" }] }).done;
  });

  after(async () => {
    ada?.close();
    ben?.close();
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const urlOf = (path: string, gateway = 0): URL =>
    new URL(path, cluster.info().gateways[gateway]?.url);

  function headersOf(user: string): Record<string, string> {
    return { authorization: `Bearer ${tokens.get(user)}`, connection: "close" };
  }

  async function ask(path: string, init: RequestInit & { user: string }): Promise<Answer> {
    const headers = { ...headersOf(init.user), ...(init.headers as object) };
    const response = await fetch(urlOf(path), { ...init, headers });
    return { status: response.status, body: (await response.json()) as Answer["body"] };
  }

  const newId = (): string => uuidv7(systemClock.now(), systemRandom);

  function put(
    user: string,
    content: string | Uint8Array<ArrayBuffer>,
    { room = "plans", id = newId(), name = "notes.txt" } = {},
  ): Promise<Answer> {
    const path = `/v1/rooms/${room}/attachments/${id}?name=${encodeURIComponent(name)}`;
    return ask(path, { method: "PUT", user, body: content });
  }

  async function upload(user: string, content: string, more = {}): Promise<UploadedFile> {
    const { status, body } = await put(user, content, more);
    expect(status, JSON.stringify(body)).to.equal(201);
    return body as unknown as UploadedFile;
  }

  const linkOf = (user: string, id: string, room = "plans"): Promise<Answer> =>
    ask(`/v1/rooms/${room}/attachments/${id}`, { user });

  const read = (path: unknown, headers = {}): Promise<Response> =>
    fetch(urlOf(String(path), 1), { headers: { connection: "close", ...headers } });

  const objects = (): string[] =>
    readdirSync(join(dataDir, "attachments"), { recursive: true, encoding: "utf8" });

  it("AT1, AT3, AT4, AT8: a file that ada sends is in the event of every member, who reads its bytes", async () => {
    const text = "the agenda, with an ü";
    const file = await upload("ada", text, { name: "../agenda <1>.txt" });
    const bytes = Buffer.byteLength(text);
    expect(file).to.include({ name: "agenda <1>.txt", type: "text/plain", bytes });
    const events: unknown[] = [];
    const room = ben.join("plans");
    room.on("event", (event) => void (event.t === "msg" && events.push(event.attachments)));
    const sent = await ada.join("plans").send({ text: "read this" }, { attachments: [file] }).done;
    expect(sent.kind).to.equal("acked");
    await until(() => events.length > 0, { ...WITHIN, what: "the message at ben" });
    const { until: _until, proof: _proof, ...attachment } = file;
    expect(events).to.deep.equal([[attachment]]);
    const { body } = await linkOf("ben", file.id);
    expect(body).to.include({ name: file.name, type: "text/plain" });
    const response = await read(body["url"]);
    expect(await response.text()).to.equal(text);
    expect(Object.fromEntries(response.headers)).to.include({
      "content-type": "text/plain; charset=utf-8",
      "content-disposition": 'attachment; filename="agenda <1>.txt"',
      "content-length": String(bytes),
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    });
    const part = await read(body["url"], { range: "bytes=4-9" });
    expect([part.status, await part.text()]).to.deep.equal([206, "agenda"]);
    const etag = response.headers.get("etag") ?? "";
    expect((await read(body["url"], { "if-none-match": etag })).status).to.equal(304);
    expect((await read(body["url"], { range: "bytes=900-" })).status).to.equal(416);
  });

  it("AT4: who may not read the room uploads nothing, gets no link, and a removal ends a link", async () => {
    const file = await upload("ada", "for members");
    expect((await linkOf("eve", file.id)).body).to.include({ name: "forbidden" });
    expect((await put("eve", "let me in")).body).to.include({ name: "forbidden" });
    // A file is of one room: a reader of another room gets it by no other name.
    expect((await linkOf("ada", file.id, "general")).body).to.include({ name: "not_found" });
    await ada.join("plans").invite("cy").done;
    const { body } = await linkOf("cy", file.id);
    expect((await read(body["url"])).status).to.equal(200);
    await ada.join("plans").remove("cy").done;
    expect((await read(body["url"])).status).to.equal(403);
    const forged = String(body["url"]).replace(/.$/, (last) => (last === "A" ? "B" : "A"));
    expect((await read(forged)).status).to.equal(403);
  });

  it("AT2: a proof is for one user, one room and these fields", async () => {
    const file = await upload("ada", "mine");
    const errorOf = async (parley: Parley, room: string, attachment: object): Promise<unknown> => {
      const attachments = [attachment as UploadedFile];
      const result = await parley.join(room).send({ text: "" }, { attachments }).done;
      return result.kind === "refused" ? result.error : result.kind;
    };
    expect(await errorOf(ben, "plans", file)).to.equal("forbidden");
    expect(await errorOf(ada, "general", file)).to.equal("forbidden");
    expect(await errorOf(ada, "plans", { ...file, name: "other.txt" })).to.equal("forbidden");
    expect(await errorOf(ada, "plans", { ...file, until: file.until + 1 })).to.equal("forbidden");
    const post = await ask("/v1/rooms/plans/messages", {
      method: "POST",
      user: "ada",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ body: { text: "" }, attachments: [file] }),
    });
    expect(post.status).to.equal(201);
  });

  it("AT5: a deletion ends every link, removes the bytes, and a file of two messages stays", async () => {
    const [one, two] = [await upload("ada", "erase me"), await upload("ada", "stay")];
    const room = ada.join("plans");
    const first = await room.send({ text: "both" }, { attachments: [one, two] }).done;
    const second = await room.send({ text: "again" }, { attachments: [two] }).done;
    if (first.kind !== "acked" || second.kind !== "acked") throw new Error("not sent");
    const { body } = await linkOf("ben", one.id);
    expect((await read(body["url"])).status).to.equal(200);
    await room.delete(first.seq).done;
    const isGone = async (): Promise<boolean> => (await read(body["url"])).status === 404;
    await until(isGone, { ...WITHIN, what: "the end of the link" });
    const hasBytes = (id: string): boolean => objects().some((path) => path.endsWith(id));
    await until(() => !hasBytes(one.id), { ...WITHIN, what: "the removal of the bytes" });
    expect(hasBytes(two.id)).to.equal(true);
    expect((await linkOf("ben", two.id)).status).to.equal(200);
  });

  it("AT10: an image has a thumbnail and its size, and the deletion removes both", async () => {
    const image = sharp({ create: { width: 1_000, height: 500, channels: 3, background: "red" } });
    const content = new Uint8Array(await image.jpeg().toBuffer());
    const { body: file } = await put("ada", content, { name: "red.jpg" });
    expect(file).to.include({ type: "image/jpeg", width: 1_000, height: 500 });
    const attachments = [file as unknown as UploadedFile];
    const sent = await ada.join("plans").send({ text: "" }, { attachments }).done;
    if (sent.kind !== "acked") throw new Error("not sent");
    const id = String(file["id"]);
    const { body } = await linkOf("ben", id);
    const thumbnail = await read(body["thumbnail"]);
    expect(thumbnail.headers.get("content-type")).to.equal("image/webp");
    const { width, height } = await sharp(await thumbnail.arrayBuffer()).metadata();
    expect([width, height]).to.deep.equal([720, 360]);
    await ada.join("plans").delete(sent.seq).done;
    const isGone = (): boolean => !objects().some((path) => path.includes(id));
    await until(isGone, { ...WITHIN, what: "the removal of both" });
  });

  it("AT3: the SDK uploads with progress, and `parley send --file` sends a file that ben opens", async () => {
    const files = new Files({ url: cluster.url, token: tokens.get("ada") ?? "" });
    const parts: number[] = [];
    const blob = new Blob(["x".repeat(300 * KIB)]);
    const onProgress = (part: number): void => void parts.push(part);
    const file = await files.upload("plans", blob, { name: "long.txt", onProgress });
    expect(file).to.include({ name: "long.txt", bytes: 300 * KIB });
    expect(parts.at(-1)).to.equal(1);
    expect(parts).to.deep.equal(parts.toSorted((a, b) => a - b));
    const refused = await files
      .upload("other-room", new Blob([""]))
      .catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(FileFailed).with.property("code", "bad_frame");
    const aborted = AbortSignal.abort(new Error("changed my mind"));
    const stopped = await files.upload("plans", blob, { signal: aborted }).catch(String);
    expect(stopped).to.equal("Error: changed my mind");
    const path = join(dataDir, "a plan.txt");
    writeFileSync(path, "one, two, three");
    const args = [CLI, "send", "plans", "the plan", `--file=${path}`, "--json"];
    const { stdout } = await run(process.execPath, [...args, `--url=${cluster.url}`, "--user=ada"]);
    const { seq } = JSON.parse(stdout) as { seq: number };
    const page = await ask(`/v1/rooms/plans/messages?after=${seq - 1}&limit=1`, { user: "ben" });
    const [event] = page.body["events"] as { attachments: { id: string }[] }[];
    const bens = new Files({ url: cluster.url, token: tokens.get("ben") ?? "" });
    const linked = await bens.link("plans", event?.attachments[0]?.id ?? "");
    expect(linked).to.include({ name: "a plan.txt", type: "text/plain" });
    expect(await (await fetch(linked.url)).text()).to.equal("one, two, three");
  });

  it("AT3: an upload with a known id gets the first answer, and another file gets conflict", async () => {
    const id = newId();
    const file = await upload("ben", "once", { id });
    const again = await upload("ben", "ONCE", { id });
    expect({ ...again, until: 0, proof: "" }).to.deep.equal({ ...file, until: 0, proof: "" });
    const { body } = await linkOf("ben", id);
    expect(await (await read(body["url"])).text()).to.equal("once");
    expect((await put("ben", "longer", { id })).body).to.include({ name: "conflict" });
    expect((await put("ada", "once", { id })).body).to.include({ name: "conflict" });
  });

  it("E14: gateways and persistence count files, their bytes and the operations of the store", async () => {
    const { gateways, persistence } = cluster.info();
    const [gateway, archive] = [gateways[0]?.metrics ?? "", persistence[0]?.metrics ?? ""];
    const before = [await scrape(gateway), await scrape(archive)] as const;
    const file = await upload("ada", "count me");
    const room = ada.join("plans");
    const sent = await room.send({ text: "" }, { attachments: [file] }).done;
    if (sent.kind !== "acked") throw new Error("not sent");
    const { body } = await linkOf("ada", file.id);
    await (await fetch(urlOf(String(body["url"])))).text();
    await room.delete(sent.seq).done;
    const swept = "parley_attachment_swept_bytes_total";
    const isSwept = async (): Promise<boolean> =>
      (await scrape(archive)).get(swept) === (before[1].get(swept) ?? 0) + file.bytes;
    await until(isSwept, { ...WITHIN, everyMs: 200, what: "the removal to be counted" });
    const after = [await scrape(gateway), await scrape(archive)] as const;
    const more = (of: 0 | 1, name: string): number =>
      (after[of].get(name) ?? Number.NaN) - (before[of].get(name) ?? Number.NaN);
    expect(more(0, 'parley_attachment_uploads_total{outcome="stored"}')).to.equal(1);
    expect(more(0, 'parley_attachment_downloads_total{outcome="sent"}')).to.equal(1);
    expect(more(0, 'parley_attachment_bytes_total{direction="upload"}')).to.equal(file.bytes);
    expect(more(0, 'parley_attachment_bytes_total{direction="download"}')).to.equal(file.bytes);
    expect(more(0, 'parley_attachment_store_seconds_count{op="put"}')).to.equal(1);
    expect(more(0, 'parley_gateway_memory_bytes{line="files"}')).to.equal(0);
    expect(more(1, "parley_attachment_swept_files_total")).to.equal(1);
    for (const op of ["put", "get", "read", "remove"]) {
      const errors = `parley_attachment_store_errors_total{op="${op}"}`;
      expect([after[0].get(errors), after[1].get(errors)], op).to.deep.equal([0, 0]);
    }
  });

  it("AT7: a file, all files of a user and the type have bounds", async () => {
    const tooLarge = await put("cy", new Uint8Array(FILE_BYTES_MAX + 1), { room: "general" });
    expect(tooLarge).to.deep.include({ status: 413 });
    const program = new Uint8Array(Buffer.from("MZ".padEnd(200, "\0")));
    const refused = await put("cy", program, { room: "general", name: "photo.png" });
    expect(refused.body).to.include({ name: "forbidden" });
    expect((await put("cy", "", { room: "general" })).body).to.include({ name: "bad_frame" });
    const whole = "x".repeat(FILE_BYTES_MAX);
    for (let used = FILE_BYTES_MAX; used < USER_BYTES_MAX; used += FILE_BYTES_MAX) {
      await upload("cy", whole, { room: "general" });
    }
    const full = await put("cy", whole, { room: "general" });
    expect(full.body).to.include({ name: "too_large" });
  });
});
