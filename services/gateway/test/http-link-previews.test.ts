// The route of link previews, and its question on the bus.

import { expect } from "chai";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { decodePreviewRequest, encodePreviewAnswer } from "#shared/protocol/link-previews.ts";
import type { PreviewAnswer } from "#shared/protocol/link-previews.ts";
import { LINK_URL_LENGTH_MAX } from "#shared/protocol/limits.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { configSchema, httpConfig } from "../config.ts";
import { LinkPreviewsOverBus } from "../runtime/link-previews-over-bus.ts";
import { openHttpFixture, problemOf } from "./http-fixture.ts";

const TEA: PreviewAnswer = {
  kind: "preview",
  preview: { title: "Tea", description: "Leaves", site: "Tea House" },
};
const LINK = "https://tea.example/green?a=1";
const path = (url: string): string => `/v1/link-preview?url=${encodeURIComponent(url)}`;

describe("HttpLinkPreviews", () => {
  it("LP8: a user with a token gets the preview, or that there is none, with 200", async () => {
    await using fixture = await openHttpFixture();
    fixture.linkPreviews.answer = TEA;
    const response = await fixture.ask(path(LINK));
    expect(response.status).to.equal(200);
    expect(response.headers.get("cache-control")).to.equal("no-store");
    expect(await response.json()).to.deep.equal(TEA);
    for (const reason of ["off", "unavailable", "nothing"] as const) {
      fixture.linkPreviews.answer = { kind: "none", reason };
      const none = await fixture.ask(path(LINK));
      expect([none.status, await none.json()]).to.deep.equal([200, { kind: "none", reason }]);
    }
    expect(fixture.linkPreviews.urls).to.deep.equal(Array.from({ length: 4 }, () => LINK));
    expect(fixture.logged(), "no URL in the log").to.not.include("tea.example");
  });

  it("LP8: a request without a token, or with a text that is no web address, asks no fetcher", async () => {
    await using fixture = await openHttpFixture();
    expect(
      await problemOf(await fixture.ask(path(LINK), { headers: { authorization: "" } })),
    ).to.include({
      name: "unauthorized",
    });
    const long = `https://tea.example/${"a".repeat(LINK_URL_LENGTH_MAX)}`;
    const bad = ["", "tea", "ftp://tea.example/", "javascript:alert(1)", "https://", long];
    bad.push("https://ada:secret@tea.example/", "https://tea.example/#leaves", "https://tea ex/");
    bad.push("https://tea.example/\u0000", "https://tea.example/ä", "file:///etc/passwd");
    for (const url of bad) {
      expect(await problemOf(await fixture.ask(path(url))), url).to.include({ name: "bad_frame" });
    }
    for (const query of ["", "?link=a", `?url=${LINK}&url=${LINK}`]) {
      const problem = await problemOf(await fixture.ask(`/v1/link-preview${query}`));
      expect(problem, query).to.include({ name: "bad_frame" });
    }
    expect(fixture.linkPreviews.urls).to.deep.equal([]);
  });

  it("LP8: requests count against the rate of the user", async () => {
    await using fixture = await openHttpFixture({
      config: { limits: true },
      clock: { ...systemClock, monotonic: () => 0 },
    });
    const statuses = new Set<number>();
    const all = Array.from({ length: 80 }, () => fixture.ask(path(LINK)));
    for (const { status } of await Promise.all(all)) statuses.add(status);
    expect([...statuses]).to.have.members([200, 429]);
  });
});

describe("Link previews of a gateway", () => {
  it("LP1: off by default, in the configuration and for the page", () => {
    const env = { AUTH: "dev" };
    const off = configSchema.parse(env);
    expect(off.LINK_PREVIEWS).to.equal("off");
    expect(httpConfig(off).linkPreviews).to.deep.equal({});
    const on = configSchema.parse({ ...env, LINK_PREVIEWS: "on" });
    expect(httpConfig(on).linkPreviews).to.deep.equal({ on: true });
  });

  it("LP1, LP2: off: no process is asked. On: the question has the URL only", async () => {
    const bus = new MemoryBroker().connect();
    const asked: string[] = [];
    bus.subscribe(subjects.linkPreview, ({ data, reply = "" }) => {
      asked.push(new TextDecoder().decode(data));
      bus.publish(reply, encodePreviewAnswer(TEA));
    });
    const off = { kind: "none", reason: "off" };
    expect(await new LinkPreviewsOverBus(undefined).preview(LINK)).to.deep.equal(off);
    expect(asked).to.deep.equal([]);
    expect(await new LinkPreviewsOverBus(bus).preview(LINK)).to.deep.equal(TEA);
    expect(asked.map((text) => JSON.parse(text))).to.deep.equal([{ v: 1, url: LINK }]);
    expect(asked.map(decodePreviewRequest)).to.deep.equal([LINK]);
  });

  it("LP2: without a process, and with one that answers nonsense, the preview is unavailable", async () => {
    const unavailable = { kind: "none", reason: "unavailable" };
    const bus = new MemoryBroker().connect();
    const previews = new LinkPreviewsOverBus(bus);
    expect(await previews.preview(LINK)).to.deep.equal(unavailable);
    const answers = ["", "{}", '{"v":1,"kind":"preview"}', '{"v":2,"kind":"none","reason":"off"}'];
    answers.push('{"v":1,"kind":"preview","preview":{"title":5}}', '{"v":1,"kind":"none"}');
    answers.push(`{"v":1,"kind":"preview","preview":{"title":"${"x".repeat(201)}"}}`);
    let text = "";
    bus.subscribe(subjects.linkPreview, ({ reply = "" }) => bus.publish(reply, text));
    for (text of answers) expect(await previews.preview(LINK), text).to.deep.equal(unavailable);
    const lost = { request: () => Promise.resolve({ kind: "timeout" } as const) };
    expect(await new LinkPreviewsOverBus(lost).preview(LINK)).to.deep.equal(unavailable);
  });
});
