// Http on the wire: peers that do not speak HTTP, or are too slow, too long or endless.

import { expect } from "chai";
import { openHttpFixture, PROBLEM } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";
import { openPeer } from "./raw-http.ts";
import type { Peer } from "./raw-http.ts";

/** Bounds that a test can wait for, and that a request on a busy machine does not reach. */
const IMPATIENT = { headMs: 1_000, requestMs: 2_000, checkMs: 20 };

describe("Http on the wire", () => {
  let fixture: HttpFixture;
  beforeEach(async () => {
    fixture = await openHttpFixture({ bounds: IMPATIENT });
  });
  afterEach(() => fixture[Symbol.asyncDispose]());

  const open = (): Promise<Peer> => openPeer(fixture.url);
  const isServed = async (): Promise<boolean> => (await fixture.ask("/healthz")).status === 200;

  it("H1: bytes that are not HTTP get a problem, and their connection is closed", async () => {
    for (const bytes of [
      "\u0000\u0001\u0002\r\n\r\n",
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "GET / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n",
      "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
    ]) {
      const peer = await open();
      peer.socket.write(bytes);
      const answer = await peer.untilClosed();
      expect(answer, JSON.stringify(bytes)).to.match(/^HTTP\/1\.1 400 /);
      expect(answer).to.include(PROBLEM).and.include('"name":"bad_frame"');
    }
    expect(await isServed()).to.equal(true);
  });

  it("H1: a head of more than 16 KiB or 64 headers is refused", async () => {
    const long = await open();
    long.socket.write(`GET / HTTP/1.1\r\nhost: a\r\nx: ${"x".repeat(20_000)}`);
    expect(await long.untilClosed()).to.match(/^HTTP\/1\.1 400 [^]*are larger than 16384 bytes/);

    const head = (count: number): string =>
      `GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${Array.from({ length: count }, (_, n) => `x-${n}: 1\r\n`).join("")}\r\n`;
    const many = await open();
    many.socket.write(head(63));
    expect(await many.untilClosed()).to.match(/^HTTP\/1\.1 400 [^]*too many headers/);
    const enough = await open();
    enough.socket.write(head(62));
    expect(await enough.untilClosed()).to.match(/^HTTP\/1\.1 200 /);
  });

  it("S3: an Origin after many other headers is still checked", async () => {
    const peer = await open();
    const headers = Array.from({ length: 500 }, (_, n) => `x-${n}: 1\r\n`).join("");
    peer.socket.write(
      `GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${headers}origin: http://evil.example\r\n\r\n`,
    );
    expect(await peer.untilClosed()).to.match(/^HTTP\/1\.1 403 /);
  });

  it("H1: a head or a body that arrives byte by byte is cut off, and other requests do not wait", async () => {
    const token = await fixture.token();
    const starts = [
      "",
      "GET /healthz HTTP/1.1\r\nhost: a\r\n",
      "POST /v1/rooms/general/messages HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n" +
        `authorization: Bearer ${token}\r\ncontent-length: 60000\r\n\r\n`,
    ];
    const peers = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => {
        const peer = await open();
        peer.socket.write(starts[n % starts.length] ?? "");
        return peer;
      }),
    );
    // One byte now and then, always before a timeout that would count from the last byte.
    const dripping = setInterval(() => {
      for (const { socket } of peers) if (socket.writable) socket.write("x");
    }, 30);
    try {
      expect(await isServed()).to.equal(true);
      const isOpen = ({ socket }: Peer): boolean => !socket.destroyed;
      expect(peers.some(isOpen), "the request did not wait for them").to.equal(true);
      await Promise.all(peers.map((peer) => peer.untilClosed()));
    } finally {
      clearInterval(dripping);
    }
    expect(fixture.roomApi.sends).to.deep.equal([]);
    expect(await isServed()).to.equal(true);
  });

  it("H1: a peer that resets its connection during a request does not affect others", async () => {
    for (let n = 0; n < 10; n++) {
      const peer = await open();
      peer.socket.write("POST /v1/rooms/general/messages HTTP/1.1\r\nhost: a\r\ncontent-le");
      peer.socket.resetAndDestroy();
    }
    expect(await isServed()).to.equal(true);
  });
});
