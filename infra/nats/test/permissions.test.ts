// NATS permissions: properties of the table. What a server enforces: nats-users.test.ts.

import { expect } from "chai";
import * as fc from "fast-check";
import type { ProcessId, RoomId } from "#shared/protocol/ids.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { isAllowed, NATS_USERS, permissionsOf } from "../permissions.ts";
import { INBOXES, PARTITIONS } from "./inboxes.ts";

const room = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/).map((text) => text as RoomId);
const process_ = fc
  .stringMatching(/^(gw|room|pers)-[0-9a-f]{12}$/)
  .map((text) => text as ProcessId);
const partition = fc.integer({ min: 0, max: PARTITIONS - 1 });

/** Who follows the settings and answers the operator. */
const FOLLOWERS = "gateway room persistence webhooks operator";
/** Which services write and read which subjects: a second list, independent of the table. */
const TRAFFIC = fc.oneof(
  partition.map((p) => [subjects.commands(p), "gateway", "room"] as const),
  process_.map((id) => [subjects.results(id), "room", "gateway"] as const),
  room.map((id) => [subjects.out(id), "room", "gateway"] as const),
  room.map((id) => [subjects.live(id), "gateway room", "gateway"] as const),
  room.map((id) => [subjects.note(id), "room", "gateway"] as const),
  partition.map((p) => [subjects.history(p), "gateway room", "persistence"] as const),
  partition.map((p) => [subjects.log(p), "room", ""] as const),
  partition.map((p) => [subjects.watermark(p), "persistence", "room webhooks"] as const),
  partition.map((p) => [subjects.suspect(p), "gateway", "room"] as const),
  process_.map((id) => [subjects.ping(id), "room", "room"] as const),
  process_.map((id) => [subjects.archivePing(id), "persistence", "persistence"] as const),
  fc
    .constantFrom("status", "rooms", "drain", "kick")
    .map((verb) => [subjects.control(verb as "status"), "operator", FOLLOWERS] as const),
  fc.constant([subjects.tableGet("settings"), FOLLOWERS, "persistence"] as const),
  fc.constant([subjects.manageWebhooks, "gateway operator", "webhooks"] as const),
  fc.constant([subjects.linkPreview, "gateway", "webhooks"] as const),
  fc.constant([subjects.tableChanged("settings"), "persistence", FOLLOWERS] as const),
  fc.constant([subjects.sessions, "gateway operator", "persistence"] as const),
  fc.constant([subjects.lease, "gateway room", "persistence"] as const),
  fc.constant([subjects.beat("gateway"), "gateway", "gateway room"] as const),
  fc.constant([subjects.beat("room"), "room", "gateway room"] as const),
  fc.constant([subjects.beat("persistence"), "persistence", "persistence"] as const),
);

describe("NATS permissions", () => {
  it("X1: every subject of the protocol is open to the services that use it, and to no other", () => {
    fc.assert(
      fc.property(TRAFFIC, fc.constantFrom(...NATS_USERS), ([subject, writers, readers], user) => {
        const { publish, subscribe } = permissionsOf(user, PARTITIONS);
        const isAdmin = user === "admin";
        expect(isAllowed(publish, subject)).to.equal(isAdmin || writers.split(" ").includes(user));
        expect(isAllowed(subscribe, subject)).to.equal(
          isAdmin || readers.split(" ").includes(user),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it("X1: who may ask a question may get its answer", () => {
    const asked = [
      [subjects.history(0), "persistence"],
      [subjects.tableGet("settings"), "persistence"],
      [subjects.lease, "persistence"],
      [subjects.sessions, "persistence"],
      [subjects.manageWebhooks, "webhooks"],
      [subjects.linkPreview, "webhooks"],
      [subjects.ping("room-1" as ProcessId), "room"],
      [subjects.archivePing("pers-1" as ProcessId), "persistence"],
    ] as const;
    for (const [subject, answerer] of asked) {
      const { publish } = permissionsOf(answerer, PARTITIONS);
      const askers = NATS_USERS.filter((user) => {
        return user !== "admin" && isAllowed(permissionsOf(user, PARTITIONS).publish, subject);
      });
      expect(askers, subject).not.to.have.length(0);
      for (const asker of askers) {
        const may = isAllowed(publish, `${INBOXES[asker]}.x.1`);
        expect(may, `${answerer} answers ${asker} on ${subject}`).to.equal(true);
      }
    }
  });

  it("X1: only the administrator creates and changes streams, and only the trimmer purges them", () => {
    const verb = fc.constantFrom("CREATE", "UPDATE", "DELETE", "PURGE", "RESTORE", "MSG.DELETE");
    const name = fc.oneof(
      partition.map(subjects.stream),
      fc.constantFrom("KV_sessions", "KV_config", "KV_cluster", "LOG_99", "x"),
    );
    const other = fc.constantFrom("LEADER.STEPDOWN", "PEER.REMOVE").map((act) => `STREAM.${act}`);
    fc.assert(
      fc.property(
        fc.oneof(
          verb.map((act) => `STREAM.${act}`),
          other,
        ),
        name,
        (act, stream) => {
          const subject = `$JS.API.${act}.${stream}`;
          const able = NATS_USERS.filter((user) =>
            isAllowed(permissionsOf(user, PARTITIONS).publish, subject),
          );
          const isTrim = act === "STREAM.PURGE" && /^LOG_[0-3]$/.test(stream);
          expect(able).to.deep.equal(isTrim ? ["trimmer", "admin"] : ["admin"]);
        },
      ),
    );
  });

  it("X5: a gateway has no right to JetStream or a bucket, for any subject", () => {
    for (const pattern of permissionsOf("gateway", PARTITIONS).publish) {
      expect(pattern, "a pattern that covers a JetStream subject").not.to.match(/^(\$|>|\*)/);
    }
  });

  it("X2: no user may subscribe to the inboxes of another kind", () => {
    for (const user of NATS_USERS) {
      for (const owner of NATS_USERS) {
        const { subscribe } = permissionsOf(user, PARTITIONS);
        const may = isAllowed(subscribe, `${INBOXES[owner]}.x.1`);
        expect(may, `${user} on ${owner}`).to.equal(user === owner || user === "admin");
      }
    }
  });
});
