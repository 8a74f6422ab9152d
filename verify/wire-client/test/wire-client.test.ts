// WireClient and ResendingClient against a scripted server: resumes, lost connections, refusals.

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { LOST } from "../../checker/record.ts";
import type { ClientRecord } from "../../checker/record.ts";
import { ResendingClient } from "../resending-client.ts";
import { inTurn } from "../wire-client-options.ts";
import type { WireClientOptions } from "../wire-client-options.ts";

interface ClientFrame {
  readonly t: string;
  readonly ref: number;
  readonly id: MessageId;
  readonly after?: number;
}

const ROOM = "general" as RoomId;
const OUTBOX = { inFlightMax: 2, sizeMax: 3, oldIdEvery: 0, repeatableMax: 10 };

/** Answers `hello` and `join`. The test writes the other answers. */
class ScriptedServer implements AsyncDisposable {
  /** All frames of all connections. */
  readonly frames: ClientFrame[] = [];
  /** The birth and the head that `joined` names; the head of the client's cursor by default. */
  born = "";
  head: number | undefined;
  /** Answers a `join` with `forbidden`. */
  isRefusing = false;
  readonly #server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  #socket: WebSocket | undefined;

  static async open(): Promise<ScriptedServer> {
    const server = new ScriptedServer();
    await once(server.#server, "listening");
    server.#server.on("connection", (socket) => {
      server.#socket = socket;
      socket.on("message", (data: Buffer) => server.#onFrame(JSON.parse(data.toString())));
    });
    return server;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  of(t: string): ClientFrame[] {
    return this.frames.filter((frame) => frame.t === t);
  }

  write(frame: object): void {
    this.#socket?.send(JSON.stringify(frame));
  }

  drop(): void {
    this.#socket?.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await once(this.#server, "close");
  }

  #onFrame(frame: ClientFrame): void {
    this.frames.push(frame);
    const { t, ref, after = 0 } = frame;
    if (t === "join" && this.isRefusing) {
      this.write({ t: "error", name: "forbidden", retry: false, ref, room: ROOM });
      return;
    }
    if (t === "hello") this.write({ t: "welcome" });
    if (t === "leave") this.write({ t: "left", ref, room: ROOM });
    if (t !== "join") return;
    const { born, head = after } = this;
    this.write({ t: "joined", ref, room: ROOM, born, from: Math.min(after, head) + 1, head });
  }
}

async function open(server: ScriptedServer) {
  const fixture = connected({ endpoint: () => ({ name: "gateway-1", url: server.url }) });
  const { client } = fixture;
  await waitFor(() => client.wire.isJoined, "the join");
  return { ...fixture, [Symbol.dispose]: () => client.wire.terminate() };
}

function connected(options: Pick<WireClientOptions, "endpoint" | "silenceMs" | "rooms">) {
  const records: ClientRecord[] = [];
  const surprises: string[] = [];
  const client = new ResendingClient({
    rooms: [{ room: ROOM }],
    ...options,
    user: "ada" as UserId,
    token: "token",
    outbox: OUTBOX,
    hooks: {
      onRecord: (record) => records.push(record),
      onSurprise: (what) => surprises.push(what),
    },
  });
  client.wire.connect();
  return { client, records, surprises };
}

function waitFor(condition: () => boolean, what: string): Promise<void> {
  return until(condition, { withinMs: 10_000, what });
}

describe("Wire client", function () {
  this.timeout(20_000);

  it("wire-client.1: a new connection resumes the room after the last received event", async () => {
    await using server = await ScriptedServer.open();
    using fixture = await open(server);
    server.write({ t: "msg", room: ROOM, seq: 1, id: "a" });
    server.write({ t: "msg", room: ROOM, seq: 2, id: "b" });
    await waitFor(() => fixture.client.wire.seen(ROOM) === 2, "two events");
    server.born = "a"; // The id of event 1.
    server.drop();
    await waitFor(() => server.of("join").length === 2, "the second join");
    expect(server.of("join").map(({ after }) => after)).to.deep.equal([0, 2]);
  });

  it("wire-client.5: discards its cursor when the room has another birth, also after an empty room", async () => {
    await using server = await ScriptedServer.open();
    using fixture = await open(server);
    server.write({ t: "msg", room: ROOM, seq: 1, id: "a" });
    await waitFor(() => fixture.client.wire.seen(ROOM) === 1, "an event");
    const rejoin = async (born: string, head: number): Promise<(number | undefined)[]> => {
      server.frames.splice(0);
      [server.born, server.head] = [born, head];
      server.drop();
      await waitFor(() => server.of("join").length > 0 && fixture.client.wire.isJoined, "a join");
      return server.of("join").map(({ after }) => after);
    };
    expect(await rejoin("a", 1), "event 1 was its birth").to.deep.equal([1]);
    expect(await rejoin("b", 3), "another event 1").to.deep.equal([1, 0]);
    expect(server.of("leave")).to.have.length(1);
    server.write({ t: "msg", room: ROOM, seq: 1, id: "b" });
    await waitFor(() => fixture.client.wire.seen(ROOM) === 1, "the new event");
    expect(await rejoin("b", 1)).to.deep.equal([1]);
    expect(await rejoin("b", 0), "a head below the cursor").to.deep.equal([1, 0]);
  });

  it("wire-client.6: a removed client stays away until it joins again, and a refusal there is no surprise", async () => {
    await using server = await ScriptedServer.open();
    const { client, records, surprises } = connected({
      rooms: [{ room: ROOM, isClosed: true }],
      endpoint: () => ({ name: "gateway-1", url: server.url }),
    });
    await waitFor(() => client.wire.isJoined, "the join");
    server.write({ t: "room", room: ROOM, seq: 1, id: "a", kind: "closed" });
    server.write({ t: "member", room: ROOM, seq: 2, id: "b", user: "ada", role: "none" });
    server.write({ t: "left", room: ROOM, reason: "removed", seq: 2 });
    await waitFor(() => records.at(-1)?.op === "leave", "the removal");
    expect(client.wire.seen(ROOM)).to.equal(2);
    server.drop();
    await waitFor(() => records.at(-1)?.op === "open", "the next connection");
    server.isRefusing = true;
    client.wire.rejoin(ROOM);
    await waitFor(() => records.at(-1)?.op === "join" && "err" in records.at(-1)!, "the refusal");
    expect(server.of("join")).to.have.length(2);
    expect(client.wire.isJoined, "it is away").to.equal(true);
    expect(surprises).to.deep.equal([]);
    client.wire.terminate();
  });

  it("wire-client.4: after a silence the client connects to the next endpoint and resends there", async () => {
    await using first = await ScriptedServer.open();
    await using second = await ScriptedServer.open();
    const { client } = connected({
      silenceMs: 200,
      endpoint: inTurn([
        { name: "east", url: first.url },
        { name: "west", url: second.url },
      ]),
    });
    await waitFor(() => client.wire.isJoined, "the join");
    client.send(ROOM, { n: 1 });
    await waitFor(() => second.of("send").length === 1, "the message at the second endpoint");
    expect(first.of("send")).to.have.length(1);
    second.write({ t: "ack", id: second.of("send")[0]?.id, seq: 1 });
    await waitFor(() => client.pending === 0, "the acknowledgement");
    client.wire.terminate();
  });

  it("wire-client.2, resending-client.1, resending-client.2: records a lost send, then resends it before new ones", async () => {
    await using server = await ScriptedServer.open();
    using fixture = await open(server);
    const { client, records, surprises } = fixture;
    client.send(ROOM, { n: 1 });
    client.send(ROOM, { n: 2 });
    client.send(ROOM, { n: 3 });
    await waitFor(() => server.of("send").length === 2, "two sends in flight");
    server.drop();
    await waitFor(() => server.of("send").length === 4, "both sends again");
    const [first, second, third, fourth] = server.of("send").map(({ id }) => id);
    expect([third, fourth]).to.deep.equal([first, second]);
    const lost = records.filter((record) => record.op === "send" && record.phase === "info");
    expect(lost.map((record) => "err" in record && record.err)).to.deep.equal([LOST, LOST]);
    server.write({ t: "ack", id: first, seq: 1 });
    await waitFor(() => server.of("send").length === 5, "the third message");
    expect(client.pending).to.equal(2);
    expect(surprises).to.deep.equal([]);
  });

  it("wire-client/outbox.2: a full outbox creates no message and counts it", async () => {
    await using server = await ScriptedServer.open();
    using fixture = await open(server);
    for (let n = 0; n < OUTBOX.sizeMax + 2; n++) fixture.client.send(ROOM, { n });
    expect([fixture.client.pending, fixture.client.skipped]).to.deep.equal([OUTBOX.sizeMax, 2]);
  });

  it("wire-client/outbox.4: later messages of the room wait behind a refused one", async () => {
    await using server = await ScriptedServer.open();
    using fixture = await open(server);
    const { client, records } = fixture;
    client.send(ROOM, { n: 1 });
    await waitFor(() => server.of("send").length === 1, "the first send");
    const [first] = server.of("send");
    server.write({ t: "error", id: first?.id, name: "busy", retry: true, afterMs: 50 });
    await waitFor(() => records.at(-1)?.op === "send" && "err" in records.at(-1)!, "the refusal");
    client.send(ROOM, { n: 2 });
    await waitFor(() => server.of("send").length === 3, "the retry and the second message");
    const [, retry, second] = server.of("send").map(({ id }) => id);
    expect(retry).to.equal(first?.id);
    expect(second).to.not.equal(first?.id);
  });

  it("an acknowledgement of a message that is not pending, and a permanent error, are surprises", async () => {
    await using server = await ScriptedServer.open();
    using fixture = await open(server);
    server.write({ t: "ack", id: "unknown", seq: 1 });
    server.write({ t: "error", name: "bad_frame", retry: false });
    await waitFor(() => fixture.surprises.length === 2, "two surprises");
    expect(fixture.surprises.join()).to.contain("not pending").and.to.contain("bad_frame");
  });

  it("wire-client.7: a change that may be refused ends with the answer of the room, and no other does", async () => {
    await using server = await ScriptedServer.open();
    using fixture = await open(server);
    const { client, records, surprises } = fixture;
    const change = { t: "enter", room: ROOM, invite: "i", secret: "s" };
    const refusal = { t: "error", name: "forbidden", retry: false, room: ROOM };
    client.wire.change({ ...change, id: "a" as MessageId, mayBeRefused: true });
    server.write({ ...refusal, id: "a" });
    await waitFor(() => records.at(-1)?.op === "send", "the record of the change");
    await waitFor(() => "err" in records.at(-1)!, "the refusal");
    expect(records.at(-1)).to.include({ op: "send", phase: "fail", id: "a", err: "forbidden" });
    expect(surprises).to.deep.equal([]);
    client.wire.change({ ...change, id: "b" as MessageId });
    server.write({ ...refusal, id: "b" });
    await waitFor(() => surprises.length === 1, "a surprise");
    expect(server.of("enter")[0]).to.not.have.property("mayBeRefused");
  });

  it("records what it has read and its room lists", async () => {
    await using server = await ScriptedServer.open();
    using fixture = await open(server);
    const { client, records } = fixture;
    client.wire.read(ROOM, 3);
    const ref = client.wire.list(20);
    await waitFor(() => server.of("rooms").length === 1, "the request");
    expect(server.of("read")).to.deep.include({ t: "read", room: ROOM, seq: 3 });
    const row = { room: ROOM, head: 3, role: "member", read: 3, unread: 0, mentions: 0 };
    server.write({ t: "rooms", ref, rooms: [{ ...row, at: 1, kind: "closed" }] });
    await waitFor(() => "rooms" in records.at(-1)!, "the list");
    expect(records.at(-1)).to.deep.include({ op: "list", ref, rooms: [{ ...row, last: 0 }] });
    expect(records.slice(-3, -1).map(({ op }) => op)).to.deep.equal(["read", "list"]);
  });
});
