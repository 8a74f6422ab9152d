// Ports: a free TCP port on loopback, outside the range the system gives to outgoing connections.
//
// Port 0 would be simpler and is wrong for a server that will be restarted on its port: while it is
// down, clients on the same machine dial that port again and again, and sooner or later one of them
// is given it as its own source port. TCP then connects that client to itself, and the server cannot
// come back. Below the ephemeral range (32768 and up on Linux) that cannot happen.

import { createServer } from "node:net";
import { randomInt } from "node:crypto";

const LOWEST = 12_000;
const HIGHEST = 31_999;
const TRIES_MAX = 50;

/** Free when it was looked at; whoever uses it should be ready to ask again. */
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
