// Target: which cluster the command speaks to. Flags first, then .parley/cluster.json as the
// embedded cluster writes it, then the usual addresses.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { parseObject } from "#shared/kit/json.ts";

export interface Target {
  /** Without a slash at the end. */
  readonly url: string;
  readonly nats: NatsAccess;
  readonly database: string | undefined;
  readonly jaeger: string;
  /** The embedded cluster's processes by their names there. */
  readonly pids: ReadonlyMap<string, number>;
}

interface Named {
  readonly name: string;
  readonly pid: number;
}

interface ClusterFile {
  readonly gateways?: readonly (Named & { readonly url: string })[];
  readonly rooms?: readonly Named[];
  readonly persistence?: readonly Named[];
  readonly natsNkeyFile?: string;
  readonly nats?: readonly { readonly url: string }[];
  readonly postgres?: { readonly url: string };
}

export function readTarget(flags: {
  readonly url?: string;
  readonly nats?: string;
  readonly natsNkey?: string;
  readonly database?: string;
  readonly jaeger?: string;
}): Target {
  const file = readCluster(process.env["DATA"] ?? ".parley");
  const embedded = file.nats?.map((server) => server.url).join(",");
  const url = flags.url ?? file.gateways?.[0]?.url ?? "http://localhost:8080";
  const services = [file.gateways, file.rooms, file.persistence].flatMap((list) => list ?? []);
  return {
    pids: new Map(services.map(({ name, pid }) => [name, pid])),
    url: url.replace(/\/$/, ""),
    jaeger: (flags.jaeger ?? process.env["JAEGER_URL"] ?? "http://localhost:16686").replace(
      /\/$/,
      "",
    ),
    nats: {
      url: flags.nats ?? embedded ?? process.env["NATS_URL"] ?? "nats://127.0.0.1:4222",
      nkeyFile: flags.natsNkey ?? process.env["NATS_NKEY_FILE"] ?? file.natsNkeyFile,
    },
    database: flags.database ?? file.postgres?.url ?? databaseOf(process.env["DATABASE_URL"]),
  };
}

/** As a service would read it: with the password from its file. */
function databaseOf(url: string | undefined): string | undefined {
  const file = process.env["DATABASE_PASSWORD_FILE"];
  if (url === undefined || file === undefined) return url;
  const whole = new URL(url);
  whole.password = readFileSync(file, "utf8").trim();
  return whole.href;
}

function readCluster(data: string): ClusterFile {
  try {
    return parseObject(readFileSync(join(data, "cluster.json"), "utf8")) ?? {};
  } catch {
    return {}; // No embedded cluster was ever started here; flags and defaults decide.
  }
}
