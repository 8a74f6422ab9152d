// DevToken against a real HTTP server: the token, and the code of each failure.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { devToken, DevTokenError } from "../dev-token.ts";

describe("devToken", () => {
  let answer: readonly [status: number, body: string] = [200, ""];
  let url = "";
  let received = "";
  const server = createServer((request, response) => {
    received = `${request.method} ${request.url}`;
    request.resume().on("end", () => response.writeHead(answer[0]).end(answer[1]));
  });

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => void server.close());

  it("returns the token that the gateway signed", async () => {
    answer = [200, '{"token":"abc"}'];
    expect(await devToken(url, "ada")).to.equal("abc");
    expect(received).to.equal("POST /v1/dev/token");
  });

  const failures: readonly (readonly [number, string, DevTokenError["code"]])[] = [
    [404, "{}", "no-dev-auth"],
    [400, "{}", "bad-user"],
    [429, "{}", "refused"],
    [200, "<html>", "not-parley"],
    [200, '{"token":5}', "not-parley"],
  ];
  for (const [status, body, code] of failures) {
    it(`rejects with ${code} for ${status} ${body}`, async () => {
      answer = [status, body];
      const error: unknown = await devToken(url, "ada").catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(DevTokenError).with.property("code", code);
    });
  }

  it("rejects with unreachable when no server listens", async () => {
    const error: unknown = await devToken("http://127.0.0.1:1", "ada").catch(
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(DevTokenError).with.property("code", "unreachable");
  });
});
