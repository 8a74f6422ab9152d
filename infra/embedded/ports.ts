// Ports of an embedded cluster: the default ports when they are free, else any free ones.
//
// A port that was free a moment ago may be taken when it is used. The launch of the server then
// fails with a line that reports it. This file does not reserve ports.

import { once } from "node:events";
import { createServer } from "node:net";
import { freePort } from "#shared/testing/ports.ts";

const LOOPBACK = "127.0.0.1";

/** `preferred` when it is free, else any free port; 0 means no preference. */
export async function choosePort(preferred: number): Promise<number> {
  return preferred !== 0 && (await isFree(preferred)) ? preferred : freePort();
}

/** `count` different free ports. */
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
    return false; // Taken, or below 1024 without the right to bind it.
  } finally {
    server.close();
  }
}
