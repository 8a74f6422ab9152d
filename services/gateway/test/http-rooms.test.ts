// HttpRooms: messages over HTTP, with the retries of HTTP clients.

import { expect } from "chai";
import { isMessageId } from "#shared/protocol/ids.ts";
import type { MessageId, UserId } from "#shared/protocol/ids.ts";
import { BODY_BYTES_MAX } from "#shared/protocol/limits.ts";
import { idNumber, openHttpFixture, PROBLEM, problemOf, textBody } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";

const MESSAGES = "/v1/rooms/general/messages";
const UUID_V4 = "8e03978e-40d5-43e6-bc93-6894a57f9324";

interface Sent {
  readonly id: MessageId;
  readonly room: string;
  readonly seq: number;
  readonly at: number;
}

describe("HttpRooms: sending", () => {
  let fixture: HttpFixture;
  beforeEach(async () => {
    fixture = await openHttpFixture();
  });
  afterEach(() => fixture[Symbol.asyncDispose]());

  const send = async (body: unknown, headers?: Record<string, string>): Promise<Sent> => {
    const response = await fixture.post(MESSAGES, body, headers);
    expect(response.status).to.equal(201);
    return (await response.json()) as Sent;
  };

  it("H2: a repeated body id gets the first number", async () => {
    const first = await send({ id: idNumber(1), body: textBody("one") });
    await send({ id: idNumber(2), body: textBody("two") });
    const again = await send({ id: idNumber(1), body: textBody("one") });
    expect(first).to.deep.include({ id: idNumber(1), room: "general", seq: 1 });
    expect(again).to.deep.equal(first);
  });

  it("H8: a repeated id with another message gets 422, and nothing is stored", async () => {
    const id = idNumber(1);
    const first = await send({ id, body: { text: "one", n: [1, { a: 1, b: 2 }] }, replyTo: 3 });
    const again = { id, body: { n: [1, { b: 2, a: 1 }], text: "one" }, replyTo: 3 };
    expect(await send(again), "the order of keys does not matter").to.deep.equal(first);
    for (const other of [
      { id, body: { text: "two" }, replyTo: 3 },
      { id, body: { ...again.body, more: 1 }, replyTo: 3 },
      { id, body: again.body },
      { id, body: again.body, replyTo: 4 },
    ]) {
      const response = await fixture.post(MESSAGES, other);
      expect(await problemOf(response)).to.deep.equal({
        status: 422,
        type: PROBLEM,
        name: "reused_id",
        retry: false,
      });
    }
    const key = { "idempotency-key": UUID_V4 };
    await send({ body: textBody("one") }, key);
    const reused = await fixture.post(MESSAGES, { body: textBody("two") }, key);
    expect(reused.status).to.equal(422);
    const page = await fixture.roomApi.page({
      user: "ada" as UserId,
      room: first.room as never,
      limit: 10,
    });
    expect(page.kind === "page" && page.events).to.have.length(2);
  });

  it("H8: a repeat that cannot be compared is not reported as stored", async () => {
    const message = { id: idNumber(1), body: textBody("one") };
    const first = await send(message);
    fixture.roomApi.pageInstead = () => ({ kind: "refused", error: "unavailable" });
    const response = await fixture.post(MESSAGES, message);
    expect(await problemOf(response)).to.include({ status: 503, name: "unavailable", retry: true });
    fixture.roomApi.pageInstead = undefined;
    expect(await send(message)).to.deep.equal(first);
  });

  it("H2: a UUIDv7 as Idempotency-Key is the message id itself, quoted or not", async () => {
    const body = { body: textBody("one") };
    const first = await send(body, { "idempotency-key": idNumber(7) });
    expect(first.id).to.equal(idNumber(7));
    expect(await send(body, { "idempotency-key": `"${idNumber(7)}"` })).to.deep.equal(first);
    expect(await send({ ...body, id: idNumber(7) })).to.deep.equal(first);
  });

  it("H2: any other key is recognised too, for its user and its room alone", async () => {
    const body = { body: textBody("one") };
    const key = { "idempotency-key": UUID_V4 };
    const first = await send(body, key);
    expect(isMessageId(first.id)).to.equal(true);
    expect(first.id, "below every dedupe floor, so a room asks the archive").to.match(
      /^00000000-0000/,
    );
    expect(await send(body, { "idempotency-key": `"${UUID_V4}"` })).to.deep.equal(first);
    expect((await send(body, { "idempotency-key": `${UUID_V4}x` })).id).not.to.equal(first.id);

    const bob = `Bearer ${await fixture.token({ user: "bob" })}`;
    expect((await send(body, { ...key, authorization: bob })).id).not.to.equal(first.id);
    const elsewhere = await fixture.post("/v1/rooms/dev/messages", body, key);
    expect(((await elsewhere.json()) as Sent).id).not.to.equal(first.id);
  });

  it("H2: without id and key a new id is created, and returned also with an unknown outcome", async () => {
    const [one, two] = [
      await send({ body: textBody("same") }),
      await send({ body: textBody("same") }),
    ];
    expect([one.seq, two.seq]).to.deep.equal([1, 2]);
    fixture.roomApi.instead = () => ({ kind: "refused", error: "unavailable" });
    const lost = (await (await fixture.post(MESSAGES, { body: textBody("same") })).json()) as {
      id: unknown;
    };
    expect(isMessageId(lost.id)).to.equal(true);
    expect(fixture.roomApi.sends.at(-1)?.frame.id).to.equal(lost.id);
  });

  it("N2: text that is not a message id gets bad_id, and so do a key and an id that differ", async () => {
    const body = textBody("hi");
    const cases: [object, Record<string, string>][] = [
      [{ id: "1", body }, {}],
      [{ id: UUID_V4, body }, {}],
      [{ id: idNumber(1).toUpperCase(), body }, {}],
      [{ body }, { "idempotency-key": "" }],
      [{ body }, { "idempotency-key": '""' }],
      [{ body }, { "idempotency-key": "k".repeat(256) }],
      [{ id: idNumber(1), body }, { "idempotency-key": idNumber(2) }],
    ];
    for (const [message, headers] of cases) {
      const response = await fixture.post(MESSAGES, message, headers);
      expect(await problemOf(response), JSON.stringify([message, headers])).to.include({
        status: 422,
        type: PROBLEM,
        name: "bad_id",
        retry: false,
      });
    }
    expect(fixture.roomApi.sends).to.deep.equal([]);
  });

  it("F2: a body that is too large or not storable is refused as on the WebSocket", async () => {
    const deep: unknown = JSON.parse(`${'{"a":'.repeat(40)}1${"}".repeat(40)}`);
    const cases: [string, string][] = [
      [JSON.stringify({ body: textBody("x".repeat(BODY_BYTES_MAX)) }), "too_large"],
      [JSON.stringify({ body: deep }), "bad_frame"],
      ['{"body":{"text":"\\u0000"}}', "bad_frame"],
      ['{"body":{"text":"\\ud800"}}', "bad_frame"],
      ['{"body":{"__proto__":{"admin":true}}}', "bad_frame"],
      ['{"body":{"n":1e999}}', "bad_frame"],
      ['{"body":"text"}', "bad_frame"],
      ['{"body":[]}', "bad_frame"],
      ['{"body":null}', "bad_frame"],
      ["{}", "bad_frame"],
      ['{"body":{},"replyTo":0}', "bad_frame"],
      ['{"body":{},"replyTo":1.5}', "bad_frame"],
    ];
    for (const [text, name] of cases) {
      const response = await fixture.post(MESSAGES, text);
      expect(await problemOf(response), text.slice(0, 60)).to.include({ name });
    }
    expect(fixture.roomApi.sends).to.deep.equal([]);
  });

  it("F8: a body that the server cannot keep unchanged is refused with its reason", async () => {
    for (const [text, detail] of [
      [
        '{"body":{"n":9007199254740993}}',
        "The body holds a number that a double cannot hold exactly.",
      ],
      [
        '{"body":{"text":"a","text":"b"}}',
        "The body repeats a key: expected each key once in its object.",
      ],
      [
        '{"body":{"text":"a"},"body":{"text":"b"}}',
        "The body repeats a key: expected each key once in its object.",
      ],
    ] as const) {
      const response = await fixture.post(MESSAGES, text);
      expect(await problemOf(response), text).to.include({ name: "bad_frame", detail });
    }
    expect(fixture.roomApi.sends).to.deep.equal([]);
  });

  it("N1: text that is not a room id is refused before the RoomApi", async () => {
    for (const room of ["%20", "a.b", "a%2Fb", "%3E", "*", "ä", "a".repeat(65), "a%00b", ".."]) {
      const path = `/v1/rooms/${room}/messages`;
      for (const response of [await fixture.ask(path), await fixture.post(path, { body: {} })]) {
        expect(response.status, room).to.be.oneOf([400, 404]);
        expect(response.headers.get("content-type")).to.equal(PROBLEM);
      }
    }
    expect(fixture.roomApi.sends).to.deep.equal([]);
    expect(
      (await fixture.post(`/v1/rooms/${"a".repeat(64)}/messages`, { body: {} })).status,
    ).to.equal(201);
  });

  it("H2: user, reply and a well formed trace reach the RoomApi; a broken trace does not", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await send({ id: idNumber(1), body: textBody("a"), replyTo: 3, thread: 2 }, { traceparent });
    await send({ id: idNumber(2), body: textBody("b") }, { traceparent: "00-00-00-zz" });
    const both = { t: "send", room: "general" };
    expect(fixture.roomApi.sends).to.deep.equal([
      {
        user: "ada",
        grant: undefined,
        frame: {
          ...both,
          id: idNumber(1),
          body: textBody("a"),
          replyTo: 3,
          thread: 2,
          mentions: undefined,
          attachments: undefined,
          trace: traceparent,
        },
      },
      {
        user: "ada",
        grant: undefined,
        frame: {
          ...both,
          id: idNumber(2),
          body: textBody("b"),
          replyTo: undefined,
          thread: undefined,
          mentions: undefined,
          attachments: undefined,
          trace: undefined,
        },
      },
    ]);
  });
});

describe("HttpRooms: reading", () => {
  const seqs = (page: { events: { seq: number }[] }): number[] => page.events.map((e) => e.seq);

  it("O12: a page ascends without gaps, reports whether more events exist, and keeps the lines", async () => {
    await using fixture = await openHttpFixture();
    for (let n = 1; n <= 7; n++) {
      await fixture.post(MESSAGES, { id: idNumber(n), body: textBody(`line ${n} "é" \n`) });
    }
    const page = async (query: string) => {
      const text = await (await fixture.ask(`${MESSAGES}?${query}`)).text();
      return JSON.parse(text) as { events: { seq: number }[]; more: boolean };
    };
    for (const [query, expected, more] of [
      ["", [1, 2, 3, 4, 5, 6, 7], false],
      ["limit=3", [5, 6, 7], true],
      ["before=5&limit=3", [2, 3, 4], true],
      ["before=2", [1], false],
      ["after=0&limit=2", [1, 2], true],
      ["after=5&limit=2", [6, 7], false],
      ["after=7", [], false],
    ] as const) {
      const got = await page(query);
      expect(seqs(got), query).to.deep.equal(expected);
      expect(got.more, query).to.equal(more);
    }
    const raw = await (await fixture.ask(`${MESSAGES}?after=6`)).text();
    const outcome = await fixture.roomApi.page({
      user: "ada" as UserId,
      room: fixture.roomApi.sends[0]!.frame.room,
      after: 6,
      limit: 1,
    });
    expect(outcome.kind === "page" && raw.includes(outcome.events[0] ?? "?")).to.equal(true);
  });

  it("O12: a page with an invalid query is refused", async () => {
    await using fixture = await openHttpFixture();
    for (const query of [
      "limit=0",
      "limit=201",
      "limit=1.5",
      "limit=-1",
      "limit=1e2",
      "limit=",
      "limit=5&limit=6",
      "before=x",
      "after=99999999999999999999",
      "before=5&after=2",
    ]) {
      const response = await fixture.ask(`${MESSAGES}?${query}`);
      expect(await problemOf(response), query).to.include({ status: 400, name: "bad_frame" });
    }
  });
});
