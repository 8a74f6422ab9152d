// HttpSockets: the number of HTTP connections, their timeouts, and the bytes of their answers.

import { expect } from "chai";
import { WebSocket } from "ws";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { until } from "#shared/testing/wait.ts";
import type { HttpBounds } from "../adapters/http-sockets.ts";
import { openHttpFixture, PROBLEM } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";
import { openPeer, parseAnswer } from "./raw-http.ts";
import type { Peer } from "./raw-http.ts";

const MESSAGES = "/v1/rooms/general/messages";
const HEALTH = "GET /healthz HTTP/1.1\r\nhost: a\r\n";
const PATIENT: Partial<HttpBounds> = { checkMs: 20 };
const within = (what: string) => ({ withinMs: 10_000, what });

async function open(bounds: Partial<HttpBounds>, limits = false): Promise<HttpFixture> {
  return openHttpFixture({ bounds: { ...PATIENT, ...bounds }, config: { limits } });
}

/** A page of this many bytes for every request. */
function servePages(fixture: HttpFixture, bytes: number): void {
  const line = JSON.stringify({ t: "msg", text: "x".repeat(bytes) });
  fixture.roomApi.instead = () => ({ kind: "page", events: [line], more: false }) as never;
}

async function askPage(fixture: HttpFixture, peer: Peer, times = 1): Promise<void> {
  const head = `GET ${MESSAGES} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${await fixture.token()}\r\n\r\n`;
  peer.socket.write(head.repeat(times));
}

describe("HttpSockets: bounds", () => {
  it("H7: beyond the bound of all sockets a new one gets 503, and a free place is reused", async () => {
    await using fixture = await open({ socketsMax: 2 });
    const [one, two] = [await openPeer(fixture.url), await openPeer(fixture.url)];
    await until(() => fixture.sockets.open === 2, within("two sockets"));
    const over = parseAnswer(await (await openPeer(fixture.url)).untilClosed());
    expect([over.status, over.headers["content-type"]]).to.deep.equal([503, PROBLEM]);
    expect(over.body).to.include('"name":"busy"');
    one.socket.destroy();
    await until(() => fixture.sockets.open === 1, within("one socket to close"));
    expect((await fixture.ask("/healthz")).status).to.equal(200);
    two.socket.destroy();
    expect(fixture.sockets.closes.get("full")).to.equal(1);
  });

  it("H7: beyond the bound of one address a new socket gets 503; other addresses are not affected", async () => {
    await using fixture = await open({ socketsPerAddressMax: 2 }, true);
    const peers = [
      await openPeer(fixture.url, "127.0.0.2"),
      await openPeer(fixture.url, "127.0.0.2"),
    ];
    await until(() => fixture.sockets.open === 2, within("two sockets"));
    const over = await openPeer(fixture.url, "127.0.0.2");
    expect(parseAnswer(await over.untilClosed()).status).to.equal(503);
    const other = await openPeer(fixture.url, "127.0.0.3");
    other.socket.write(`${HEALTH}connection: close\r\n\r\n`);
    expect(parseAnswer(await other.untilClosed()).status).to.equal(200);
    for (const { socket } of peers) socket.destroy();
  });

  it("H7: an answer that is not read ends its socket, and its bytes are released", async () => {
    await using fixture = await open({ unreadMs: 300, unreadBytesPerSecond: 1e9 });
    servePages(fixture, 8 * 1024 * 1024);
    const peer = await openPeer(fixture.url);
    peer.socket.pause();
    await askPage(fixture, peer);
    await until(() => fixture.sockets.closes.get("unread") === 1, within("the close"));
    await until(() => fixture.sockets.answerBytes === 0, within("the bytes to be released"));
    await until(() => fixture.sockets.open === 0, within("the socket to close"));
  });

  it("H7: an answer that is read slowly but steadily arrives complete", async () => {
    await using fixture = await open({ unreadMs: 2_000, unreadBytesPerSecond: 1024 * 1024 });
    servePages(fixture, 6 * 1024 * 1024);
    const peer = await openPeer(fixture.url);
    await askPage(fixture, peer);
    let rounds = 0;
    const reading = setInterval(() => {
      if (rounds++ % 2 === 0) peer.socket.pause();
      else peer.socket.resume();
    }, 50);
    try {
      await until(() => peer.read().endsWith('"more":false}'), within("the whole answer"));
    } finally {
      clearInterval(reading);
      peer.socket.destroy();
    }
    expect(fixture.sockets.closes.get("unread")).to.equal(0);
  });

  it("H7: beyond the bound of unread answers a page gets busy, and health is answered", async () => {
    const bytes = 8 * 1024 * 1024;
    await using fixture = await open({ answerBytesMax: 2 * bytes });
    servePages(fixture, bytes);
    const peers = [await openPeer(fixture.url), await openPeer(fixture.url)];
    for (const peer of peers) {
      peer.socket.pause();
      await askPage(fixture, peer);
    }
    await until(() => fixture.sockets.answerBytes > 2 * bytes, within("two answers"));
    const refused = await fixture.ask(MESSAGES);
    expect([refused.status, refused.headers.get("retry-after")]).to.deep.equal([503, "1"]);
    expect((await fixture.ask("/healthz")).status).to.equal(200);
    for (const { socket } of peers) socket.destroy();
    await until(() => fixture.sockets.answerBytes === 0, within("the bytes to be released"));
    expect((await fixture.ask(MESSAGES)).status).to.equal(200);
  });
});

describe("HttpSockets: deadlines", () => {
  it("H7: a connection that became a WebSocket is not counted, and these timeouts do not apply", async () => {
    await using fixture = await open({ headMs: 200, idleMs: 200, requestMs: 200 });
    const ws = new WebSocket(`ws://127.0.0.1:${new URL(fixture.url).port}/v1/ws`, "parley.v1");
    await new Promise((resolve) => ws.once("open", resolve));
    expect(fixture.sockets.open).to.equal(0);
    const refused = await openPeer(fixture.url);
    refused.socket.write(
      "GET /v1/ws HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    );
    expect(parseAnswer(await refused.untilClosed()).status).to.equal(426);
    await until(() => fixture.sockets.open === 0, within("the refused socket to close"));
    const from = fixture.sockets.sweeps;
    await until(() => fixture.sockets.sweeps > from + 30, within("sweeps"));
    expect(ws.readyState).to.equal(ws.OPEN);
    ws.terminate();
  });

  it("H7: an idle kept-alive connection is closed without an answer", async () => {
    await using fixture = await open({ headMs: 200, idleMs: 400 });
    const peer = await openPeer(fixture.url);
    peer.socket.write(`${HEALTH}\r\n`);
    await until(() => peer.read().includes('{"ok":true}'), within("an answer"));
    const answer = await peer.untilClosed();
    expect(answer.match(/HTTP\/1\.1/g)).to.have.length(1);
  });

  it("H7: a connection without a request is closed without an answer", async () => {
    await using fixture = await open({ headMs: 200 });
    expect(await (await openPeer(fixture.url)).untilClosed()).to.equal("");
    expect(fixture.sockets.closes.get("idle")).to.equal(1);
  });

  it("H7: a late head and a late body get 408, also after an answer on the same connection", async () => {
    await using fixture = await open({ headMs: 200, requestMs: 300 });
    const token = await fixture.token();
    const late = [
      "GET /healthz HTTP/1.1\r\nhost: a\r\n",
      `${HEALTH}\r\nGET /healthz HTTP/1.1\r\nho`,
      `POST ${MESSAGES} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${token}\r\n` +
        "content-type: application/json\r\ncontent-length: 50\r\n\r\n{",
    ];
    for (const text of late) {
      const peer = await openPeer(fixture.url);
      const [first = "", ...rest] = text.split("\r\n\r\n");
      peer.socket.write(rest.length === 0 ? first : `${first}\r\n\r\n`);
      if (text.startsWith(`${HEALTH}\r\n`)) {
        await until(() => peer.read().includes('{"ok":true}'), within("an answer"));
      }
      peer.socket.write(rest.join(""));
      const answer = parseAnswer((await peer.untilClosed()).replace(/^[^]*\{"ok":true\}/, ""));
      expect([answer.status, answer.headers["connection"]], text).to.deep.equal([408, "close"]);
      expect(answer.body).to.include('"status":408');
    }
    expect(fixture.sockets.closes.get("late")).to.equal(3);
  });

  it("H7: after an event loop stall the gateway reads the waiting data before it closes a connection", async () => {
    let leapMs = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + leapMs };
    await using fixture = await openHttpFixture({ clock, bounds: { ...PATIENT, headMs: 2_000 } });
    const sweeps = async (count: number): Promise<void> => {
      const from = fixture.sockets.sweeps;
      await until(() => fixture.sockets.sweeps >= from + count, within("sweeps"));
    };
    const peer = await openPeer(fixture.url);
    peer.socket.write("GET /healthz HTTP/1.1\r\nho");
    await sweeps(3);
    leapMs = 10_000;
    await sweeps(3);
    peer.socket.write("st: a\r\nconnection: close\r\n\r\n");
    expect(parseAnswer(await peer.untilClosed()).status).to.equal(200);
  });

  it("H7: broken bytes after an unfinished request are answered after it", async () => {
    await using fixture = await open({});
    let answer = (): void => undefined;
    const waits = new Promise<void>((resolve) => (answer = resolve));
    fixture.roomApi.before = () => waits;
    const peer = await openPeer(fixture.url);
    await askPage(fixture, peer);
    peer.socket.write("\u0000\u0001\r\n\r\n");
    // The same bytes on a later connection are answered: the gateway has read the earlier ones.
    const later = await openPeer(fixture.url);
    later.socket.write("\u0000\u0001\r\n\r\n");
    expect(parseAnswer(await later.untilClosed()).status).to.equal(400);
    expect(peer.read()).to.equal("");
    answer();
    const all = await peer.untilClosed();
    expect(all.match(/HTTP\/1\.1 (\d+)/g)).to.deep.equal(["HTTP/1.1 200", "HTTP/1.1 400"]);
  });
});
