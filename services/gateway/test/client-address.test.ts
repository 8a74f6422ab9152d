// ClientAddress: the address that counts, with and without proxies.

import { expect } from "chai";
import * as fc from "fast-check";
import { WebSocket } from "ws";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { until } from "#shared/testing/wait.ts";
import { addressKey, wrongProxy } from "../adapters/client-address.ts";
import type { ProxyConfig } from "../adapters/client-address.ts";
import { ADDRESS_RATE } from "../adapters/http-hooks.ts";
import { parseProxyHeader } from "../adapters/proxy-protocol.ts";
import { configSchema } from "../config.ts";
import { openHttpFixture } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";
import { proxyHeaderV1, proxyHeaderV2 } from "./proxy-header.ts";
import { openPeer, parseAnswer } from "./raw-http.ts";

const MESSAGES = "/v1/rooms/general/messages";
const HEALTH = "GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
const within = (what: string) => ({ withinMs: 10_000, what });

function behind(proxies: ProxyConfig, limits = false): Promise<HttpFixture> {
  return openHttpFixture({
    config: { proxies, limits },
    clock: { ...systemClock, monotonic: () => 0 },
    bounds: { checkMs: 20 },
  });
}

/** The address for which a WebSocket with this header counts. */
async function upgradedFrom(fixture: HttpFixture, forwarded: string | undefined): Promise<string> {
  const before = fixture.upgraded.length;
  const ws = new WebSocket(`ws://127.0.0.1:${new URL(fixture.url).port}/v1/ws`, "parley.v1", {
    headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded },
  });
  ws.on("error", () => undefined);
  await until(() => fixture.upgraded.length > before, within("the upgrade"));
  ws.terminate();
  return fixture.upgraded.at(-1) ?? "";
}

describe("ClientAddress", () => {
  it("S13: an address is one IPv4 host or one IPv6 /64", () => {
    for (const [ip, key] of [
      ["192.0.2.7", "192.0.2.7"],
      ["::ffff:192.0.2.7", "192.0.2.7"],
      ["::FFFF:c000:0207", "192.0.2.7"],
      ["0:0:0:0:0:ffff:192.0.2.7", "192.0.2.7"],
      ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
      ["2001:DB8:1:2:ffff::1", "2001:db8:1:2::/64"],
      ["2001:0db8::1", "2001:db8:0:0::/64"],
      ["::1", "0:0:0:0::/64"],
      ["fe80::", "fe80:0:0:0::/64"],
    ] as const) {
      expect(addressKey(ip), ip).to.equal(key);
    }
  });

  it("S13: all addresses of one /64 have one key in each spelling, and no other /64 has it", () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    const half = fc.array(group, { minLength: 4, maxLength: 4 });
    const text = (groups: number[], wide: boolean): string =>
      groups
        .map((n) => (wide ? n.toString(16).padStart(4, "0").toUpperCase() : n.toString(16)))
        .join(":");
    fc.assert(
      fc.property(half, half, half, fc.boolean(), (network, one, two, wide) => {
        const key = addressKey(text([...network, ...one], wide));
        expect(addressKey(text([...network, ...two], !wide))).to.equal(key);
        const other = [...network.slice(0, 3), (network[3]! + 1) % 0x10000];
        expect(addressKey(text([...other, ...one], wide))).not.to.equal(key);
      }),
    );
  });

  it("S13: without a trusted proxy, no header of a client changes its address", async () => {
    await using fixture = await behind({ trusted: ["192.0.2.0/24"], proxyProtocol: false });
    expect(await upgradedFrom(fixture, "203.0.113.9")).to.equal("127.0.0.1");
    const peer = await openPeer(fixture.url);
    peer.socket.write(`PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\n${HEALTH}`);
    expect(parseAnswer(await peer.untilClosed()).status).to.equal(400);
  });

  it("S13: behind trusted proxies, the right-most address that is not a proxy's counts", async () => {
    await using fixture = await behind({
      trusted: ["127.0.0.1", "10.0.0.0/8", "2001:db8:f::/48"],
      proxyProtocol: false,
    });
    for (const [forwarded, key] of [
      [undefined, "127.0.0.1"],
      ["203.0.113.9", "203.0.113.9"],
      ["1.1.1.1, 203.0.113.9", "203.0.113.9"],
      ["1.1.1.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"],
      ["1.1.1.1,203.0.113.9,10.1.2.3,2001:db8:f::5", "203.0.113.9"],
      ["10.9.9.9, 10.1.2.3", "10.9.9.9"],
      ["203.0.113.9:4711", "203.0.113.9"],
      ["[2001:db8:1:2:3::4]:4711", "2001:db8:1:2::/64"],
      ["2001:db8:1:2:9::9", "2001:db8:1:2::/64"],
      ["::ffff:203.0.113.9", "203.0.113.9"],
      ["1.1.1.1, not-an-address", "127.0.0.1"],
      ["unknown", "127.0.0.1"],
    ] as const) {
      expect(await upgradedFrom(fixture, forwarded), forwarded).to.equal(key);
    }
  });

  it("S13: refused tokens behind a proxy count for each client", async () => {
    await using fixture = await behind({ trusted: ["127.0.0.0/8"], proxyProtocol: false }, true);
    const ask = async (from: string): Promise<number> =>
      (
        await fixture.ask(MESSAGES, {
          headers: { authorization: "Bearer x", "x-forwarded-for": from },
        })
      ).status;
    const statuses: number[] = [];
    for (let n = 0; n <= ADDRESS_RATE.burst; n++) statuses.push(await ask("203.0.113.9"));
    expect(statuses.at(-1)).to.equal(429);
    expect(await ask("203.0.113.10")).to.equal(401);
    expect(fixture.logged()).to.include('"address":"203.0.113.9"');
  });

  it("S13: a gateway with an invalid list of proxies does not start", () => {
    expect(wrongProxy(["10.0.0.0/8", "::1", "2001:db8::/32", "192.0.2.1"])).to.equal(undefined);
    for (const entry of [
      "10.0.0.0/33",
      "proxy.example",
      "loopback",
      "10.0.0",
      "*",
      "2001:db8::/129",
    ]) {
      expect(wrongProxy(["10.0.0.0/8", entry]), entry).to.equal(entry);
      expect(
        configSchema.safeParse({ AUTH: "dev", TRUSTED_PROXIES: `10.0.0.1, ${entry}` }).success,
      ).to.equal(false);
    }
    expect(configSchema.safeParse({ AUTH: "dev", PROXY_PROTOCOL: "on" }).success).to.equal(false);
    expect(
      configSchema.safeParse({ AUTH: "dev", PROXY_PROTOCOL: "on", TRUSTED_PROXIES: "10.0.0.1" })
        .success,
    ).to.equal(true);
  });
});

describe("ProxyProtocol", () => {
  const ON: ProxyConfig = { trusted: ["127.0.0.1"], proxyProtocol: true };

  it("proxy-protocol.1: a header of either version is read at any cut of its bytes, and no byte after it", () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(
        address,
        fc.boolean(),
        fc.nat(300),
        fc.uint8Array(),
        (source, isText, extra, rest) => {
          const header = isText ? proxyHeaderV1(source) : proxyHeaderV2(source, { extra });
          for (let cut = 0; cut < header.length; cut++) {
            expect(parseProxyHeader(header.subarray(0, cut)).kind, `cut at ${cut}`).to.equal(
              "more",
            );
          }
          const read = parseProxyHeader(Buffer.concat([header, rest]));
          expect(read).to.include({ kind: "header", length: header.length });
          expect(read.kind === "header" && addressKey(read.source ?? "")).to.equal(
            addressKey(source),
          );
        },
      ),
    );
  });

  it("proxy-protocol.2: any other bytes are refused, at the latest at the bound", () => {
    for (const text of [
      "GET / HTTP/1.1\r\n",
      "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
      "PROXY TCP4 ::1 ::1 1 2\r\n",
      "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
      "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
      "PROXY TCP4 1.2.3.400 1.2.3.4 1 2\r\n",
      "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
      `PROXY UNKNOWN ${"x".repeat(200)}`,
      "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
    ]) {
      expect(parseProxyHeader(Buffer.from(text, "latin1")).kind, text).to.equal("broken");
    }
    const v2 = proxyHeaderV2("203.0.113.9");
    for (const [at, value] of [
      [12, 0x11],
      [12, 0x22],
      [14, 0xff],
      [15, 3],
    ] as const) {
      const broken = Buffer.from(v2);
      broken[at] = value;
      expect(parseProxyHeader(broken).kind, `byte ${at}`).to.equal("broken");
    }
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2_048, maxLength: 3_000 }), (bytes) => {
        expect(parseProxyHeader(Buffer.from(bytes)).kind).to.equal("broken");
      }),
    );
  });

  it("S13: the header's address counts for HTTP and WebSockets, sent byte by byte and in one write", async () => {
    await using fixture = await behind(ON);
    for (const header of [proxyHeaderV1("203.0.113.9"), proxyHeaderV2("203.0.113.9")]) {
      const whole = await openPeer(fixture.url);
      whole.socket.write(Buffer.concat([header, Buffer.from(HEALTH)]));
      expect(parseAnswer(await whole.untilClosed()).status).to.equal(200);
      const pieces = await openPeer(fixture.url);
      for (const byte of Buffer.concat([header, Buffer.from(HEALTH)])) {
        pieces.socket.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(parseAnswer(await pieces.untilClosed()).status).to.equal(200);
      const ws = await openPeer(fixture.url);
      ws.socket.write(header);
      ws.socket.write(
        "GET /v1/ws HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 1.1.1.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\n" +
          "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: parley.v1\r\n\r\n",
      );
      await until(() => ws.read().startsWith("HTTP/1.1 101"), within("the upgrade"));
      ws.socket.destroy();
      expect(fixture.upgraded.at(-1)).to.equal("203.0.113.9");
    }
    expect(fixture.logged()).to.include('"address":"203.0.113.9"').and.not.include("1.1.1.1");
  });

  it("S13: a proxy's own request counts for the proxy's address", async () => {
    await using fixture = await behind(ON);
    const peer = await openPeer(fixture.url);
    peer.socket.write(
      Buffer.concat([proxyHeaderV2("203.0.113.9", { isLocal: true }), Buffer.from(HEALTH)]),
    );
    expect(parseAnswer(await peer.untilClosed()).status).to.equal(200);
    expect(fixture.logged()).to.include('"address":"127.0.0.1"');
  });

  it("S13: a connection without a header, or with one from an untrusted peer, is closed without an answer", async () => {
    await using fixture = await openHttpFixture({
      config: { proxies: ON },
      bounds: { checkMs: 20, headMs: 300 },
    });
    const without = await openPeer(fixture.url);
    without.socket.write(HEALTH);
    expect(await without.untilClosed()).to.equal("");
    const stranger = await openPeer(fixture.url, "127.0.0.2");
    stranger.socket.write(Buffer.concat([proxyHeaderV2("203.0.113.9"), Buffer.from(HEALTH)]));
    expect(await stranger.untilClosed()).to.equal("");
    const silent = await openPeer(fixture.url);
    expect(await silent.untilClosed()).to.equal("");
    const half = await openPeer(fixture.url);
    half.socket.write("PROXY TC");
    expect(await half.untilClosed()).not.to.include("200");
    expect(fixture.sockets.closes.get("no-proxy")).to.equal(2);
    expect(fixture.sockets.open).to.equal(0);
  });

  it("H7: the cap of one address counts each client of a proxy separately", async () => {
    await using fixture = await openHttpFixture({
      config: { proxies: ON, limits: true },
      bounds: { checkMs: 20, socketsPerAddressMax: 2 },
    });
    const status = async (from: string, stays: boolean): Promise<number> => {
      const peer = await openPeer(fixture.url);
      const text = stays ? HEALTH.replace("connection: close\r\n", "") : HEALTH;
      peer.socket.write(Buffer.concat([proxyHeaderV2(from), Buffer.from(text)]));
      await until(() => peer.read().includes("\r\n\r\n"), within("an answer"));
      return parseAnswer(peer.read()).status;
    };
    expect([await status("203.0.113.9", true), await status("203.0.113.9", true)]).to.deep.equal([
      200, 200,
    ]);
    expect(await status("203.0.113.9", true)).to.equal(503);
    expect(await status("203.0.113.10", false)).to.equal(200);
  });
});
