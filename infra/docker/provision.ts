// `provision`: creates the streams and buckets of a compose cluster, as the administrator, and
// exits. Idempotent; services wait for it (compose: service_completed_successfully).

import { connectNats } from "#shared/adapters/nats-connect.ts";
import { NatsUnreachable } from "#shared/adapters/nats-unreachable.ts";
import { checkServer, provision, ProvisionError } from "#shared/adapters/nats-provision.ts";

const url = process.env["NATS_URL"] ?? "";
const partitions = Number(process.env["PARTITIONS"] ?? 64);
const logBytesMax = Number(process.env["LOG_BYTES_MAX"] ?? 256 * 1024 * 1024);
const nkeyFile = process.env["NATS_NKEY_FILE"];

try {
  const connection = await connectNats({
    url,
    nkeyFile,
    name: "provision",
    inboxPrefix: "_INBOX_admin",
  });
  const check = checkServer(connection);
  if (check.kind === "refused") {
    console.error(check.reason);
    // The open connection would keep the process running.
    process.exit(1);
  }
  await provision(connection, { partitions, logBytesMax, replicas: 3 });
  await connection.close();
  console.log(`provisioned ${partitions} partitions with three replicas`);
} catch (error: unknown) {
  if (!(error instanceof NatsUnreachable) && !(error instanceof ProvisionError)) throw error;
  console.error(error.message);
  // The connection may be open, which would keep the process running.
  process.exit(1);
}
