// Copies: the files of the chart that are made from other files of the tree.
//
// A chart must hold every file that it uses, so `node infra/helm/copies.ts` writes them below
// parley/files: the alert rules, the dashboards, and the table of NATS users. A test fails when one
// of them differs from its source.
//
//   copies.1. files/rules.yml and files/dashboards are byte for byte the files of
//        infra/prometheus and infra/grafana.
//   copies.2. files/nats-users.json, with a number of partitions filled in, is the table of
//        infra/nats/permissions.ts for that number.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DASHBOARDS } from "../grafana/dashboards.ts";
import { NATS_USERS, permissionsOf } from "../nats/permissions.ts";
import type { NatsUser, Permissions } from "../nats/permissions.ts";

const INFRA = fileURLToPath(new URL("..", import.meta.url));
export const FILES = fileURLToPath(new URL("parley/files", import.meta.url));

/** A path below parley/files → its source below infra. */
export const COPIES: Readonly<Record<string, string>> = {
  "rules.yml": "prometheus/rules.yml",
  ...Object.fromEntries(
    DASHBOARDS.map(({ uid }) => [`dashboards/${uid}.json`, `grafana/dashboards/${uid}.json`]),
  ),
};

/** The rights of a user. Those under `…Each` hold for each partition, which `<p>` stands for. */
export interface ChartPermissions extends Permissions {
  readonly publishEach?: readonly string[];
  readonly subscribeEach?: readonly string[];
}

export function natsUsers(): Readonly<Record<NatsUser, ChartPermissions>> {
  const entries = NATS_USERS.map((user) => [user, withPlaceholder(user)] as const);
  return Object.fromEntries(entries) as Record<NatsUser, ChartPermissions>;
}

/** The rights that a user has with one partition and not with none belong to partition 0. */
function withPlaceholder(user: NatsUser): ChartPermissions {
  const [none, one] = [permissionsOf(user, 0), permissionsOf(user, 1)];
  const eachOf = (kind: keyof Permissions): string[] =>
    one[kind].filter((subject) => !none[kind].includes(subject)).map(replacePartition);
  const [publishEach, subscribeEach] = [eachOf("publish"), eachOf("subscribe")];
  return {
    ...none,
    ...(publishEach.length > 0 && { publishEach }),
    ...(subscribeEach.length > 0 && { subscribeEach }),
  };
}

function replacePartition(subject: string): string {
  const parts = subject.split("0");
  if (parts.length !== 2) throw new Error(`${subject}: expected the partition once`);
  return parts.join("<p>");
}

export function sourceOf(copy: string): string {
  return readFileSync(join(INFRA, COPIES[copy] ?? ""), "utf8");
}

if (import.meta.main) {
  for (const copy of Object.keys(COPIES)) writeFileSync(join(FILES, copy), sourceOf(copy));
  const users = `${JSON.stringify(natsUsers(), undefined, 2)}\n`;
  writeFileSync(join(FILES, "nats-users.json"), users);
}
