// Sessions of a whole gateway: the lease, the writes, the notices, and the requests of HTTP.

import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import { MemorySessionStore } from "#shared/adapters/session-store-memory.ts";
import { GATEWAY_LEASE_MS } from "#shared/ports/session-store.ts";
import type { ProcessId, UserId } from "#shared/protocol/ids.ts";
import type { SessionEvent, SessionId } from "#shared/protocol/session-records.ts";
import { encodeSessionNotice } from "#shared/protocol/session-requests.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { frameMaker } from "../adapters/websocket.ts";
import { SESSION_CALLS_PER_USER_MAX } from "../core/bounds.ts";
import { Gateway } from "../runtime/gateway.ts";
import { advance } from "./advance.ts";
import { ScriptedArchive, ScriptedOwner } from "./scripted-owner.ts";
import { SessionDesk } from "./session-desk.ts";
import { framesOf, SlowSocket } from "./slow-socket.ts";

const ADA = "ada" as UserId;
const ID = "gw-1" as ProcessId;
const STEP_MS = 10;

async function openGateway() {
  const clock = new FakeClock();
  const after = (delayMs: number, run: () => void) => clock.after(delayMs, run);
  const broker = new MemoryBroker({ after });
  const owner = new ScriptedOwner(broker.connect(), 2);
  const store = new MemorySessionStore(clock);
  const deskBus = broker.connect();
  const desk = new SessionDesk(deskBus, store);
  const bus = broker.connect();
  const gateway = new Gateway(
    { id: ID, partitions: 2, version: "test", limits: false, pingMs: 3_600_000 },
    {
      bus,
      archive: new ScriptedArchive(owner.model),
      clock,
      random: systemRandom,
      auth: {
        verify: (token) => {
          const identity = { user: token as UserId, admin: false, expiresAt: Infinity };
          return Promise.resolve({ kind: "ok", identity });
        },
      },
      frames: frameMaker,
      report: () => undefined,
    },
  );
  owner.serve();
  gateway.start();
  await advance(clock, 100, STEP_MS);
  const connect = async (more: object = {}) => {
    const socket = new SlowSocket();
    const handlers = gateway.accept(socket);
    handlers.onText(JSON.stringify({ t: "hello", token: ADA, ...more }));
    clock.advance(1);
    await new Promise(setImmediate);
    clock.advance(1);
    const welcome = framesOf(socket, "welcome").at(0);
    return { socket, handlers, session: welcome?.["session"] as SessionId };
  };
  return { clock, bus, deskBus, store, desk, gateway, connect };
}

const shown = (event: SessionEvent) => [
  event.t,
  event.session,
  ...(event.t === "ended" ? [event.reason] : []),
];

describe("SessionRegisterRunner", () => {
  it("SL4: an idle gateway with sessions sends one request in three seconds", async () => {
    const { clock, desk, connect, store } = await openGateway();
    for (let n = 0; n < 20; n++) await connect();
    await advance(clock, 3_000, STEP_MS);
    expect(store.events).to.have.length(20);
    const before = desk.requests.length;
    await advance(clock, 60_000, 100);
    expect(desk.requests.slice(before).map(({ op }) => op)).to.deep.equal(
      Array.from({ length: 20 }, () => "lease"),
    );
  });

  it("SL4: connects within a second share a request", async () => {
    const { clock, desk, connect, store } = await openGateway();
    for (let n = 0; n < 200; n++) await connect();
    await advance(clock, 2_000, STEP_MS);
    expect(store.events).to.have.length(200);
    expect(desk.opsOf("write").length).to.be.below(4);
  });

  it("SL1: a session has what its hello names, and its end has the reason", async () => {
    const { clock, store, connect } = await openGateway();
    const from = "01890000-0000-7000-8000-000000000001";
    const { handlers, session } = await connect({ client: "x/1", device: "phone", session: from });
    const other = await connect({ session: "no id" });
    await advance(clock, 1_100, STEP_MS);
    expect(store.events[0]).to.deep.include({
      t: "started",
      user: ADA,
      session,
      gateway: ID,
      client: "x/1",
      device: "phone",
      from,
    });
    expect(store.events[1]).not.to.have.property("from");
    handlers.onClose();
    await advance(clock, 1_100, STEP_MS);
    expect(shown(store.events[2] as SessionEvent)).to.deep.equal(["ended", session, "left"]);
    const list = await store.list(ADA);
    expect(list.kind === "ok" && list.value.sessions.map((one) => one.session)).to.deep.equal([
      other.session,
    ]);
  });

  it("SL3: a gateway that was cut off announces its sessions when it returns, and they go on", async () => {
    const { clock, bus, store, connect } = await openGateway();
    const { session } = await connect();
    await advance(clock, 1_100, STEP_MS);
    bus.disconnect();
    await advance(clock, GATEWAY_LEASE_MS + 1_000, 100);
    await store.endLost(ID, clock.now());
    bus.reconnect();
    await advance(clock, 4_000, STEP_MS);
    expect(store.events.map(shown)).to.deep.equal([
      ["started", session],
      ["ended", session, "gateway-lost"],
      ["started", session],
    ]);
  });

  it("SL3: without persistence a gateway serves, and hands its sessions on when it returns", async () => {
    const { clock, store, connect } = await openGateway();
    store.isAway = true;
    const { socket } = await connect();
    await advance(clock, 30_000, 100);
    expect([socket.closes, store.events]).to.deep.equal([[], []]);
    store.isAway = false;
    await advance(clock, 12_000, 100);
    expect(store.events).to.have.length(1);
  });

  it("SL5, SL6: a notice closes the sessions that it names, of that user alone", async () => {
    const { clock, deskBus, store, connect } = await openGateway();
    const [moved, ended, stays] = [await connect(), await connect(), await connect()];
    await advance(clock, 1_100, STEP_MS);
    const notify = (user: string, session: SessionId, reason: "moved" | "ended") => {
      const notice = { user: user as UserId, sessions: [session], reason };
      deskBus.publish(subjects.sessionNotice(ID), encodeSessionNotice(notice));
    };
    notify("eve", stays.session, "ended");
    notify("ada", moved.session, "moved");
    notify("ada", ended.session, "ended");
    deskBus.publish(subjects.sessionNotice(ID), "{}");
    await advance(clock, 1_100, STEP_MS);
    const codes = [moved, ended, stays].map(({ socket }) => socket.closes);
    expect(codes).to.deep.equal([[4001], [4501], []]);
    expect(store.events.slice(3).map(shown)).to.deep.equal([
      ["ended", moved.session, "moved"],
      ["ended", ended.session, "ended"],
    ]);
  });

  it("SL2: a gateway that leaves writes its ends and gives its lease back", async () => {
    const { clock, desk, store, gateway, connect } = await openGateway();
    const { session } = await connect();
    await advance(clock, 1_100, STEP_MS);
    const drained = gateway.drain();
    await advance(clock, 5_000, STEP_MS);
    await drained;
    expect(store.events.slice(1).map(shown)).to.deep.equal([["ended", session, "restart"]]);
    expect(desk.requests.at(-1)).to.deep.equal({ op: "leave", gateway: ID });
  });
});

describe("Sessions", () => {
  it("SL8: requests about a user are bounded, and a refusal of persistence is a row of the table", async () => {
    const { clock, desk, gateway } = await openGateway();
    const { sessions } = gateway;
    desk.instead = () => undefined;
    const asked = Array.from({ length: SESSION_CALLS_PER_USER_MAX + 1 }, () => sessions.list(ADA));
    expect(await asked.at(-1)).to.deep.equal({ kind: "refused", error: "busy" });
    await advance(clock, 10_000, 100);
    expect(await asked[0]).to.deep.equal({ kind: "refused", error: "unavailable" });
    desk.instead = undefined;
    const [list, ended, revoked] = [
      sessions.list(ADA),
      sessions.end(ADA, undefined),
      sessions.revoke(ADA, "ops"),
    ];
    await advance(clock, 100, STEP_MS);
    expect(await list).to.deep.equal({ kind: "sessions", list: { sessions: [], more: 0 } });
    expect(await ended, "one is left").to.deep.equal({ kind: "refused", error: "unavailable" });
    expect(await revoked, "full").to.deep.equal({ kind: "refused", error: "conflict" });
  });
});
