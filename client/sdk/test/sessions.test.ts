// Sessions: the requests about the sessions of a user, and the end of all others.

import { expect } from "chai";
import type { ProcessId, UserId } from "#shared/protocol/ids.ts";
import type { SessionId, SessionRecord } from "#shared/protocol/session-records.ts";
import { openHttpFixture } from "../../../services/gateway/test/http-fixture.ts";
import { ParleyError } from "../errors.ts";
import { Sessions, SessionsFailed } from "../sessions/sessions.ts";

const ONE = "01890000-0000-7000-8000-000000000001" as SessionId;

/** Sessions in memory, behind the paths of the gateways. */
class FakeSessions {
  /** In the list. */
  readonly live = new Set<string>();
  /** Called with each request, before its answer. */
  onRequest: (method: string, session: string) => void = () => undefined;
  /** The problem that answers a DELETE. */
  problem: (session: string) => string | undefined = () => undefined;
  more = 0;
  readonly ended: string[] = [];
  readonly sessions = new Sessions({
    url: "https://chat.example/page",
    token: "t",
    user: "ada lovelace",
    fetch: (...call) => this.#answer(...call),
  });

  constructor(...live: readonly string[]) {
    for (const session of live) this.live.add(session);
  }

  async #answer(address: RequestInfo | URL, { method = "" }: RequestInit = {}): Promise<Response> {
    await Promise.resolve();
    const path = "https://chat.example/v1/users/ada%20lovelace/sessions";
    const url = address instanceof URL ? address.href : "";
    expect(url.slice(0, path.length)).to.equal(path);
    const session = url.slice(path.length + 1);
    this.onRequest(method, session);
    if (method === "GET") {
      const sessions = [...this.live].map((one) => ({ session: one, since: 1, gateway: "gw" }));
      return Response.json({ sessions, more: this.more });
    }
    const name = this.problem(session);
    if (name !== undefined) return Response.json({ name }, { status: 503 });
    if (!this.live.delete(session)) return Response.json({ name: "not_found" }, { status: 404 });
    this.ended.push(session);
    return Response.json({ ended: 1 });
  }
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

describe("Sessions of the SDK", () => {
  it("SL1, SL6: they are listed and ended at a real gateway, and a repeat of an end is safe", async () => {
    await using fixture = await openHttpFixture();
    const token = (): Promise<string> => fixture.token({ user: "ada" });
    const sessions = new Sessions({ url: fixture.url, token, user: "ada" });
    const shown = { session: ONE, gateway: "gw-1" as ProcessId, since: 5, device: "phone" };
    const record: SessionRecord = { ...shown, user: "ada" as UserId };
    fixture.sessions.listed = { kind: "sessions", list: { sessions: [record], more: 2 } };
    expect(await sessions.list()).to.deep.equal({ sessions: [shown], more: 2 });
    await sessions.end(ONE);
    fixture.sessions.ended = { kind: "ended", ended: 0 };
    await sessions.end(ONE);
    const end = ["end", "ada", ONE];
    expect(fixture.sessions.calls).to.deep.equal([["list", "ada"], end, end]);
    fixture.sessions.ended = { kind: "refused", error: "unavailable" };
    const refused = await failureOf(sessions.end(ONE));
    expect(refused).to.be.instanceOf(SessionsFailed).and.instanceOf(ParleyError);
    expect(refused).to.include({ code: "unavailable", retry: true });
    const others = new Sessions({ url: fixture.url, token, user: "eve" });
    expect(await failureOf(others.list())).to.include({ code: "forbidden", retry: false });
  });

  it("SL9: all others are ended, one at a time, also one that begins meanwhile", async () => {
    const fake = new FakeSessions("s1", "own", "s2");
    let busy = 0;
    fake.onRequest = (_, session) => {
      expect(++busy).to.equal(1);
      queueMicrotask(() => busy--);
      if (session === "s2") fake.live.add("s3");
    };
    expect(await fake.sessions.endOthers({ sessionId: "own" })).to.equal(3);
    expect(fake.ended).to.deep.equal(["s1", "s2", "s3"]);
    expect([...fake.live]).to.deep.equal(["own"]);
  });

  it("SL9: the own session is never ended, also when it is another one meanwhile", async () => {
    const own = { sessionId: "own" };
    const fake = new FakeSessions("s1", "own2", "own");
    fake.onRequest = (method) => {
      if (method === "DELETE") own.sessionId = "own2";
    };
    await fake.sessions.endOthers(own);
    expect(fake.ended).to.deep.equal(["s1", "own"]);
    const before = await failureOf(fake.sessions.endOthers({ sessionId: undefined }));
    expect(before).to.be.instanceOf(TypeError);
  });

  it("SL9: a session that cannot be ended is tried again, and the last refusal is the answer", async () => {
    const fake = new FakeSessions("own", "s1", "s2");
    let tries = 0;
    fake.problem = (session) => (session === "s1" && ++tries < 3 ? "unavailable" : undefined);
    expect(await fake.sessions.endOthers({ sessionId: "own" }).catch(() => "left")).to.equal(
      "left",
    );
    expect(fake.ended).to.deep.equal(["s2", "s1"]);
    const lost = new FakeSessions("own", "s1");
    lost.problem = () => "busy";
    const failure = await failureOf(lost.sessions.endOthers({ sessionId: "own" }));
    expect(failure).to.include({ name: "SessionsFailed", code: "busy", retry: true });
  });

  it("SL9: without an answer, and with that of another server, it is unavailable", async () => {
    const options = { url: "https://chat.example", token: "t", user: "ada" };
    const cut = new Sessions({ ...options, fetch: () => Promise.reject(new TypeError("cut")) });
    expect(await failureOf(cut.list())).to.include({ code: "unavailable", retry: true });
    const proxy = new Sessions({ ...options, fetch: async () => new Response("<html>") });
    expect(await failureOf(proxy.list())).to.include({ code: "unavailable" });
    const empty = new Sessions({ ...options, fetch: async () => Response.json({}) });
    expect(await failureOf(empty.list())).to.include({ code: "unavailable" });
  });
});
