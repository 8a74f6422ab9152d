// HttpStatic: the files of the web client and their headers.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { expect } from "chai";
import { openHttpFixture, PROBLEM } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";

const PAGE = `<!doctype html><meta name="parley-sign-in" content="{}" /><title>Parley</title>`;

describe("HttpStatic", () => {
  let webDir: string;
  let fixture: HttpFixture;
  before(async () => {
    webDir = await mkdtemp(join(tmpdir(), "parley-web-"));
    await mkdir(join(webDir, "assets"));
    await writeFile(join(webDir, "index.html"), PAGE);
    const script = join(webDir, "assets", "app-1a2b3c.js");
    await writeFile(`${script}.br`, brotliCompressSync("export {};"));
    await writeFile(`${script}.gz`, gzipSync("export {};"));
    await writeFile(join(webDir, "assets", "app-1a2b3c.js"), "export {};");
    await writeFile(join(webDir, "icon.svg"), "<svg/>");
    await writeFile(join(webDir, ".env"), "SECRET=1");
    await writeFile(`${webDir}.outside`, "SECRET=2");
    fixture = await openHttpFixture({
      config: { webDir, origins: ["http://localhost:8080", "https://chat.example"] },
    });
  });
  after(async () => {
    await fixture[Symbol.asyncDispose]();
    await rm(webDir, { recursive: true });
    await rm(`${webDir}.outside`);
  });

  it("H4: the page allows no inline script, no foreign source and no frame around it", async () => {
    const response = await fixture.ask("/");
    expect(await response.text()).to.include("<title>Parley</title>");
    expect(response.headers.get("content-type")).to.match(/^text\/html/);
    const policy = new Map(
      (response.headers.get("content-security-policy") ?? "")
        .split("; ")
        .map((part): [string, string] => [part.split(" ")[0] ?? "", part]),
    );
    expect(policy.get("default-src")).to.equal("default-src 'none'");
    expect(policy.get("script-src")).to.equal("script-src 'self'");
    expect(policy.get("style-src")).to.equal("style-src 'self'");
    expect(policy.get("connect-src")).to.equal(
      "connect-src 'self' ws://localhost:8080 wss://chat.example",
    );
    for (const name of ["base-uri", "form-action", "frame-ancestors"]) {
      expect(policy.get(name)).to.equal(`${name} 'none'`);
    }
    expect(policy.get("require-trusted-types-for")).to.equal("require-trusted-types-for 'script'");
    expect([...policy.values()].join()).not.to.match(/unsafe|\*/);
    expect(response.headers.get("x-content-type-options")).to.equal("nosniff");
    expect(response.headers.get("referrer-policy")).to.equal("no-referrer");
    expect(response.headers.get("cross-origin-opener-policy")).to.equal("same-origin");
    expect(response.headers.get("permissions-policy")).to.include("camera=()");
  });

  it("H6, S3: beside the files, a path keeps its methods and the check of the Origin", async () => {
    const path = "/v1/dev/token"; // The files have a GET route for every path.
    const answer = await fixture.ask(path);
    expect([answer.status, answer.headers.get("allow")]).to.deep.equal([405, "OPTIONS, POST"]);
    const foreign = await fixture.ask(path, { headers: { origin: "http://evil.example" } });
    expect(foreign.status).to.equal(403);
    expect((await fixture.ask("/v1/nowhere")).status).to.equal(404);
  });

  it("H4: files with a hash are cached for a year, and the page is revalidated", async () => {
    const cache = async (path: string) => (await fixture.ask(path)).headers.get("cache-control");
    expect(await cache("/")).to.equal("no-cache");
    expect(await cache("/index.html")).to.equal("no-cache");
    expect(await cache("/icon.svg")).to.equal("no-cache");
    expect(await cache("/assets/app-1a2b3c.js")).to.equal("public, max-age=31536000, immutable");
    const etag = (await fixture.ask("/")).headers.get("etag") ?? "";
    // As a browser sends it. fetch would add "no-cache", which requests the whole file.
    const headers = { "if-none-match": etag, "cache-control": "max-age=0" };
    const again = await fixture.ask("/", { headers });
    expect(again.status).to.equal(304);
  });

  it("H4: the client's files are served for any Origin, which module scripts send; the API's are not", async () => {
    const headers = { origin: "http://a-host-that-is-not-listed.example" };
    for (const path of ["/", "/index.html", "/assets/app-1a2b3c.js", "/icon.svg"]) {
      const response = await fixture.ask(path, { headers });
      expect(response.status, path).to.equal(200);
      expect(response.headers.get("access-control-allow-origin"), path).to.equal(null);
    }
    for (const path of ["/healthz", "/openapi.json", "/v1/rooms/general/messages"]) {
      expect((await fixture.ask(path, { headers })).status, path).to.equal(403);
    }
  });

  it("http-static.5: the smallest encoding that the client accepts is sent, with Vary", async () => {
    for (const [path, accept, encoding] of [
      ["/", "gzip, deflate, br", "br"],
      ["/", "gzip", "gzip"],
      ["/", "br;q=0, gzip;q=0.5", "gzip"],
      ["/", "", null],
      ["/assets/app-1a2b3c.js", "gzip, br", "br"],
      ["/assets/app-1a2b3c.js", "identity", null],
    ] as const) {
      const headers = { "accept-encoding": accept };
      const response = await fixture.ask(path, { headers });
      expect(response.headers.get("content-encoding"), `${path} ${accept}`).to.equal(encoding);
      expect(response.headers.get("vary")?.toLowerCase()).to.include("accept-encoding");
      expect(await response.text()).to.match(/Parley|export/u);
    }
  });

  it("http-page.1: the page has the settings of its sign-in, escaped, and may call the issuer", async () => {
    const signIn = {
      kind: "oidc",
      issuer: "https://login.example/realms/a",
      clientId: `"><script>alert(1)</script>`,
      scope: "openid",
      audience: "parley",
    } as const;
    const config = { webDir, origins: ["https://chat.example"], signIn };
    await using signing = await openHttpFixture({
      config: { ...config, signInOrigins: ["https://tokens.example"] },
    });
    const response = await signing.ask("/");
    const html = await response.text();
    expect(html).to.not.include("<script>");
    const content = /name="parley-sign-in" content="([^"]*)"/u.exec(html)?.[1] ?? "";
    const text = content.replaceAll("&lt;", "<").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
    expect(JSON.parse(text)).to.deep.equal(signIn);
    expect(response.headers.get("content-security-policy")).to.include(
      "connect-src 'self' wss://chat.example https://login.example https://tokens.example;",
    );
  });

  it("AT12: the page says whether the cluster takes files, and how large", async () => {
    const html = `<meta name="parley-attachments" content='{"bytesMax":5}' />`;
    await writeFile(join(webDir, "index.html"), PAGE + html);
    for (const attachments of [{ bytesMax: 7 }, {}]) {
      await using page = await openHttpFixture({ config: { webDir, origins: [], attachments } });
      const text = (await (await page.ask("/")).text()).replaceAll("&quot;", '"');
      expect(text).to.include(
        `<meta name="parley-attachments" content="${JSON.stringify(attachments)}" />`,
      );
    }
    await writeFile(join(webDir, "index.html"), PAGE);
  });

  it("LP1: the page says whether users may switch link previews on", async () => {
    const html = `<meta name="parley-link-previews" content="{}" />`;
    await writeFile(join(webDir, "index.html"), PAGE + html);
    for (const linkPreviews of [{ on: true }, {}, undefined] as const) {
      const config = { webDir, origins: [], ...(linkPreviews !== undefined && { linkPreviews }) };
      await using page = await openHttpFixture({ config });
      const text = (await (await page.ask("/")).text()).replaceAll("&quot;", '"');
      expect(text).to.include(
        `<meta name="parley-link-previews" content="${JSON.stringify(linkPreviews ?? {})}" />`,
      );
    }
    await writeFile(join(webDir, "index.html"), PAGE);
  });

  it("H4: no file outside the folder, and no hidden file in it, is served", async () => {
    const name = webDir.split("/").at(-1) ?? "";
    for (const path of [
      "/.env",
      "/%2eenv",
      `/..%2f${name}.outside`,
      `/%2e%2e/${name}.outside`,
      "/assets/..%2f.env",
      "/assets",
      "/assets/",
      "/missing.js",
      "/%00",
    ]) {
      const response = await fixture.ask(path);
      expect(response.status, path).to.be.oneOf([400, 403, 404]);
      expect(response.headers.get("content-type"), path).to.equal(PROBLEM);
      expect(await response.text(), path).not.to.include("SECRET");
    }
  });

  it("H4: without a build the rest is served, and the page names the build command", async () => {
    await using bare = await openHttpFixture();
    const response = await bare.ask("/");
    expect(response.status).to.equal(200);
    expect(await response.text()).to.include("npx vite build client/web");
    expect((await bare.ask("/healthz")).status).to.equal(200);
  });
});
