// Cors: browsers of the listed Origins may use the API and read its answers; others get nothing.

import { expect } from "chai";
import { readConfig } from "#shared/process/config.ts";
import { configSchema } from "../config.ts";
import { openHttpFixture, problemOf, textBody } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";
import { openPeer, parseAnswer, rawAnswer } from "./raw-http.ts";

const MESSAGES = "/v1/rooms/general/messages";
const LISTED = "http://app.example";
const METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"];
/** A value for each path parameter. */
const VALUES: Readonly<Record<string, string>> = {
  room: "general",
  user: "ben",
  seq: "3",
  emoji: ":ok:",
  invite: "0199d3c0-0000-7000-8000-000000000001",
  webhook: "0199d3c0-0000-7000-8000-000000000001",
  session: "0199d3c0-0000-7000-8000-000000000001",
};

/** Every described path with its methods in capitals. */
async function describedPaths(fixture: HttpFixture): Promise<[string, string[]][]> {
  const document = (await (await fixture.ask("/openapi.json")).json()) as {
    readonly paths: Record<string, object>;
  };
  return Object.entries(document.paths).map(([path, methods]) => [
    path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(VALUES[name]!)),
    Object.keys(methods).map((method) => method.toUpperCase()),
  ]);
}

function preflight(fixture: HttpFixture, path: string, method: string, origin = LISTED) {
  return fetch(fixture.url + path, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": method,
      "access-control-request-headers": "authorization,content-type,idempotency-key",
      connection: "close",
    },
  });
}

function expectReadable(response: Response, what: string): void {
  const { headers } = response;
  expect(headers.get("access-control-allow-origin"), what).to.equal(LISTED);
  expect(headers.get("vary")?.toLowerCase(), what).to.include("origin");
  expect(headers.get("access-control-expose-headers"), what).to.include("Retry-After");
  expect(headers.get("access-control-allow-credentials"), what).to.equal(null);
}

describe("Cors: the list", () => {
  it("S3: an Origin passes only if it is exactly on the list; a request without one passes too", async () => {
    await using fixture = await openHttpFixture();
    for (const origin of [
      "http://app.example.evil",
      "https://app.example",
      "http://app.example:80",
      "http://APP.example",
      "http://sub.app.example",
      "null",
      "",
    ]) {
      const response = await fixture.ask(MESSAGES, { headers: { origin } });
      expect(await problemOf(response), origin).to.include({ status: 403, name: "forbidden" });
      expect(response.headers.get("access-control-allow-origin"), origin).to.equal(null);
    }
    const listed = await fixture.ask(MESSAGES, { headers: { origin: "http://app.example" } });
    expect(listed.status).to.equal(200);
    expect(listed.headers.get("access-control-allow-origin")).to.equal("http://app.example");
    expect(listed.headers.get("vary")).to.equal("Origin");
    expect((await fixture.ask(MESSAGES)).status).to.equal(200);
  });

  it("S3: a preflight of a listed Origin needs no token, and one of another Origin gets nothing", async () => {
    await using fixture = await openHttpFixture();
    const preflight = (origin: string): Promise<Response> =>
      fetch(fixture.url + MESSAGES, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST", connection: "close" },
      });
    const good = await preflight("http://app.example");
    expect(good.status).to.equal(204);
    expect(good.headers.get("access-control-allow-headers")).to.include("Idempotency-Key");
    expect(good.headers.get("access-control-allow-credentials")).to.equal(null);
    const bad = await preflight("http://evil.example");
    expect(bad.status).to.equal(403);
    expect(bad.headers.get("access-control-allow-methods")).to.equal(null);
  });

  it("S3: a refused Origin reaches neither the RoomApi nor the token check", async () => {
    await using fixture = await openHttpFixture();
    const headers = { origin: "http://evil.example" };
    await fixture.post(MESSAGES, { body: textBody("hi") }, headers);
    expect(fixture.roomApi.sends).to.deep.equal([]);
  });
});

describe("Cors: preflights", () => {
  it("CO1: the preflight of each described path allows exactly its methods, for ten minutes, without a token", async () => {
    await using fixture = await openHttpFixture();
    const paths = await describedPaths(fixture);
    expect(paths.length).to.be.above(20);
    for (const [path, methods] of paths) {
      for (const method of methods) {
        const answer = await preflight(fixture, path, method);
        const allowed = answer.headers.get("access-control-allow-methods")?.split(", ");
        expect(answer.status, path).to.equal(204);
        expect(
          METHODS.filter((name) => allowed?.includes(name)),
          path,
        ).to.have.members(methods);
        expect(Number(answer.headers.get("access-control-max-age")), path).to.equal(600);
        for (const name of ["Authorization", "Content-Type", "Idempotency-Key"]) {
          expect(answer.headers.get("access-control-allow-headers"), path).to.include(name);
        }
        expectReadable(answer, path);
      }
    }
  });

  it("CO1: the preflight of an unknown path passes, so that the page reads the 404", async () => {
    await using fixture = await openHttpFixture();
    expect((await preflight(fixture, "/v1/nowhere", "DELETE")).status).to.equal(204);
    const answer = await fixture.ask("/v1/nowhere", {
      method: "DELETE",
      headers: { origin: LISTED },
    });
    expect(answer.status).to.equal(404);
    expectReadable(answer, "404");
  });

  it("CO1: preflights do not count against the rates", async () => {
    await using fixture = await openHttpFixture({ config: { limits: true } });
    for (let i = 0; i < 100; i++) {
      expect((await preflight(fixture, MESSAGES, "POST")).status).to.equal(204);
    }
    expect((await fixture.ask(MESSAGES)).status).to.equal(200);
  });
});

describe("Cors: answers", () => {
  it("CO2: a listed Origin may read the answer of each described operation, also without a valid token", async () => {
    await using fixture = await openHttpFixture();
    for (const [path, methods] of await describedPaths(fixture)) {
      for (const method of methods) {
        for (const authorization of [`Bearer ${await fixture.token()}`, "Bearer wrong"]) {
          const answer = await fixture.ask(path, {
            method,
            headers: { origin: LISTED, authorization },
          });
          await answer.arrayBuffer();
          expectReadable(answer, `${method} ${path} ${answer.status}`);
        }
      }
    }
  });

  it("CO2: refusals before and behind the handler are readable: headers, URL, body, method, late body", async () => {
    await using fixture = await openHttpFixture({ bounds: { requestMs: 100, checkMs: 20 } });
    const origin = `origin: ${LISTED}\r\n`;
    const end = "connection: close\r\n\r\n";
    const post = `POST ${MESSAGES} HTTP/1.1\r\nhost: a\r\n${origin}authorization: Bearer ${await fixture.token()}\r\n`;
    const many = Array.from({ length: 65 }, (_, i) => `x-${i}: 1\r\n`).join("");
    for (const [status, text] of [
      [400, `GET /healthz HTTP/1.1\r\nhost: a\r\n${many}${origin}${end}`],
      [400, `GET /healthz HTTP/1.1\r\n${origin}${end}`],
      [417, `GET /healthz HTTP/1.1\r\nhost: a\r\nexpect: x\r\n${origin}${end}`],
      [400, `GET /v1/rooms/%E0%A4%A/messages HTTP/1.1\r\nhost: a\r\n${origin}${end}`],
      [405, `PUT ${MESSAGES} HTTP/1.1\r\nhost: a\r\n${origin}${end}`],
      [400, `${post}content-type: application/json\r\ncontent-length: 1\r\n${end}{`],
      [413, `${post}content-type: application/json\r\ncontent-length: 99999999\r\n${end}`],
      [426, `GET /v1/ws HTTP/1.1\r\nhost: a\r\n${origin}${end}`],
    ] as const) {
      const { headers, ...answer } = await rawAnswer(fixture.url, text);
      expect([answer.status, headers["access-control-allow-origin"]], text).to.deep.equal([
        status,
        LISTED,
      ]);
    }
    const late = await openPeer(fixture.url);
    late.socket.write(`${post}content-type: application/json\r\ncontent-length: 9\r\n\r\n{`);
    const { status, headers } = parseAnswer(await late.untilClosed());
    expect(status).to.equal(408);
    expect(headers).to.include({ "access-control-allow-origin": LISTED, vary: "Origin" });
  });

  it("CO2: an answer of the API names Origin in Vary also when the request has none", async () => {
    await using fixture = await openHttpFixture();
    for (const path of [MESSAGES, "/openapi.json", "/healthz", "/v1/nowhere"]) {
      const answer = await fixture.ask(path);
      await answer.arrayBuffer();
      expect(answer.headers.get("vary"), path).to.equal("Origin");
      expect(answer.headers.get("access-control-allow-origin"), path).to.equal(null);
    }
  });

  it("CO3: another Origin gets 403 without any header of the list, whatever it asks", async () => {
    await using fixture = await openHttpFixture();
    for (const origin of ["http://evil.example", "null", `${LISTED}.evil.example`, "*"]) {
      for (const method of ["OPTIONS", "GET", "POST"]) {
        const answer = await fetch(fixture.url + MESSAGES, {
          method,
          // A simple request: a browser sends it without a preflight.
          headers: { origin, "content-type": "text/plain", connection: "close" },
          ...(method === "POST" && { body: JSON.stringify({ body: textBody("hi") }) }),
        });
        expect(answer.status, origin).to.equal(403);
        const names = [...answer.headers.keys()].filter((name) =>
          name.startsWith("access-control"),
        );
        expect(names, origin).to.deep.equal([]);
        expect(await answer.text(), origin).not.to.include(LISTED);
      }
    }
    expect(fixture.roomApi.sends).to.deep.equal([]);
  });
});

describe("Cors: the setting", () => {
  const read = (origins: string) => readConfig(configSchema, { AUTH: "dev", ORIGINS: origins });

  it("CO4: ORIGINS takes origins as browsers send them, and refuses what would never match", () => {
    for (const origins of [
      "https://chat.example",
      "http://localhost:5173, https://chat.example:8443",
      "http://[::1]:8080",
      "capacitor://localhost",
    ]) {
      expect(() => read(origins), origins).not.to.throw();
    }
    for (const origins of [
      "*",
      "null",
      "https://*.chat.example",
      "chat.example",
      "https://chat.example/",
      "https://Chat.example",
      "https://chat.example:443",
      "https://chat.example,http://localhost:5173/app",
    ]) {
      expect(() => read(origins), origins).to.throw("ORIGINS: expected origins");
    }
  });
});
