// NATS configuration: prints the configuration of one server on a host. The role `nats` runs it on
// the control machine and copies the text, so the permissions are those of permissions.ts.
//
//   node infra/ansible/nats-config.ts FOLDER '{"name": …, "servers": {"<name>": "<address>"}, …}'
//
// It creates no secret: without the folder of secrets.ts it fails.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { openCredentials } from "../nats/credentials.ts";
import { authorizationText } from "../nats/permissions.ts";
import { serverConfig } from "../nats/server-config.ts";

const request = z.object({
  name: z.string(),
  servers: z.record(z.string(), z.string()),
  partitions: z.int().min(1).max(1_024),
  storeDir: z.string(),
  fileStoreMax: z.string().regex(/^\d+(?:MB|GB|TB)$/),
});

export type HostRequest = z.output<typeof request>;

export function hostConfig(folder: string, options: HostRequest): string {
  if (!existsSync(join(folder, "nkeys"))) {
    throw new Error(`${folder} has no nkeys: run node infra/ansible/secrets.ts ${folder}`);
  }
  const { name, servers, partitions, storeDir, fileStoreMax } = options;
  const address = servers[name];
  if (address === undefined) throw new Error(`${name} is not one of the servers`);
  const { publicKeys, routeSecret } = openCredentials(folder);
  return serverConfig({
    name,
    address,
    storeDir,
    fileStoreMax,
    hosts: Object.values(servers),
    routeSecret,
    authorization: authorizationText(publicKeys, partitions),
  });
}

if (import.meta.main) {
  const [folder = "", text = "{}"] = process.argv.slice(2);
  try {
    process.stdout.write(hostConfig(folder, request.parse(JSON.parse(text))));
  } catch (error: unknown) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
