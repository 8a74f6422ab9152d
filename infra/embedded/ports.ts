// Ports of an embedded cluster: the ones people expect when they are free, else any.
//
// A port that was free a moment ago may be taken when it is used. The servers we start say so and
// their launch fails with that line; nothing here pretends to reserve one.

import { once } from "node:events";
import { createServer } from "node:net";
import { freePort } from "#shared/testing/ports.ts";

const LOOPBACK = "127.0.0.1";

/** `preferred` when it is free, else any free one; 0 has no preference. */
export async function choosePort(preferred: number): Promise<number> {
  return preferred !== 0 && (await isFree(preferred)) ? preferred : freePort();
}

/** So many different ones. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen({ port, host: LOOPBACK, exclusive: true }), "listening");
    return true;
  } catch {
    return false; // Taken, or not ours to take (below 1024): not free either way.
  } finally {
    server.close();
  }
}
