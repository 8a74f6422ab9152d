// The routes of attachments: bounds, refusals and headers. verify/e2e/attachments.e2e.ts has the
// whole way.

import { request } from "node:http";
import { expect } from "chai";
import { systemClock } from "#shared/adapters/clock-system.ts";
import type { Counts } from "#shared/kit/counts.ts";
import { Metrics } from "#shared/process/metrics.ts";
import { until } from "#shared/testing/wait.ts";
import { registerAttachments } from "../adapters/attachment-metrics.ts";
import { PART_BYTES } from "../adapters/attachment-stats.ts";
import { UPLOADS_MAX, UPLOADS_PER_USER_MAX } from "../core/bounds.ts";
import { Thumbnails } from "../runtime/thumbnails.ts";
import { idNumber, openHttpFixture } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";
import { FILE_BYTES_MAX, MemoryAttachments } from "./memory-attachments.ts";

const WITHIN = { withinMs: 20_000 };
const pathOf = (n: number, name = "a.txt"): string =>
  `/v1/rooms/general/attachments/${idNumber(n)}?name=${encodeURIComponent(name)}`;

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function answerOf(response: Response): Promise<Answer> {
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

async function put(
  fixture: HttpFixture,
  n: number,
  body: string | Uint8Array<ArrayBuffer> = "text",
  name?: string,
): Promise<Answer> {
  return answerOf(await fixture.ask(pathOf(n, name), { method: "PUT", body }));
}

async function link(fixture: HttpFixture, n: number): Promise<string> {
  const { body } = await answerOf(await fixture.ask(pathOf(n)));
  return String(body["url"]);
}

/** An upload that has sent its head and `begun`, and whose client then waits. */
async function slow(
  fixture: HttpFixture,
  n: number,
  begun = "x",
): Promise<{ end(): void; closed: Promise<unknown> }> {
  const headers = {
    authorization: `Bearer ${await fixture.token()}`,
    "content-length": 1_000,
    connection: "close",
  };
  const sent = request(fixture.url + pathOf(n), { method: "PUT", headers });
  const closed = new Promise((resolve) => {
    sent.on("response", (response) => resolve(response.statusCode));
    sent.on("error", resolve);
  });
  sent.flushHeaders();
  sent.write(begun);
  return { end: () => sent.destroy(), closed };
}

const NO_THREAD = (): never => {
  throw new Error("no image was sent");
};
const shown = (counts: Counts): object =>
  Object.fromEntries([...counts].filter(([, count]) => count > 0));

/** The whole answer, so that its bytes are counted. */
async function read(url: string, headers: Record<string, string> = {}): Promise<Response> {
  const response = await fetch(url, { headers: { connection: "close", ...headers } });
  await response.arrayBuffer();
  return response;
}

describe("HttpAttachments", () => {
  it("AT8: no browser runs a file, and only images, sound and video are shown", async () => {
    await using fixture = await openHttpFixture();
    const png = Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR".padEnd(100, "\0"), "latin1");
    const files: [string | Buffer, string, string][] = [
      ["<script>alert(1)</script>", "text/plain; charset=utf-8", "attachment"],
      ["<?xml version='1.0'?><svg onload='alert(1)'/>", "text/plain; charset=utf-8", "attachment"],
      ["%PDF-1.7\n", "application/pdf", "attachment"],
      [png, "image/png", "inline"],
    ];
    for (const [n, [content, type, disposition]] of files.entries()) {
      const { status } = await put(fixture, n, new Uint8Array(Buffer.from(content)), 'ü"\r\n.html');
      expect(status).to.equal(201);
      const { headers } = await fetch(fixture.url + (await link(fixture, n)));
      expect(headers.get("content-type")).to.equal(type);
      expect(headers.get("content-disposition")).to.equal(
        `${disposition}; filename="?\\".html"; filename*=UTF-8''%C3%BC%22.html`,
      );
      expect(headers.get("x-content-type-options")).to.equal("nosniff");
      expect(headers.get("content-security-policy")).to.match(/^default-src 'none'; sandbox;/);
    }
    expect(fixture.attachments.open).to.equal(0);
  });

  it("AT9: without a store there are no attachments", async () => {
    await using fixture = await openHttpFixture({ withoutStore: true });
    for (const answer of [await put(fixture, 1), await answerOf(await fixture.ask(pathOf(1)))]) {
      expect(answer.status).to.equal(404);
      expect(answer.body["detail"]).to.match(/takes no attachments/);
    }
    expect((await fetch(`${fixture.url}/v1/files/x`)).status).to.equal(404);
  });

  it("AT9: while the store or persistence is away, uploads and downloads get unavailable", async () => {
    await using fixture = await openHttpFixture();
    const { attachments } = fixture;
    expect((await put(fixture, 1)).status).to.equal(201);
    const url = await link(fixture, 1);
    attachments.isAway = true;
    expect((await put(fixture, 2)).body).to.include({ name: "unavailable" });
    expect(fixture.logged()).to.include("an upload failed");
    expect((await answerOf(await fetch(fixture.url + url))).body).to.include({
      name: "unavailable",
    });
    attachments.isAway = false;
    attachments.recordsInstead = { kind: "refused", error: "unavailable" };
    expect((await put(fixture, 3)).body).to.include({ name: "unavailable" });
    expect((await answerOf(await fetch(fixture.url + url))).body).to.include({
      name: "unavailable",
    });
    expect(fixture.logged()).not.to.include(idNumber(2));
  });

  it("AT4: a revoked token ends its links, and a link ends with its time", async () => {
    await using fixture = await openHttpFixture();
    await put(fixture, 1);
    const url = await link(fixture, 1);
    expect((await fetch(fixture.url + url)).status).to.equal(200);
    fixture.attachments.revoked = true;
    expect((await fetch(fixture.url + url)).status).to.equal(403);
    fixture.attachments.revoked = false;
    fixture.roomApi.readInstead = () => ({ kind: "refused", error: "forbidden" });
    expect((await fetch(fixture.url + url)).status).to.equal(403);
    expect((await put(fixture, 2)).status).to.equal(403);
  });

  it("AT7: refuses a length that is missing, 0 or too large, before a byte is stored", async () => {
    await using fixture = await openHttpFixture();
    expect((await put(fixture, 1, "")).body).to.include({ name: "bad_frame" });
    const large = await put(fixture, 1, new Uint8Array(FILE_BYTES_MAX + 1));
    expect(large.body).to.include({ name: "too_large" });
    const chunked = await fixture.ask(pathOf(1), {
      method: "PUT",
      body: new Blob(["text"]).stream(),
      duplex: "half",
    } as RequestInit & { headers?: Record<string, string> });
    expect((await answerOf(chunked)).body).to.include({ name: "bad_frame" });
    expect(fixture.attachments.begun.size).to.equal(0);
    expect((await fixture.ask(pathOf(1, ""), { method: "PUT", body: "x" })).status).to.equal(400);
  });

  it("AT11: a refused upload says why: off, size, quota or type", async () => {
    await using fixture = await openHttpFixture();
    const large = await put(fixture, 1, new Uint8Array(FILE_BYTES_MAX + 1));
    expect(large.body).to.include({ name: "too_large", reason: "size" });
    const program = Buffer.from("\x7fELF\x02\x01\x01".padEnd(100, "\0"), "latin1");
    const refused = await put(fixture, 2, new Uint8Array(program));
    expect(refused.body).to.include({ name: "forbidden", reason: "type" });
    fixture.attachments.recordsInstead = { kind: "refused", error: "full" };
    const full = await put(fixture, 3);
    expect(full.body).to.include({ name: "too_large", reason: "quota" });
    fixture.attachments.recordsInstead = { kind: "refused", error: "busy" };
    expect((await put(fixture, 4)).body).to.not.have.property("reason");
    await using without = await openHttpFixture({ withoutStore: true });
    expect((await put(without, 1)).body).to.include({ name: "not_found", reason: "off" });
  });

  it("AT7: a user has a number of uploads in progress, and other users are not delayed", async () => {
    await using fixture = await openHttpFixture();
    const uploads = [];
    for (let n = 0; n < UPLOADS_PER_USER_MAX; n++) uploads.push(await slow(fixture, n));
    const { begun } = fixture.attachments;
    await until(() => begun.size === UPLOADS_PER_USER_MAX, { ...WITHIN, what: "the uploads" });
    expect((await put(fixture, 9)).body).to.include({ name: "busy" });
    const headers = { authorization: `Bearer ${await fixture.token({ user: "ben" })}` };
    const other = await fixture.ask(pathOf(8), { method: "PUT", body: "text", headers });
    expect(other.status).to.equal(201);
    const began = performance.now();
    for (const upload of uploads) upload.end();
    const isFree = async (): Promise<boolean> => (await put(fixture, 9)).status === 201;
    await until(isFree, { ...WITHIN, what: "a free place" });
    expect(performance.now() - began).to.be.below(12_000); // Not the timeout of a request.
    expect(fixture.attachments.objects.size).to.equal(2);
  });

  it("E14: uploads and downloads count by outcome, with their bytes", async () => {
    await using fixture = await openHttpFixture();
    const { attachments } = fixture;
    const { stats } = attachments;
    expect((await put(fixture, 1, "text")).status).to.equal(201);
    expect((await put(fixture, 1, "text")).status).to.equal(201);
    await put(fixture, 2, new Uint8Array(FILE_BYTES_MAX + 1));
    await put(fixture, 3, new Uint8Array(Buffer.from("\x7fELF".padEnd(100, "\0"), "latin1")));
    await put(fixture, 4, "");
    attachments.isAway = true;
    await put(fixture, 5);
    attachments.isAway = false;
    const counted = { stored: 1, again: 1, size: 1, type: 1, bad_frame: 1, unavailable: 1 };
    expect(shown(stats.uploads.outcomes)).to.deep.equal(counted);
    const url = fixture.url + (await link(fixture, 1));
    const { headers } = await read(url);
    await read(url, { range: "bytes=1-2" });
    await read(url, { range: "bytes=90-" });
    await read(url, { "if-none-match": headers.get("etag") ?? "" });
    await read(`${url}x`);
    attachments.objects.clear();
    await read(url);
    attachments.isAway = true;
    await read(url);
    expect(shown(stats.downloads.outcomes)).to.deep.equal({
      sent: 2,
      not_modified: 1,
      bad_frame: 1,
      forbidden: 1,
      not_found: 1,
      unavailable: 1,
    });
    expect([stats.uploads.bytes, stats.downloads.bytes]).to.deep.equal([4, 6]);
  });

  it("E14: a client that leaves an upload counts as that, and parts in progress count as memory", async () => {
    await using fixture = await openHttpFixture();
    const { stats, begun } = fixture.attachments;
    const upload = await slow(fixture, 1);
    await until(() => begun.size === 1, { ...WITHIN, what: "the upload" });
    expect([stats.uploads.count, stats.bytesHeld]).to.deep.equal([1, PART_BYTES]);
    upload.end();
    const isOver = (): boolean => stats.uploads.count === 0;
    await until(isOver, { ...WITHIN, what: "the end of the upload" });
    expect(shown(stats.uploads.outcomes)).to.deep.equal({ aborted: 1 });
    expect(fixture.logged()).not.to.include("an upload failed");
    expect(stats.bytesHeld).to.equal(0);
  });

  it("E14: the metrics of attachments have the bounds, and each outcome from the start", async () => {
    const metrics = new Metrics({ service: "gateway", version: "1" });
    const { stats } = new MemoryAttachments();
    registerAttachments(metrics, { stats, thumbnails: new Thumbnails(systemClock, NO_THREAD) });
    const text = await metrics.render();
    for (const line of [
      `parley_attachment_transfers_max{direction="upload"} ${UPLOADS_MAX}`,
      `parley_attachment_transfers{direction="download"} 0`,
      'parley_attachment_uploads_total{outcome="quota"} 0',
      'parley_attachment_downloads_total{outcome="busy"} 0',
      'parley_attachment_bytes_total{direction="upload"} 0',
      'parley_attachment_thumbnails_total{outcome="none"} 0',
      "parley_attachment_thumbnail_seconds_count 0",
    ]) {
      expect(text).to.contain(`${line}\n`);
    }
  });

  it("http-sockets.6: an upload may take longer than a request, and is cut when nothing arrives", async () => {
    const bounds = { requestMs: 400, checkMs: 20, uploadBytesPerSecond: 100 };
    await using fixture = await openHttpFixture({ bounds });
    const upload = await slow(fixture, 1, "x".repeat(5_000).slice(0, 900));
    const began = performance.now();
    await upload.closed;
    expect(performance.now() - began).to.be.above(300);
    expect(fixture.attachments.objects.size).to.equal(0);
  });
});
