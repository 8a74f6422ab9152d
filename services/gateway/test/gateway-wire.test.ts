// The gateway on the wire: hostile peers against the real process, and its log.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { expect } from "chai";
import { WebSocket } from "ws";
import { HELLO_TIMEOUT_MS } from "#shared/protocol/limits.ts";
import { until, within } from "#shared/testing/wait.ts";
import { openGatewayProcess, runToItsEnd } from "./gateway-process.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import { openPeer } from "./raw-http.ts";
import type { Peer } from "./raw-http.ts";

const LISTED = "http://app.example";
/** 4002, as the first two bytes of the payload of a close frame. */
const LATE_HELLO = Buffer.from([0x0f, 0xa2]);

describe("Gateway on the wire", function () {
  this.timeout(60_000);
  let gateway: GatewayProcess;
  before(async () => {
    gateway = await openGatewayProcess({ ORIGINS: LISTED });
  });
  after(() => gateway[Symbol.asyncDispose]());

  it("S1: silent and slow peers are closed with 4002 after 5 s, and other clients do not wait for them", async () => {
    const began = performance.now();
    const hello = maskedText(JSON.stringify({ t: "hello", token: "x".repeat(4_000) }));
    const peers = new Set<Peer>();
    const greeted = new AbortController();
    /** Until the greeting is answered, another peer follows each one that was closed. */
    const beSlow = async (drip: (socket: Socket, count: number) => void): Promise<void> => {
      do {
        const peer = await openPeer(gateway.url);
        peers.add(peer);
        peer.socket.write(upgrade());
        await until(() => hasHead(peer), { withinMs: 10_000, what: "the 101" });
        let dripped = 0;
        const dripping = setInterval(() => {
          if (peer.socket.writable) drip(peer.socket, dripped++);
        }, 50);
        const isLate = (): boolean => peer.bytes().includes(LATE_HELLO);
        try {
          await until(isLate, { withinMs: 30_000, what: "a slow peer to be closed" });
        } finally {
          clearInterval(dripping);
          peer.socket.destroy();
        }
      } while (!greeted.signal.aborted);
    };
    const kinds = [
      () => undefined,
      (socket: Socket, count: number) => socket.write(hello.subarray(count, count + 1)),
      (socket: Socket) => socket.write(PING),
    ];
    const slow = Promise.all(
      Array.from({ length: 60 }, (_, n) => beSlow(kinds[n % kinds.length]!)),
    );
    const greetBeside = async (): Promise<void> => {
      try {
        const isEach = (): boolean => peers.size >= 60 && [...peers].every(hasHead);
        await until(isEach, { withinMs: 10_000, what: "the slow peers" });
        const welcome = await greet(gateway, await gateway.token("ada"));
        expect(welcome).to.include({ t: "welcome", user: "ada" });
      } finally {
        greeted.abort();
      }
    };
    await Promise.all([slow, greetBeside()]);
    expect(performance.now() - began).to.be.above(HELLO_TIMEOUT_MS * 0.9);
  });

  it("S11: connections that arrive during an event loop stall wait in the kernel", async () => {
    const somaxconn = Number(readFileSync("/proc/sys/net/core/somaxconn", "utf8"));
    const peers: Socket[] = [];
    gateway.signal("SIGSTOP");
    try {
      // With Node's own backlog of 511 the kernel drops the others, which retry after a second.
      for (let i = 0; i < Math.min(1_500, somaxconn); i++) {
        peers.push(connect(gateway.port, "127.0.0.1").on("error", () => undefined));
      }
      const isIn = ({ connecting }: Socket): boolean => !connecting;
      await until(() => peers.every(isIn), { withinMs: 10_000, what: "all to be connected" });
    } finally {
      gateway.signal("SIGCONT");
      for (const socket of peers) socket.destroy();
    }
  });

  it("S3: an upgrade needs an Origin on the list, however many headers precede it", async () => {
    const statusWith = async (headers: string): Promise<string> => {
      const peer = await openPeer(gateway.url);
      peer.socket.write(upgrade(headers));
      await until(() => hasHead(peer), { withinMs: 10_000, what: "an answer" });
      peer.socket.destroy();
      return peer.read().slice(9, 12);
    };
    const headers = Array.from({ length: 1_200 }, (_, n) => `x${n}: 1\r\n`).join("");
    expect(await statusWith("")).to.equal("101");
    expect(await statusWith(`origin: ${LISTED}\r\n`)).to.equal("101");
    expect(await statusWith("origin: http://evil.example\r\n")).to.equal("403");
    expect(await statusWith("origin: null\r\n")).to.equal("403");
    expect(await statusWith(`origin: ${LISTED}.evil.example\r\n`)).to.equal("403");
    expect(await statusWith(`${headers}origin: http://evil.example\r\n`)).to.equal("403");
  });

  it("H1: a client that offers h2c with its request gets the usual answer", async () => {
    const peer = await openPeer(gateway.url);
    peer.socket.write(
      "GET /healthz HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n" +
        "connection: Upgrade, HTTP2-Settings, close\r\n\r\n",
    );
    expect(await peer.untilClosed()).to.match(/^HTTP\/1\.1 200 /);
  });

  it("S10: broken upgrades and handshakes end only their own connection", async () => {
    for (const bytes of [
      "GET /v1/ws HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
      upgrade().replace("sec-websocket-version: 13", "sec-websocket-version: 99"),
      upgrade().replace("parley.v1", "other.v1"),
      upgrade().replace("/v1/ws", "/v1/other"),
      upgrade().replace("/v1/ws", `/v1/ws?${"x".repeat(20_000)}`),
      upgrade().replace("GET", "POST"),
    ]) {
      const peer = await openPeer(gateway.url);
      peer.socket.write(bytes);
      expect(await peer.untilClosed(), bytes.slice(0, 60)).to.match(/^HTTP\/1\.1 4\d\d /);
    }
    for (let n = 0; n < 20; n++) {
      const peer = await openPeer(gateway.url);
      peer.socket.write(upgrade() + "\u00ff\u0000".repeat(50));
      peer.socket.resetAndDestroy();
    }
    expect(await greet(gateway, await gateway.token("ada"))).to.include({ t: "welcome" });
  });

  it("S2: no token and no secret reaches the log, wherever a client puts it", async () => {
    const good = await gateway.token("ada");
    const bad = `${good.slice(0, -4)}AAAA`;
    expect(await greet(gateway, good)).to.include({ t: "welcome" });
    expect(await greet(gateway, bad)).to.equal(4500);
    expect(await greet(gateway, good, `?token=${good}&access_token=${good}`)).to.include({
      t: "welcome",
    });
    expect(await refresh(gateway, good)).to.include({ t: "refreshed" });
    for (const token of [good, bad]) {
      for (const path of [
        "/v1/rooms/%20/messages",
        `/v1/rooms/r/messages?limit=${token}`,
        `/${token}`,
      ]) {
        const headers = {
          authorization: `Bearer ${token}`,
          cookie: `t=${token}`,
          connection: "close",
        };
        const response = await fetch(gateway.url + path, { headers });
        expect(await response.text()).not.to.include(token);
      }
    }
    const logged = await gateway.logged();
    expect(logged).to.include("http request");
    expect(logged).not.to.match(/eyJ[\w-]{8}/, "any part of a JWT");
    expect(logged).not.to.include(await gateway.secret());
  });
});

describe("A gateway that cannot start", function () {
  this.timeout(60_000);

  it("S9: AUTH=dev and LIMITS=off end it with NODE_ENV=production, and it reports both", async () => {
    const { ended, logged } = await runToItsEnd({
      NODE_ENV: "production",
      AUTH: "dev",
      LIMITS: "off",
    });
    expect(ended).to.equal("code 1");
    expect(logged).to.include("AUTH=dev").and.include("LIMITS=off");
    expect(logged.trim().split("\n"), "one line, no stack").to.have.length(1);
  });

  it("S9: without AUTH it does not start and reports the expected values", async () => {
    const { ended, logged } = await runToItsEnd({ AUTH: "" });
    expect(ended).to.equal("code 1");
    expect(logged).to.include("AUTH: expected jwks, or dev");
    expect(logged.trim().split("\n"), "one line, no stack").to.have.length(1);
  });

  it("F6: without NATS it reports so in one line with the address and without the password", async () => {
    const { ended, logged } = await runToItsEnd({ NATS_URL: "nats://gw:hunter2@127.0.0.1:9" });
    expect(ended).to.equal("code 1");
    expect(logged).to.include("127.0.0.1:9");
    expect(logged).not.to.include("hunter2");
    expect(logged.trim().split("\n"), "one line, no stack").to.have.length(1);
  });
});

function hasHead(peer: Peer): boolean {
  return peer.read().includes("\r\n\r\n");
}

function upgrade(headers = ""): string {
  return (
    "GET /v1/ws HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\n" +
    "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
    `sec-websocket-protocol: parley.v1\r\n${headers}\r\n`
  );
}

/** A text frame masked with zeros (clients must mask), with a 16-bit length. */
function maskedText(text: string): Buffer {
  const head = Buffer.from([0x81, 0x80 | 126, 0, 0, 0, 0, 0, 0]);
  head.writeUInt16BE(Buffer.byteLength(text), 2);
  return Buffer.concat([head, Buffer.from(text)]);
}

const PING = Buffer.from([0x89, 0x80, 0, 0, 0, 0]);

type Frame = Record<string, unknown>;

/** Sends hello and returns the first frame, or the code of the close. */
async function greet(gateway: GatewayProcess, token: string, query = ""): Promise<Frame | number> {
  const socket = openSocket(gateway, query);
  await once(socket, "open");
  socket.send(JSON.stringify({ t: "hello", token }));
  const answer = await firstOf(socket);
  socket.terminate();
  return answer;
}

async function refresh(gateway: GatewayProcess, token: string): Promise<Frame | number> {
  const socket = openSocket(gateway);
  await once(socket, "open");
  socket.send(JSON.stringify({ t: "hello", token }));
  await firstOf(socket);
  socket.send(JSON.stringify({ t: "refresh", ref: 1, token }));
  const answer = await firstOf(socket);
  socket.terminate();
  return answer;
}

function openSocket(gateway: GatewayProcess, query = ""): WebSocket {
  return new WebSocket(`${gateway.url.replace("http", "ws")}/v1/ws${query}`, "parley.v1");
}

function firstOf(socket: WebSocket): Promise<Frame | number> {
  const first = new Promise<Frame | number>((resolve, reject) => {
    socket.once("message", (data: Buffer) => resolve(JSON.parse(data.toString("utf8")) as Frame));
    socket.once("close", resolve);
    socket.once("error", reject);
  });
  return within(first, { withinMs: 10_000, what: "a frame or a close" });
}
