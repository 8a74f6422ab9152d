// HttpMessages: changes of messages, and pages of messages, over HTTP.

import { expect } from "chai";
import { isMessageId } from "#shared/protocol/ids.ts";
import { idNumber, openHttpFixture, textBody } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";

const PATH = "/v1/rooms/general/messages";

describe("HttpMessages", () => {
  let fixture: HttpFixture;
  beforeEach(async () => {
    fixture = await openHttpFixture();
  });
  afterEach(() => fixture[Symbol.asyncDispose]());

  const call: HttpFixture["call"] = (...request) => fixture.call(...request);

  it("C1, U9: each route writes the frame of its change, with the id of the key or a new one", async () => {
    const key = { "idempotency-key": idNumber(7) };
    const rows: [string, string, object | undefined, object][] = [
      [
        "PATCH",
        `${PATH}/3`,
        { body: textBody("b") },
        { t: "edit", target: 3, body: textBody("b") },
      ],
      [
        "PATCH",
        `${PATH}/3`,
        { body: textBody("b"), mentions: ["ben"] },
        { t: "edit", target: 3, body: textBody("b"), mentions: ["ben"] },
      ],
      ["DELETE", `${PATH}/3?reason=typo`, undefined, { t: "delete", target: 3, reason: "typo" }],
      ["PUT", `${PATH}/3/reactions/%F0%9F%91%8D`, undefined, { t: "react", emoji: "👍", on: true }],
      ["DELETE", `${PATH}/3/reactions/:ok:`, undefined, { t: "react", emoji: ":ok:", on: false }],
      ["PUT", "/v1/rooms/general/pins/3", undefined, { t: "pin", target: 3, on: true }],
      ["DELETE", "/v1/rooms/general/pins/3", undefined, { t: "pin", target: 3, on: false }],
    ];
    for (const [method, path, body, frame] of rows) {
      const { status, answer } = await call(method, path, body, key);
      expect([status, answer["id"]], `${method} ${path}`).to.deep.equal([200, idNumber(7)]);
      const sent = fixture.roomApi.sends.at(-1);
      expect(sent?.user).to.equal("ada");
      expect(sent?.frame).to.deep.include({ id: idNumber(7), room: "general", ...frame });
    }
    const { answer } = await call("DELETE", `${PATH}/3`);
    expect(isMessageId(answer["id"])).to.equal(true);
  });

  it("H6: a request without a body may name the type of a body, where none is needed", async () => {
    const type = { "content-type": "application/json" };
    const removed = await call("DELETE", "/v1/rooms/general/pins/3", undefined, type);
    expect(removed.status).to.equal(200);
    const { status, answer } = await call("PATCH", `${PATH}/3`, undefined, type);
    expect(status).to.equal(400);
    expect(answer["type"]).to.match(/bad_frame$/);
  });

  it("C7: one message is read by its number, with its state; no message is not_found", async () => {
    await fixture.post(PATH, { body: textBody("one") });
    const { status, answer } = await call("GET", `${PATH}/1`);
    expect(status).to.equal(200);
    expect(answer["message"]).to.deep.include({ t: "msg", seq: 1, body: textBody("one") });
    expect(answer["asOf"]).to.equal(1);
    expect(fixture.roomApi.pages.at(-1)).to.deep.include({
      user: "ada",
      room: "general",
      view: "messages",
      after: 0,
      limit: 1,
    });
    expect((await call("GET", `${PATH}/2`)).answer["name"]).to.equal("not_found");
    expect((await call("GET", `${PATH}/0`)).status).to.equal(400);
    const line = (t: string, seq = 3): string => JSON.stringify({ t, seq, from: "ada" });
    const page = (...events: string[]) => ({ kind: "page", events, more: false }) as const;
    const pages = [page(line("edited"))];
    fixture.roomApi.pageInstead = () => pages.shift() ?? page();
    expect((await call("GET", `${PATH}/3`)).answer["name"]).to.equal("not_found");
    pages.push(page(line("msg"))); // The archive lacks it.
    expect((await call("GET", `${PATH}/3`)).answer["name"]).to.equal("unavailable");
    fixture.roomApi.pageInstead = () => ({ kind: "refused", error: "forbidden" });
    expect((await call("GET", `${PATH}/3`)).status).to.equal(403);
  });

  it("C2: a broken number, emoji, reason or body is refused and writes nothing", async () => {
    const rows: [string, string, object | undefined, number][] = [
      ["PATCH", `${PATH}/0`, { body: textBody("b") }, 400],
      ["PATCH", `${PATH}/x`, { body: textBody("b") }, 400],
      ["PATCH", `${PATH}/3`, { body: "text" }, 400],
      ["PATCH", `${PATH}/3`, { body: textBody("b"), mentions: "@here" }, 400],
      ["PATCH", `${PATH}/3`, { body: { text: "x".repeat(17_000) } }, 413],
      ["DELETE", `${PATH}/3?reason=${"x".repeat(257)}`, undefined, 400],
      ["PUT", `${PATH}/3/reactions/hello`, undefined, 400],
      ["PUT", "/v1/rooms/general/pins/1.5", undefined, 400],
      ["GET", `${PATH}?thread=3`, undefined, 400],
      ["GET", `${PATH}?view=nothing`, undefined, 400],
      ["GET", `${PATH}?view=messages&before=3&after=1`, undefined, 400],
    ];
    for (const [method, path, body, status] of rows) {
      expect((await call(method, path, body)).status, `${method} ${path}`).to.equal(status);
    }
    expect(fixture.roomApi.sends).to.deep.equal([]);
  });

  it("C7: a page of messages is asked for with its view, its thread and the pins", async () => {
    await call("GET", `${PATH}?view=messages&thread=3&limit=7`);
    await call("GET", "/v1/rooms/general/pins?before=9");
    expect(fixture.roomApi.pages.at(-2)).to.deep.include({ view: "messages", thread: 3, limit: 7 });
    expect(fixture.roomApi.pages.at(-1)).to.deep.include({
      view: "messages",
      pinned: true,
      before: 9,
    });
  });
});
