// HttpExport: a whole room as lines of JSON.

import { expect } from "chai";
import { readExportLine } from "#shared/protocol/export.ts";
import type { ExportLine } from "#shared/protocol/export.ts";
import { EXPORT_PAGE_EVENTS, EXPORTS_PER_USER_MAX } from "../core/bounds.ts";
import { openHttpFixture } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";

const PATH = "/v1/rooms/general/export";

async function fill(fixture: HttpFixture, count: number): Promise<void> {
  for (let n = 1; n <= count; n++) {
    const id = `0199f000-0000-7000-8000-${String(n).padStart(12, "0")}` as never;
    const frame = {
      t: "send",
      room: "general" as never,
      id,
      body: { text: `message ${n}` },
    } as const;
    await fixture.roomApi.write({ user: "ada" as never, frame });
  }
}

function linesOf(text: string): (ExportLine | undefined)[] {
  expect(text.endsWith("\n")).to.equal(true);
  return text.trimEnd().split("\n").map(readExportLine);
}

describe("HttpExport", () => {
  it("J1: streams every event up to the head, page by page, between a first and a last line", async () => {
    await using fixture = await openHttpFixture();
    const count = 2 * EXPORT_PAGE_EVENTS + 3;
    await fill(fixture, count);
    const response = await fixture.ask(PATH);
    expect(response.headers.get("content-type")).to.match(/^application\/x-ndjson/);
    expect(response.headers.get("cache-control")).to.equal("no-store");
    const lines = linesOf(await response.text());
    expect(lines[0]).to.include({ t: "export", room: "general", after: 0, head: count });
    expect(lines.at(-1)).to.deep.equal({ t: "end", seq: count });
    const numbers = lines.slice(1, -1).map((line) => (line?.t === "event" ? line.event.seq : 0));
    expect(numbers).to.deep.equal(Array.from({ length: count }, (_, i) => i + 1));
    const rest = linesOf(await (await fixture.ask(`${PATH}?after=${count - 1}`)).text());
    expect(rest.map((line) => line?.t)).to.deep.equal(["export", "event", "end"]);
    const none = linesOf(await (await fixture.ask(`${PATH}?after=${count + 5}`)).text());
    expect(none.map((line) => line?.t)).to.deep.equal(["export", "end"]);
  });

  it("J2: a refusal has its status, and behind the first page it is the last line", async () => {
    await using fixture = await openHttpFixture();
    await fill(fixture, EXPORT_PAGE_EVENTS + 1);
    let pages = 0;
    fixture.roomApi.before = () => {
      if (++pages === 2) {
        fixture.roomApi.pageInstead = () => ({ kind: "refused", error: "forbidden" });
      }
      return Promise.resolve();
    };
    const lines = linesOf(await (await fixture.ask(PATH)).text());
    expect(lines).to.have.length(EXPORT_PAGE_EVENTS + 2);
    expect(lines.at(-1)).to.deep.equal({ t: "error", name: "forbidden" });
    expect((await fixture.ask(PATH)).status).to.equal(403);
    fixture.roomApi.readInstead = () => ({ kind: "refused", error: "unavailable" });
    expect((await fixture.ask(PATH)).status).to.equal(503);
    expect((await fixture.ask(`${PATH}?after=-1`)).status).to.equal(400);
    expect((await fixture.ask(PATH, { headers: { authorization: "" } })).status).to.equal(401);
  });

  it("J3: reads the next page when the client has read the page before, and bounds the exports of a user", async () => {
    await using fixture = await openHttpFixture();
    const big = "x".repeat(15_000);
    const count = 4 * EXPORT_PAGE_EVENTS;
    for (let n = 1; n <= count; n++) {
      const id = `0199f000-0000-7000-8000-${String(n).padStart(12, "0")}` as never;
      const frame = { t: "send", room: "general" as never, id, body: { text: big } } as const;
      await fixture.roomApi.write({ user: "ada" as never, frame });
    }
    const readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
    for (let n = 0; n < EXPORTS_PER_USER_MAX; n++) {
      const response = await fixture.ask(PATH);
      expect(response.status).to.equal(200);
      const reader = response.body!.getReader();
      await reader.read();
      readers.push(reader);
    }
    // A page has 7.5 MB, more than the sockets buffer.
    expect(fixture.roomApi.pages.length).to.be.at.most(2 * EXPORTS_PER_USER_MAX);
    expect((await fixture.ask(PATH)).status).to.equal(503);
    for (const reader of readers) await reader.cancel();
    let again = await fixture.ask(PATH);
    for (let n = 0; n < 100 && again.status !== 200; n++) again = await fixture.ask(PATH);
    expect(again.status).to.equal(200);
    expect(linesOf(await again.text())).to.have.length(count + 2);
  });
});
