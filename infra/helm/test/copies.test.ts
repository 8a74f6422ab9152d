// The files of the chart that are made from other files of the tree: each equals its source.

import { expect } from "chai";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NATS_USERS, permissionsOf } from "../../nats/permissions.ts";
import { COPIES, FILES, natsUsers, sourceOf } from "../copies.ts";
import type { ChartPermissions } from "../copies.ts";

const read = (path: string): string => readFileSync(join(FILES, path), "utf8");

describe("The chart's files", () => {
  it("copies.1: rules and dashboards equal their sources (else: node infra/helm/copies.ts)", () => {
    for (const copy of Object.keys(COPIES)) {
      expect(read(copy) === sourceOf(copy), copy).to.equal(true);
    }
  });

  it("copies.1: the folder holds every dashboard and no other file", () => {
    const dashboards = readdirSync(join(FILES, "../../../grafana/dashboards"));
    expect(readdirSync(join(FILES, "dashboards"))).to.have.members(dashboards);
    expect(readdirSync(FILES)).to.have.members(["dashboards", "rules.yml", "nats-users.json"]);
  });

  it("copies.2: the users of NATS are the table of permissions, for any number of partitions", () => {
    const users = JSON.parse(read("nats-users.json")) as ReturnType<typeof natsUsers>;
    expect(users).to.deep.equal(natsUsers());
    const filled = (
      user: ChartPermissions,
      kind: "publish" | "subscribe",
      count: number,
    ): string[] =>
      [...user[kind]].concat(
        Array.from({ length: count }, (_, p) => p).flatMap((p) =>
          (user[`${kind}Each`] ?? []).map((subject) => subject.replace("<p>", String(p))),
        ),
      );
    for (const user of NATS_USERS) {
      for (const count of [1, 2, 11, 100]) {
        const expected = permissionsOf(user, count);
        expect(filled(users[user], "publish", count)).to.have.members([...expected.publish]);
        expect(filled(users[user], "subscribe", count)).to.have.members([...expected.subscribe]);
      }
    }
  });
});
