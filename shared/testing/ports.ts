// Ports: a free TCP port on loopback, outside the range of ports for outgoing connections.
//
// Port 0 would be simpler, but it is wrong for a server that restarts on its port. While the server
// is down, clients on the same machine dial that port repeatedly, and the kernel may give one of
// them the same port as its source port. TCP then connects that client to itself, and the server
// cannot bind its port again. Below the ephemeral range (32768 and up on Linux) that cannot happen.

import { createServer } from "node:net";
import { randomInt } from "node:crypto";

const LOWEST = 12_000;
const HIGHEST = 31_999;
const TRIES_MAX = 50;

/** Free at the moment of the check; the caller must be ready to ask for another one. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (await isFree(port)) return port;
  }
  throw new Error(`found no free port between ${LOWEST} and ${HIGHEST}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
