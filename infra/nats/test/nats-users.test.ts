// NATS users: each service's limits, the attacks on JetStream and the seeds, on a real server.

import { expect } from "chai";
import { readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errors } from "@nats-io/transport-node";
import type { NatsConnection } from "@nats-io/transport-node";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import { NatsLeases } from "#shared/adapters/leases-nats.ts";
import { openNatsLog } from "#shared/adapters/log-nats.ts";
import { provision } from "#shared/adapters/nats-provision.ts";
import { openNatsBus } from "#shared/adapters/bus-nats.ts";
import type { NatsBus } from "#shared/adapters/bus-nats.ts";
import { createLogger } from "#shared/process/logger.ts";
import { decodeControl } from "#shared/protocol/control.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { launchNats } from "#shared/testing/launch-nats.ts";
import type { NatsServer } from "#shared/testing/launch-nats.ts";
import { until } from "#shared/testing/wait.ts";
import { openCredentials } from "../credentials.ts";
import type { Credentials } from "../credentials.ts";
import { authorizationText, permissionsOf } from "../permissions.ts";
import type { NatsUser } from "../permissions.ts";
import { INBOXES, PARTITIONS } from "./inboxes.ts";

const silent = createLogger({ name: "test", level: "silent" });

describe("NATS users, on a real server", () => {
  let dir = "";
  let server: NatsServer;
  let credentials: Credentials;
  let admin: NatsBus;
  const buses: NatsBus[] = [];

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "parley-users-"));
    credentials = openCredentials(dir);
    server = await launchNats({
      dir: join(dir, "nats"),
      authorization: authorizationText(credentials.publicKeys, PARTITIONS),
    });
    admin = await open("admin");
    const logBytesMax = 16 * 1_024 * 1_024;
    await provision(admin.connection, { partitions: PARTITIONS, replicas: 1, logBytesMax });
  });
  after(async () => {
    await Promise.all(buses.map((bus) => bus.close()));
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });

  async function open(user: NatsUser): Promise<NatsBus> {
    const nkeyFile = credentials.files[user];
    const access = { url: server.url, nkeyFile, name: user, inboxPrefix: INBOXES[user] };
    const bus = await openNatsBus({ ...access, logger: silent });
    buses.push(bus);
    return bus;
  }

  const LIMITS: Readonly<
    Record<Exclude<NatsUser, "admin">, { may: readonly string[]; mayNot: readonly string[] }>
  > = {
    gateway: {
      may: [
        "cmd.1",
        "cmd.1.812",
        "hist.1",
        "live.general",
        "suspect.1",
        "node.gateway",
        "table.get.settings",
        "sess",
      ],
      mayNot: [
        "$KV.sessions.s1",
        "$KV.sessions.YWRh.s1.gw-1",
        "$KV.gateways.gw-1",
        "sess.gw-2",
        "$JS.API.INFO",
        "$JS.API.DIRECT.GET.KV_config",
        "$JS.API.CONSUMER.CREATE.KV_config.x",
        "table.changed.settings",
        "log.1",
        "out.general",
        "watermark.1",
        "gw.gw-2",
        "node.room",
        "$KV.config.log",
        "$KV.leases.gateway",
        "ctl.kick",
      ],
    },
    room: {
      may: ["log.1", "out.general", "gw.gw-1", "hist.1", "node.room", "node.room-2.ping"],
      mayNot: [
        "$KV.leases.room",
        "sess",
        "log.64", // Splits are permitted up to 64 partitions.
        "cmd.1",
        "cmd.1.812",
        "watermark.1",
        "node.gateway",
        "$KV.sessions.s1",
        "$KV.config.x",
        "$JS.API.DIRECT.GET.KV_config",
        "$JS.API.CONSUMER.CREATE.LOG_1.x.log.1",
        "table.changed.settings",
        "_INBOX_pers.x",
      ],
    },
    persistence: {
      may: [
        "watermark.1",
        "node.persistence",
        "_INBOX_gw.gw-1.x",
        "_INBOX_room.room-1.x",
        "sess.gw-1",
        "$KV.sessions.YWRh.s1.gw-1",
        "$KV.gateways.gw-1.state",
        "$KV.config.revoked.YWRh",
      ],
      mayNot: [
        "log.1",
        "cmd.1",
        "out.general",
        "hist.1",
        "$JS.API.STREAM.PURGE.LOG_1",
        "$JS.API.CONSUMER.CREATE.KV_config.x",
        "$KV.config.x",
        "ctl.kick",
      ],
    },
    webhooks: {
      may: ["table.get.settings", "_INBOX_gw.gw-1.x", "$JS.API.STREAM.INFO.KV_sessions"],
      mayNot: [
        "log.1",
        "cmd.1",
        "out.general",
        "hist.1",
        "watermark.1",
        "hook.manage",
        "$JS.API.INFO",
        "$JS.API.STREAM.INFO.LOG_1",
        "$JS.API.CONSUMER.CREATE.KV_sessions.x",
        "$KV.sessions.a.b.c",
        "$KV.config.x",
        "ctl.kick",
      ],
    },
    operator: {
      may: ["ctl.status", "ctl.drain", "ctl.kick", "sess", "hook.manage", "table.get.settings"],
      mayNot: [
        "log.1",
        "cmd.1",
        "out.general",
        "hist.1",
        "node.gateway",
        "sess.gw-1",
        "region.control",
        "$JS.API.INFO",
        "$JS.API.STREAM.INFO.KV_sessions",
        "$KV.config.x",
        "_INBOX_gw.gw-1.x",
      ],
    },
    trimmer: {
      may: ["$JS.API.STREAM.INFO.LOG_1"],
      mayNot: [
        "log.1",
        "watermark.1",
        "$JS.API.STREAM.DELETE.LOG_1",
        "$JS.API.STREAM.PURGE.KV_sessions",
      ],
    },
  };

  for (const [user, { may, mayNot }] of Object.entries(LIMITS)) {
    it(`X1: ${user} publishes what it needs; the server refuses and logs everything else`, async () => {
      const { connection } = await open(user as NatsUser);
      const refused = refusals(connection);
      for (const subject of [...may, ...mayNot]) connection.publish(subject, "{}");
      await connection.flush();
      await until(() => refused.length >= mayNot.length, { withinMs: 10_000, what: "refusals" });
      expect(refused).to.deep.equal(mayNot);
      const logged = readFileSync(join(server.dir, "nats.log"), "utf8");
      for (const subject of mayNot) expect(logged).to.include(`Violation`).and.include(subject);
    });

    it(`X2: ${user} receives no message for other users`, async () => {
      const { connection } = await open(user as NatsUser);
      const refused = refusals(connection);
      const { subscribe } = permissionsOf(user as NatsUser, PARTITIONS);
      const others = ["log.1", ">", "_INBOX_admin.>", "$JS.API.>", "$KV.sessions.>"];
      for (const subject of [...subscribe, ...others]) {
        connection.subscribe(subject, { callback: () => undefined });
      }
      await connection.flush();
      await until(() => refused.length >= others.length, { withinMs: 10_000, what: "refusals" });
      expect(refused).to.deep.equal(others);
    });
  }

  it("X1: room nodes write the log, persistence reads it, and the trimmer trims it", async () => {
    const [owner, archive, trimmer] = [
      openNatsLog(await open("room")),
      openNatsLog(await open("persistence"), { appendTimeoutMs: 300 }),
      openNatsLog(await open("trimmer")),
    ];
    for (let last = 0; last < 5; last++) {
      expect(await owner.append(2, `entry ${last + 1}`, last)).to.include({ kind: "ok" });
    }
    for (const log of [owner, archive]) {
      const seen: number[] = [];
      const reader = log.read(2, 1, {
        onEntry: (seq) => seen.push(seq),
        onError: (reason) => expect.fail(reason),
      });
      await until(() => seen.length >= 5, { withinMs: 10_000, what: "all entries" });
      reader.close();
      expect((await log.get(2, 3)).kind).to.equal("ok");
    }
    expect((await archive.append(2, "forged", 5)).kind).to.equal("unknown");
    expect((await archive.trim(2, 3)).kind).to.equal("unknown");
    expect(await owner.last(2)).to.include({ first: 1, last: 5 });
    expect(await trimmer.trim(2, 3)).to.deep.equal({ kind: "ok" });
    expect(await owner.last(2)).to.include({ first: 4, last: 5 });
  });

  it("X1, E13: persistence takes leases with its own rights", async () => {
    const [one, two] = ["room-000000000001", "room-000000000002"] as ProcessId[];
    const leases = new NatsLeases((await open("persistence")).connection);
    expect(await leases.take({ name: "room", by: one! })).to.deep.equal({ kind: "held" });
    expect(await leases.take({ name: "room", by: two! })).to.deep.equal({ kind: "taken" });
  });

  it("X5: with a gateway's key the server publishes nothing to a log, to ctl.* or to a room", async () => {
    const gateway = await open("gateway");
    const seen: string[] = [];
    for (const subject of ["ctl.>", "out.>"]) {
      admin.connection.subscribe(subject, {
        callback: (_, message) => void seen.push(message.subject),
      });
    }
    await admin.flush();
    const before = await openNatsLog(admin).last(1);
    const own = JSON.stringify({ v: 1, by: "mallory", id: "room-000000000000" });
    for (const bucket of ["sessions", "config"]) gateway.publish(`$KV.${bucket}.x`, own);
    await gateway.flush();
    for (const target of ["log.1", "ctl.drain", "out.general"]) {
      for (const stream of ["KV_sessions", "KV_config", "LOG_2"]) {
        await attackBy(gateway, stream, target);
      }
    }
    await gateway.flush();
    // A marker behind all of it: messages that the server publishes for the gateway arrive before
    // it.
    await until(
      async () => {
        admin.publish("ctl.status", "marker");
        await admin.flush();
        return seen.includes("ctl.status");
      },
      { withinMs: 10_000, what: "the marker" },
    );
    expect(new Set(seen)).to.deep.equal(new Set(["ctl.status"]));
    expect(await openNatsLog(admin).last(1)).to.deep.equal(before);
  });

  it("X5: messages that the server publishes for a room node's or persistence's key reach no handler", async () => {
    const gateway = await open("gateway");
    const seen: string[] = [];
    // Literal subjects, as services use: a consumer delivers to a subject with a subscription of
    // its own.
    gateway.subscribe("ctl.drain", ({ data }) => seen.push(new TextDecoder().decode(data)));
    await gateway.flush();
    const room = await open("room");
    const order = JSON.stringify({ v: 1, by: "mallory", id: "gw-000000000000" });
    const { last } = { last: 0, ...(await openNatsLog(admin).last(3)) };
    expect(await openNatsLog(room).append(3, order, last)).to.include({ kind: "ok" });
    const refusedBefore = gateway.counts.refused;
    for (const user of ["room", "persistence"] as const) {
      await attackBy(await open(user), "LOG_3", "ctl.drain");
    }
    await until(() => gateway.counts.refused >= refusedBefore + 6, {
      withinMs: 10_000,
      what: "a direct read, a push and a pull of each key to be refused",
    });
    admin.publish("ctl.drain", "valid");
    await until(() => seen.includes("valid"), { withinMs: 10_000, what: "the marker" });
    // Replies of JetStream's API have no headers; they are JSON that our decoders refuse.
    expect(seen.map(decodeControl)).to.deep.equal(seen.map(() => undefined));
  });

  it("X3: a message whose subject or reply contains a wildcard does not reach its handler", async () => {
    const gateway = await open("gateway");
    const seen: string[] = [];
    gateway.subscribe("live.*", ({ subject }) => seen.push(subject));
    await gateway.flush();
    admin.publish("live.*", "a");
    admin.publish("live.general", "b", "gw.>");
    admin.publish("live.general", "c");
    await until(() => seen.length > 0, { withinMs: 10_000, what: "the valid message" });
    expect(seen).to.deep.equal(["live.general"]);
    expect(gateway.counts.refused).to.equal(2);
  });

  it("X4: only the owner can read the seeds, they are kept, and without a seed the server refuses", async () => {
    for (const file of Object.values(credentials.files)) {
      expect(statSync(file).mode & 0o777, file).to.equal(0o600);
    }
    expect(statSync(join(server.dir, "nats.conf")).mode & 0o777).to.equal(0o600);
    expect(openCredentials(dir)).to.deep.equal(credentials);
    const config = readFileSync(join(server.dir, "nats.conf"), "utf8");
    for (const file of Object.values(credentials.files)) {
      expect(config).not.to.include(readFileSync(file, "utf8").trim());
    }
    const stranger = connectNats({ url: server.url, name: "stranger", inboxPrefix: "_INBOX_x" });
    const error = await stranger.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(String(error)).to.include("Authorization Violation");
  });
});

/** Every way in which a request to JetStream names the subject that the server publishes to. */
async function attackBy(bus: NatsBus, stream: string, target: string): Promise<void> {
  const request = (subject: string, body: object): void => {
    bus.publish(`$JS.API.${subject}`, JSON.stringify(body), target);
  };
  request(`DIRECT.GET.${stream}`, { seq: 1 });
  request(`STREAM.MSG.GET.${stream}`, { seq: 1 });
  request(`STREAM.INFO.${stream}`, {});
  const common = { ack_policy: "none", deliver_policy: "all", mem_storage: true };
  const name = `${bus.inboxPrefix}-${target}`.replace(/[^\w-]/g, "-");
  for (const way of [{ name: `${name}-pull` }, { name, deliver_subject: target }]) {
    const request = { stream_name: stream, config: { ...common, ...way }, action: "create" };
    const subject = `$JS.API.CONSUMER.CREATE.${stream}.${way.name}`;
    // The server does not answer a refused request. A late answer makes no difference to the
    // attack.
    await bus.request(subject, JSON.stringify(request), { timeoutMs: 200 });
  }
  request(`CONSUMER.MSG.NEXT.${stream}.${name}-pull`, { batch: 1, expires: 1_000_000_000 });
}

/** The subjects that the server refuses to this connection, according to its errors. */
function refusals(connection: NatsConnection): string[] {
  const refused: string[] = [];
  void (async () => {
    for await (const event of connection.status()) {
      if (event.type !== "error") continue;
      if (event.error instanceof errors.PermissionViolationError) refused.push(event.error.subject);
    }
  })();
  return refused;
}
