// Http: refusals of the router, Node's parser and the upgrade are problems like all others.

import { METHODS } from "node:http";
import { expect } from "chai";
import { Counts } from "#shared/kit/counts.ts";
import { openHttpFixture, PROBLEM } from "./http-fixture.ts";
import { openPeer, rawAnswer } from "./raw-http.ts";
import type { RawAnswer } from "./raw-http.ts";
import { ORIGIN, SocketFixture } from "./socket-fixture.ts";

const MESSAGES = "/v1/rooms/general/messages";
const END = "host: a\r\nconnection: close\r\n\r\n";

function expectProblem(answer: RawAnswer, status: number, detail: RegExp, what: string): void {
  expect(answer.status, what).to.equal(status);
  expect(answer.headers["content-type"], what).to.equal(PROBLEM);
  const problem = JSON.parse(answer.body) as Record<string, unknown>;
  expect(problem["status"], what).to.equal(status);
  expect(problem["detail"], what).to.match(detail);
}

describe("Http: refusals outside the routes", () => {
  it("H1: an expectation that is not supported gets a problem", async () => {
    await using fixture = await openHttpFixture();
    const answer = await rawAnswer(
      fixture.url,
      `GET /healthz HTTP/1.1\r\nexpect: 200-ok\r\n${END}`,
    );
    expectProblem(answer, 417, /Expect/, "expect: 200-ok");
    const usual = await rawAnswer(
      fixture.url,
      `GET /healthz HTTP/1.1\r\nexpect: 100-continue\r\n${END}`,
    );
    expect(usual.status).to.be.oneOf([100, 200]);
  });

  it("H1: HTTP/1.1 without exactly one Host gets a problem; HTTP/1.0 needs none", async () => {
    await using fixture = await openHttpFixture();
    const ask = (text: string): Promise<RawAnswer> => rawAnswer(fixture.url, text);
    const without = await ask("GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n");
    expectProblem(without, 400, /Host/, "no Host");
    const two = await ask(`GET /healthz HTTP/1.1\r\nhost: b\r\n${END}`);
    expectProblem(two, 400, /Host/, "two Hosts");
    expect((await ask("GET /healthz HTTP/1.0\r\n\r\n")).status).to.equal(200);
  });

  it("H6: a method that a path does not serve gets 405 with the served ones, before any token check", async () => {
    await using fixture = await openHttpFixture();
    const allowed = new Map([
      [MESSAGES, "GET, HEAD, OPTIONS, POST"],
      ["/healthz", "GET, HEAD, OPTIONS"],
      ["/v1/dev/token", "OPTIONS, POST"],
      ["/openapi.json", "GET, HEAD, OPTIONS"],
      ["/v1/ws", "GET, HEAD, OPTIONS"],
      ["/", "GET, HEAD, OPTIONS"],
    ]);
    for (const [path, allow] of allowed) {
      for (const method of METHODS) {
        if (allow.split(", ").includes(method) || method === "CONNECT") continue;
        const answer = await rawAnswer(fixture.url, `${method} ${path} HTTP/1.1\r\n${END}`);
        if (method === "HEAD") expect(answer.status).to.equal(405);
        else expectProblem(answer, 405, /method/, `${method} ${path}`);
        expect(answer.headers["allow"], `${method} ${path}`).to.equal(allow);
      }
    }
    expectProblem(
      await rawAnswer(fixture.url, `CONNECT a:1 HTTP/1.1\r\n${END}`),
      405,
      /method/,
      "CONNECT",
    );
    const body = `PUT ${MESSAGES} HTTP/1.1\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n${END}hi`;
    expect((await rawAnswer(fixture.url, body)).status).to.equal(405);
  });

  it("H6: OPTIONS without an Origin lists the methods; an unknown path is not found for each method", async () => {
    await using fixture = await openHttpFixture();
    const options = await rawAnswer(fixture.url, `OPTIONS ${MESSAGES} HTTP/1.1\r\n${END}`);
    expect([options.status, options.headers["allow"]]).to.deep.equal([
      204,
      "GET, HEAD, OPTIONS, POST",
    ]);
    for (const method of ["GET", "POST", "PUT", "OPTIONS", "PROPFIND", "TRACE"]) {
      const answer = await rawAnswer(fixture.url, `${method} /v1/nowhere HTTP/1.1\r\n${END}`);
      expect([answer.status, answer.headers["content-type"]], method).to.deep.equal([404, PROBLEM]);
    }
  });

  it("H1: a URL that cannot be decoded passes the same hooks as any other", async () => {
    const requests = new Counts();
    await using fixture = await openHttpFixture({ requests });
    const ask = (origin: string) =>
      rawAnswer(
        fixture.url,
        `GET /v1/rooms/%E0%A4%A/messages HTTP/1.1\r\norigin: ${origin}\r\n${END}`,
      );
    const listed = await ask("http://app.example");
    expectProblem(listed, 400, /URL/, "listed");
    expect(listed.headers).to.include({
      "access-control-allow-origin": "http://app.example",
      vary: "Origin",
      "x-content-type-options": "nosniff",
    });
    expect(listed.headers["x-request-id"]).to.match(/^[0-9a-f]{16}$/);
    expect((await ask("http://evil.example")).status).to.equal(403);
    expect([...requests].map(([name]) => name)).to.have.members(["GET none 400", "GET none 403"]);
    const long = await rawAnswer(
      fixture.url,
      `GET /v1/rooms/${"a".repeat(5_000)}/messages HTTP/1.1\r\n${END}`,
    );
    expect(long.headers["x-request-id"]).to.match(/^[0-9a-f]{16}$/);
  });

  it("E1: methods that no route has share one label", async () => {
    const requests = new Counts();
    await using fixture = await openHttpFixture({ requests });
    for (const method of METHODS) {
      if (method === "CONNECT") continue;
      await rawAnswer(fixture.url, `${method} /v1/nowhere HTTP/1.1\r\n${END}`);
    }
    expect([...requests].map(([name]) => name)).to.have.members([
      "DELETE none 404",
      "GET none 404",
      "HEAD none 404",
      "PATCH none 404",
      "POST none 404",
      "PUT none 404",
      "OPTIONS none 404",
      "other none 404",
    ]);
  });
});

describe("Http: refused upgrades", () => {
  const upgrade = (
    lines: Record<string, string | undefined>,
    first = "GET /v1/ws HTTP/1.1",
  ): string => {
    const headers: Record<string, string | undefined> = {
      host: "a",
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-protocol": "parley.v1",
      ...lines,
    };
    const text = Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}: ${value}\r\n`],
    );
    return `${first}\r\n${text.join("")}\r\n`;
  };

  it("H1: each refusal of an upgrade is a problem with its reason", async () => {
    await using fixture = await SocketFixture.open();
    const url = `http://127.0.0.1:${fixture.port}`;
    for (const [text, status, detail] of [
      [upgrade({}, "GET /nowhere HTTP/1.1"), 404, /path \/v1\/ws/],
      [upgrade({}, "POST /v1/ws HTTP/1.1"), 405, /method/],
      [upgrade({ host: undefined }), 400, /Host/],
      [upgrade({ origin: "http://evil.example" }), 403, /ORIGINS/],
      [upgrade({ "sec-websocket-protocol": "parley.v9" }), 400, /parley\.v1/],
      [upgrade({ "sec-websocket-protocol": "parley.v1,,(" }), 400, /handshake/],
      [upgrade({ "sec-websocket-version": "12" }), 426, /version 13/],
      [upgrade({ "sec-websocket-version": undefined }), 426, /missing: expected version 13/],
      [upgrade({ "sec-websocket-key": "short" }), 400, /Sec-WebSocket-Key header is not valid/],
      [upgrade({ "sec-websocket-key": undefined }), 400, /Sec-WebSocket-Key header is missing/],
    ] as const) {
      const answer = await rawAnswer(url, text);
      expectProblem(answer, status, detail, text);
      expect(answer.headers["connection"], text).to.equal("close");
      if (status === 405) expect(answer.headers["allow"]).to.equal("GET");
      if (status === 426) expect(answer.headers["sec-websocket-version"]).to.equal("13");
    }
    const good = await openPeer(url);
    good.socket.write(upgrade({ origin: ORIGIN }));
    await fixture.drain();
    const answer = await rawAnswer(url, upgrade({}));
    expectProblem(answer, 503, /draining/, "draining");
    expect(answer.headers["retry-after"]).to.equal("1");
  });

  it("H1: the WebSocket path without an upgrade answers that it needs one", async () => {
    await using fixture = await openHttpFixture();
    const answer = await rawAnswer(fixture.url, `GET /v1/ws HTTP/1.1\r\n${END}`);
    expectProblem(answer, 426, /WebSocket/, "no upgrade");
    expect(answer.headers["upgrade"]).to.equal("websocket");
  });
});
