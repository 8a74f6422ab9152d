// The previews of a process: what is shared, kept and refused, and its answers on the bus.

import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { decodePreviewAnswer, encodePreviewRequest } from "#shared/protocol/link-previews.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { readPage } from "../adapters/page-reader.ts";
import { openPreviews } from "../adapters/preview-server.ts";
import {
  FETCHES_MAX,
  HOST_FETCHES_MAX,
  NO_PREVIEW_KEPT_MS,
  PREVIEW_KEPT_MS,
  PREVIEWS_MAX,
} from "../core/bounds.ts";
import { configSchema } from "../config.ts";
import type { Fetched } from "../core/ports.ts";
import { LinkPreviews } from "../runtime/link-previews.ts";

const TEA = { kind: "preview", preview: { title: "Tea" } } as const;
const NOTHING = { kind: "none", reason: "nothing" } as const;
const BUSY = { kind: "none", reason: "unavailable" } as const;

const pageOf = (html: string): Fetched => ({
  kind: "page",
  bytes: Buffer.from(html),
  charset: undefined,
});

class Desk {
  now = 0;
  readonly fetched: string[] = [];
  /** Undefined: a fetch waits for `answer`. */
  page: Fetched | undefined = pageOf("<title>Tea</title>");
  readonly #waiting: ((page: Fetched) => void)[] = [];
  readonly previews = new LinkPreviews({
    fetcher: {
      fetch: (url) => {
        this.fetched.push(url);
        if (this.page !== undefined) return Promise.resolve(this.page);
        return new Promise((resolve) => this.#waiting.push(resolve));
      },
    },
    read: readPage,
    clock: { monotonic: () => this.now },
  });

  answer(page: Fetched): void {
    for (const resolve of this.#waiting.splice(0)) resolve(page);
  }
}

describe("Link previews: what a process keeps", () => {
  it("LP1, LP3: off by default, with networks of their own", () => {
    const env = { DATABASE_URL: "postgres://db.example/parley", WEBHOOKS_ALLOW: "10.0.0.0/8" };
    const config = configSchema.parse(env);
    expect([config.LINK_PREVIEWS, config.LINK_PREVIEWS_ALLOW]).to.deep.equal(["off", []]);
    expect(configSchema.safeParse({ ...env, LINK_PREVIEWS_ALLOW: "10.0.0.1" }).success).to.equal(
      false,
    );
    expect(configSchema.safeParse({ ...env, LINK_PREVIEWS: "1" }).success).to.equal(false);
  });

  it("LP7: requests for one URL at the same time are one fetch", async () => {
    const desk = new Desk();
    desk.page = undefined;
    const asked = [1, 2, 3].map(() => desk.previews.preview("https://tea.example/a"));
    desk.answer(pageOf("<title>Tea</title>"));
    expect(await Promise.all(asked)).to.deep.equal([TEA, TEA, TEA]);
    expect(desk.fetched).to.deep.equal(["https://tea.example/a"]);
  });

  it("LP7: a preview is kept for an hour, and that there is none for five minutes", async () => {
    const desk = new Desk();
    const ask = () => desk.previews.preview("https://tea.example");
    expect(await ask()).to.deep.equal(TEA);
    desk.now = PREVIEW_KEPT_MS - 1;
    desk.page = { kind: "failed", reason: "time" };
    expect(await ask()).to.deep.equal(TEA);
    desk.now++;
    expect(await ask()).to.deep.equal(NOTHING);
    desk.page = pageOf("<title>Tea</title>");
    desk.now += NO_PREVIEW_KEPT_MS - 1;
    expect(await ask()).to.deep.equal(NOTHING);
    desk.now++;
    expect(await ask()).to.deep.equal(TEA);
    expect(desk.fetched).to.have.length(3);
    expect(Object.fromEntries(desk.previews.outcomes)).to.include({ preview: 2, time: 1, kept: 2 });
  });

  it("LP7: beyond the bounds of a process and of a host a request is refused at once, and not kept", async () => {
    const desk = new Desk();
    desk.page = undefined;
    const { previews } = desk;
    const ofHost = Array.from({ length: HOST_FETCHES_MAX }, (_, n) =>
      previews.preview(`https://slow.example/${n}`),
    );
    expect(await previews.preview("https://slow.example/more")).to.deep.equal(BUSY);
    const others = Array.from({ length: FETCHES_MAX - HOST_FETCHES_MAX }, (_, n) =>
      previews.preview(`https://site-${n}.example/`),
    );
    expect(await previews.preview("https://one-more.example/")).to.deep.equal(BUSY);
    desk.answer(pageOf("<title>Tea</title>"));
    for (const answer of await Promise.all([...ofHost, ...others])) {
      expect(answer).to.deep.equal(TEA);
    }
    desk.page = pageOf("<title>Tea</title>");
    for (const url of ["https://slow.example/more", "https://one-more.example/"]) {
      expect(await previews.preview(url)).to.deep.equal(TEA);
    }
  });

  it("LP7: the answers read least recently go first", async () => {
    const desk = new Desk();
    for (let n = 0; n <= PREVIEWS_MAX; n++) await desk.previews.preview(`https://tea.example/${n}`);
    desk.fetched.length = 0;
    await desk.previews.preview(`https://tea.example/${PREVIEWS_MAX}`);
    await desk.previews.preview("https://tea.example/0");
    expect(desk.fetched).to.deep.equal(["https://tea.example/0"]);
  });

  it("LP8: every reason without a preview is the same answer", async () => {
    const desk = new Desk();
    const pages: Fetched[] = [
      { kind: "failed", reason: "address" },
      { kind: "failed", reason: "connection" },
      { kind: "failed", reason: "type" },
      pageOf("no title"),
    ];
    for (const [n, page] of pages.entries()) {
      desk.page = page;
      expect(await desk.previews.preview(`https://tea.example/${n}`)).to.deep.equal(NOTHING);
    }
    expect(await desk.previews.preview("https://[broken/")).to.deep.equal(NOTHING);
  });

  it("LP2: the process answers whole requests on the bus, once in its group", async () => {
    const bus = new MemoryBroker().connect();
    const [one, two] = [new Desk(), new Desk()];
    const served = [one, two].map(({ previews }) => openPreviews(bus, previews));
    const ask = (text: string) => bus.request(subjects.linkPreview, text, { timeoutMs: 50 });
    const answer = await ask(encodePreviewRequest("https://tea.example/"));
    const text = answer.kind === "ok" ? new TextDecoder().decode(answer.data) : "";
    expect(decodePreviewAnswer(text)).to.deep.equal(TEA);
    expect([...one.fetched, ...two.fetched]).to.have.length(1);
    expect(await ask('{"v":2,"url":"https://tea.example/"}')).to.deep.equal({ kind: "timeout" });
    expect(await ask('{"v":1,"url":"ftp://tea.example/"}')).to.deep.equal({ kind: "timeout" });
    for (const subscription of served) subscription.unsubscribe();
    expect(await ask(encodePreviewRequest("https://tea.example/"))).to.deep.equal({
      kind: "no-responders",
    });
  });
});
