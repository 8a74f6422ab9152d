// HttpImport: the parts of an import over HTTP.

import { expect } from "chai";
import { IMPORT_EVENTS_MAX } from "#shared/protocol/limits.ts";
import { openHttpFixture } from "./http-fixture.ts";

const PATH = "/v1/rooms/plans/import";
const ID = "0199f000-0000-7000-8000-000000000001";
const event = (seq: number, more: object = {}): object => {
  return {
    t: "msg",
    room: "plans",
    seq,
    id: ID,
    from: "ben",
    at: seq,
    body: { text: "x" },
    ...more,
  };
};

describe("HttpImport", () => {
  it("J4: hands a part of an administrator to the owner, and answers with its last number", async () => {
    await using fixture = await openHttpFixture();
    const authorization = `Bearer ${await fixture.token({ user: "root", admin: true })}`;
    const send = (body: object) => fixture.post(PATH, body, { authorization });
    const events = [event(1), event(2)];
    const response = await send({ born: ID, events });
    expect(response.status).to.equal(200);
    expect(await response.json()).to.deep.equal({ room: "plans", seq: 2 });
    expect(fixture.roomApi.imports).to.deep.equal([{ room: "plans", born: ID, events }]);
    const long = Array.from({ length: 4 }, (_, i) =>
      event(i + 1, { body: { text: "x".repeat(13_000) } }),
    );
    for (const [body, status] of [
      [{ born: ID, events: [] }, 400],
      [{ born: "1", events }, 400],
      [{ born: ID, events: [event(1, { room: "other" })] }, 400],
      [{ born: ID, events: [event(1, { t: "later" })] }, 400],
      [{ born: ID, events: Array.from({ length: IMPORT_EVENTS_MAX + 1 }, () => ({})) }, 400],
      [{ born: ID, events: long }, 413],
    ] as const) {
      expect((await send(body)).status).to.equal(status);
    }
    fixture.roomApi.readInstead = () => ({ kind: "refused", error: "conflict" });
    expect((await send({ born: ID, events })).status).to.equal(409);
  });

  it("J5: a user without admin is refused, also for an own room", async () => {
    await using fixture = await openHttpFixture();
    const response = await fixture.post(PATH, { born: ID, events: [event(1)] });
    expect(response.status).to.equal(403);
    expect(fixture.roomApi.imports).to.deep.equal([]);
  });
});
