// TLS dial: connects as the services do, and prints the result. It is a process of its own, because
// Node reads NODE_EXTRA_CA_CERTS only at its start.
//
//   node shared/testing/tls-dial.ts <url>

import { connectNats } from "../adapters/nats-connect.ts";

const [, , url = ""] = process.argv;
try {
  const connection = await connectNats({ url, name: "tls-dial", inboxPrefix: "_INBOX.tls" });
  await connection.flush();
  process.stdout.write("connected\n");
  await new Promise((resolve) => process.stdin.once("end", resolve).resume());
  await connection.close();
} catch (error: unknown) {
  process.stdout.write(`${String(error)}\n`);
}
