// Cors in a real browser: a page of a listed origin uses the API, a page of another origin cannot.

import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { ensureChromium } from "#tools/programs/chromium.ts";
import { openHttpFixture, textBody } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";

const MESSAGES = "/v1/rooms/general/messages";

interface Asked {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

interface Request {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

describe("Cors in a browser", function () {
  this.timeout(120_000);

  let pages: Server;
  let fixture: HttpFixture;
  let browser: Browser;

  /** A page of this origin: both names reach the same server. */
  const originOf = (host: "localhost" | "127.0.0.1"): string =>
    `http://${host}:${(pages.address() as AddressInfo).port}`;

  before(async () => {
    const executablePath = await ensureChromium();
    expect(executablePath, "no Chromium; set CHROMIUM").to.be.a("string");
    pages = createServer((_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>An application</title>");
    });
    pages.listen(0, "127.0.0.1");
    await once(pages, "listening");
    fixture = await openHttpFixture({ config: { origins: [originOf("localhost")] } });
    const args = ["--no-sandbox", "--disable-gpu", "--no-first-run"];
    browser = await chromium.launch({ executablePath: executablePath!, args });
  });
  after(async () => {
    await browser?.close();
    await fixture?.[Symbol.asyncDispose]();
    pages?.close();
    pages?.closeAllConnections();
  });

  async function pageOf(host: "localhost" | "127.0.0.1"): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(originOf(host));
    return page;
  }

  /** What a script of the page gets; the text of the error when the browser refuses. */
  function ask(page: Page, path: string, request: Request = {}): Promise<Asked | string> {
    return page.evaluate(
      async ([url, init]) => {
        try {
          const answer = await fetch(url, init);
          const headers = Object.fromEntries(answer.headers);
          return { status: answer.status, headers, body: (await answer.json()) as unknown };
        } catch (error) {
          return String(error);
        }
      },
      [fixture.url + path, request] as const,
    );
  }

  it("CO2: a page of a listed origin sends, reads, changes, and reads refusals with their headers", async () => {
    const page = await pageOf("localhost");
    const authorization = `Bearer ${await fixture.token()}`;
    const json = { authorization, "content-type": "application/json" };
    const sent = await ask(page, MESSAGES, {
      method: "POST",
      headers: { ...json, "idempotency-key": "1" },
      body: JSON.stringify({ body: textBody("hi") }),
    });
    expect(sent).to.deep.include({ status: 201 });
    const read = (await ask(page, MESSAGES, { headers: { authorization } })) as Asked;
    expect(JSON.stringify(read.body)).to.include('"hi"');
    expect(read.headers["x-request-id"]).to.match(/^[0-9a-f]{16}$/);
    for (const [method, path, body] of [
      ["PATCH", "/v1/rooms/general", { title: "Plans" }],
      ["PUT", "/v1/rooms/general/members/ben", { role: "member" }],
      ["DELETE", "/v1/rooms/general/messages/1", undefined],
    ] as const) {
      const request =
        body === undefined
          ? { headers: { authorization } }
          : { headers: json, body: JSON.stringify(body) };
      const answer = await ask(page, path, { method, ...request });
      expect(answer, method).to.deep.include({ status: 200 });
    }
    const refused = (await ask(page, MESSAGES, {
      headers: { authorization: "Bearer x" },
    })) as Asked;
    expect(refused.body).to.deep.include({ name: "unauthorized" });
    expect(refused.headers["www-authenticate"]).to.equal("Bearer");
    const unknown = await ask(page, "/v1/nowhere", { method: "DELETE", headers: json });
    expect(unknown).to.deep.include({ status: 404 });
    fixture.roomApi.instead = () => ({ kind: "refused", error: "busy", afterMs: 3_000 }) as never;
    const busy = (await ask(page, MESSAGES, { headers: { authorization } })) as Asked;
    fixture.roomApi.instead = undefined;
    expect([busy.status, busy.headers["retry-after"]]).to.deep.equal([503, "3"]);
    await page.close();
  });

  it("CO3: a page of another origin reads nothing and changes nothing, with or without a preflight", async () => {
    const page = await pageOf("127.0.0.1");
    const before = fixture.roomApi.sends.length;
    const authorization = `Bearer ${await fixture.token()}`;
    const body = JSON.stringify({ body: textBody("hi") });
    for (const request of [
      {},
      { headers: { authorization } },
      { method: "POST", headers: { "content-type": "text/plain" }, body },
      { method: "POST", headers: { authorization, "content-type": "application/json" }, body },
      { method: "DELETE", headers: { authorization } },
    ]) {
      const answer = await ask(page, MESSAGES, request);
      expect(answer, JSON.stringify(request)).to.equal("TypeError: Failed to fetch");
    }
    expect(fixture.roomApi.sends.length).to.equal(before);
    await page.close();
  });
});
