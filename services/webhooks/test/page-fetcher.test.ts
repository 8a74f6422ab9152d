// The page fetcher: which pages are fetched, from which addresses, and how much of them.

import type { LookupAddress } from "node:dns";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { until } from "#shared/testing/wait.ts";
import { readNetworks } from "../adapters/addresses.ts";
import type { LookUp } from "../adapters/addresses.ts";
import { PageFetcher } from "../adapters/page-fetcher.ts";
import type { PageFetcherOptions } from "../adapters/page-fetcher.ts";
import { PAGE_BYTES_MAX } from "../core/bounds.ts";
import { HTML, openSite, redirectTo } from "./site.ts";

const ONE = readNetworks("127.0.0.1/32") ?? [];
const TITLE = "<title>Tea</title>";

function answering(addresses: readonly string[]): LookUp {
  return (_host, _options, done) => {
    const found: LookupAddress[] = addresses.map((address) => ({
      address,
      family: address.includes(":") ? 6 : 4,
    }));
    done(null, found);
  };
}

const fetcher = (options: Partial<PageFetcherOptions> = {}): PageFetcher =>
  new PageFetcher({ allowed: ONE, lookUp: answering(["127.0.0.1"]), ...options });

describe("Link previews: the fetched page", () => {
  it("LP5: a request has no cookie, no credential and nothing of the reader", async () => {
    await using site = await openSite({ "/tea": TITLE });
    const page = await fetcher().fetch(`${site.origin}/tea?a=1`);
    expect(page).to.deep.include({ kind: "page" });
    const [{ path, headers } = { path: "", headers: {} }] = site.requests;
    expect(path).to.equal("/tea?a=1");
    expect(headers).to.deep.equal({
      accept: "text/html",
      "accept-encoding": "identity",
      "user-agent": "Parley-Link-Preview/1",
      host: `127.0.0.1:${site.port}`,
      connection: "close",
    });
  });

  it("LP4: at most three redirects are followed, relative ones too", async () => {
    await using site = await openSite({
      "/0": redirectTo("/1"),
      "/1": redirectTo("2"),
      "/2": redirectTo("/tea"),
      "/tea": TITLE,
      "/long": redirectTo("/0"),
      "/loop": redirectTo("/loop"),
      "/nowhere": redirectTo("http://[broken"),
      "/bare": (response) => response.writeHead(302).end(),
    });
    expect(await fetcher().fetch(`${site.origin}/0`)).to.include({ kind: "page" });
    for (const path of ["/long", "/loop"]) {
      expect(await fetcher().fetch(site.origin + path), path).to.deep.equal(failed("redirects"));
    }
    for (const path of ["/nowhere", "/bare"]) {
      expect(await fetcher().fetch(site.origin + path), path).to.deep.equal(failed("status"));
    }
  });

  it("LP4: only status 200, only text/html, and nothing compressed", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    await using site = await openSite({
      "/json": typed("application/json"),
      "/image": typed("image/svg+xml"),
      "/plain": typed("text/plain"),
      "/alike": typed("text/html5"),
      "/none": (response) => response.writeHead(200).end(TITLE),
      "/html": typed("Text/HTML;charset=utf-8"),
      "/bomb": (response) =>
        response.writeHead(200, { ...HTML, "content-encoding": "gzip" }).end(bomb),
      "/204": (response) => response.writeHead(204, HTML).end(),
    });
    const expected = {
      "/json": "type",
      "/image": "type",
      "/plain": "type",
      "/alike": "type",
      "/none": "type",
      "/bomb": "type",
      "/204": "status",
      "/missing": "status",
    } as const;
    for (const [path, reason] of Object.entries(expected)) {
      expect(await fetcher().fetch(site.origin + path), path).to.deep.equal(failed(reason));
    }
    expect(await fetcher().fetch(`${site.origin}/html`)).to.include({ kind: "page" });
  });

  it("LP4: no more than the bound is read of a page without an end, and the connection ends", async () => {
    await using site = await openSite({
      "/endless": (response) => {
        response.writeHead(200, HTML);
        const block = Buffer.alloc(64 * 1024, "<p>tea</p>");
        const write = (): void => {
          while (!response.destroyed && response.write(block));
          if (!response.destroyed) response.once("drain", write);
        };
        write();
      },
    });
    const page = await fetcher().fetch(`${site.origin}/endless`);
    expect(page.kind === "page" && page.bytes.length).to.equal(PAGE_BYTES_MAX);
    await until(() => site.broken === 1, { withinMs: 10_000, what: "the end of the connection" });
  });

  it("LP4: the time counts for the whole: a body, headers or a name that never comes", async () => {
    await using site = await openSite({
      "/body": (response) => response.writeHead(200, HTML).write("<title>"),
      "/headers": () => undefined,
      "/again": redirectTo("/headers"),
    });
    const timeoutMs = 100;
    for (const path of ["/body", "/headers", "/again"]) {
      const page = await fetcher({ timeoutMs }).fetch(site.origin + path);
      expect(page, path).to.deep.equal(failed("time"));
    }
    const lookUp: LookUp = () => undefined;
    const options = { timeoutMs, lookUp };
    expect(await fetcher(options).fetch("http://tea.example/")).to.deep.equal(failed("time"));
    const open = site.requests.filter(({ path }) => path !== "/again").length;
    await until(() => site.broken === open, { withinMs: 10_000, what: "the ends of connections" });
  });

  it("LP4: bytes that are no HTTP, and a server that is gone, are no page", async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.end("+PONG\r\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/`;
    expect(await fetcher().fetch(url)).to.deep.equal(failed("connection"));
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    expect(await fetcher().fetch(url)).to.deep.equal(failed("connection"));
  });
});

describe("Link previews: the addresses", () => {
  it("LP3: no address of a URL is reached that is not public, in any spelling", async () => {
    await using site = await openSite({ "/": TITLE });
    const { port } = site;
    const hosts =
      "127.0.0.1 2130706433 0x7f.1 0177.0.0.1 127.1 0.0.0.0 [::1] [::] [::ffff:127.0.0.1] " +
      "[::ffff:7f00:1] 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 [fe80::1] [fc00::1] " +
      "[64:ff9b::7f00:1] [2002:7f00:1::] 100.64.0.1 224.0.0.1";
    for (const host of hosts.split(" ")) {
      for (const url of [`http://${host}:${port}/`, `http://${host}/`, `https://${host}/`]) {
        const page = await fetcher({ allowed: [] }).fetch(url);
        expect(page, url).to.deep.equal(failed("address"));
      }
    }
    expect(site.requests).to.have.length(0);
  });

  it("LP3: a name whose DNS answers a private address is not reached", async () => {
    await using site = await openSite({ "/": TITLE });
    for (const address of ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "::ffff:7f00:1"]) {
      const options = { allowed: [], lookUp: answering([address]) };
      for (const url of ["http://tea.example/", `http://tea.example:${site.port}/`]) {
        expect(await fetcher(options).fetch(url), address).to.deep.equal(failed("address"));
      }
    }
    expect(site.requests).to.have.length(0);
    const fails: LookUp = (_host, _options, done) => done(new Error("ENOTFOUND"), []);
    const page = await fetcher({ lookUp: fails }).fetch("http://tea.example/");
    expect(page).to.deep.equal(failed("connection"));
  });

  it("LP3: each redirect is judged: to a private address, to a name of one, to another scheme", async () => {
    await using site = await openSite({
      "/literal": redirectTo("http://127.0.0.2:9/"),
      "/metadata": redirectTo("http://169.254.169.254/latest/meta-data/"),
      "/mapped": redirectTo("http://[::ffff:10.0.0.1]/"),
      "/name": redirectTo("http://inside.example/"),
      "/file": redirectTo("file:///etc/passwd"),
      "/user": redirectTo("http://ada:secret@127.0.0.1/"),
    });
    const lookUp: LookUp = (host, options, done) =>
      answering([host === "inside.example" ? "10.0.0.1" : "127.0.0.1"])(host, options, done);
    for (const path of ["/literal", "/metadata", "/mapped", "/name", "/file", "/user"]) {
      const page = await fetcher({ lookUp }).fetch(site.origin + path);
      expect(page, path).to.deep.equal(failed("address"));
    }
  });

  it("LP3: another port than 80 and 443 is reached in an allowed network only", async () => {
    await using site = await openSite({ "/": TITLE });
    const looked: string[] = [];
    const lookUp: LookUp = (host, _options, done) => {
      looked.push(host);
      done(null, [{ address: host === "ours.example" ? "127.0.0.1" : "8.8.8.8", family: 4 }]);
    };
    const of = (url: string) => fetcher({ lookUp }).fetch(url);
    expect(await of(`http://ours.example:${site.port}/`)).to.include({ kind: "page" });
    expect(await of("http://theirs.example:6379/")).to.deep.equal(failed("address"));
    expect(await of("http://8.8.8.8:6379/")).to.deep.equal(failed("address"));
    expect(looked).to.deep.equal(["ours.example", "theirs.example"]);
  });
});

function failed(reason: string) {
  return { kind: "failed", reason };
}

function typed(type: string): (response: import("node:http").ServerResponse) => void {
  return (response) => response.writeHead(200, { "content-type": type }).end(TITLE);
}
