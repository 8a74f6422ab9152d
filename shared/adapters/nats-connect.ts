// NATS connection: how every part of Parley connects to NATS, and its timeouts.
//
// The library reconnects without end. The options here have these effects:
//   - three pings detect a half-open connection, so a paused server costs seconds, not minutes. A
//     process that has other periodic work sends them itself (bus-nats.ts): the library's timer
//     would wake it, the server, and it again for the answer;
//   - `tls://` in a URL requires TLS. The library alone would continue in plain text with a server
//     that offers no TLS, and would compare a certificate with "localhost" where the URL holds an
//     address (X7);
//   - all servers of a cluster are tried, in any order, repeatedly with a small jittered wait.

import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { connect, nkeyAuthenticator } from "@nats-io/transport-node";
import type { NatsConnection } from "@nats-io/transport-node";
import { NatsUnreachable } from "./nats-unreachable.ts";

/** Where NATS is, and as which user to connect. */
export interface NatsAccess {
  /**
   * One server, or several separated by commas. With one `tls://` URL among them, all connections
   * need TLS.
   */
  readonly url: string;
  /** A file with the user's seed; left out where the servers require none. */
  readonly nkeyFile?: string | undefined;
}

export interface NatsOptions extends NatsAccess {
  /** Shown on the server's monitoring pages. */
  readonly name: string;
  /** All inboxes begin with it, so that a server can allow them per kind of service. */
  readonly inboxPrefix: string;
  /** The caller sends the pings. */
  readonly hasOwnPings?: boolean;
}

/** The timeout of one connection attempt, first or later. */
const DIAL_TIMEOUT_MS = 2_000;
/**
 * With two unanswered pings allowed, a half-open connection is closed 4 to 6 s after its last
 * message: about when the servers elect a new leader in place of a stalled one. An event loop or a
 * server that is late by less than 4 s loses nothing.
 */
export const PING_INTERVAL_MS = 2_000;
export const PINGS_OUT_MAX = 2;
/** The longest timer of Node: the library cannot leave its pings out. */
const NO_PINGS_MS = 2 ** 31 - 1;
/**
 * Small: chat stops while NATS is unreachable. The jitter spreads the reconnects of many processes.
 */
const RECONNECT_WAIT_MS = 100;

/** Rejects with NatsUnreachable within a few seconds when no server answers. */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  const servers = serversOf(options.url);
  const needsTls = servers.some((server) => /^tls:/i.test(server));
  try {
    if (needsTls) refuseAddresses(servers);
    return await connect({
      servers,
      ...(options.nkeyFile !== undefined && {
        authenticator: nkeyAuthenticator(await readSeed(options.nkeyFile)),
      }),
      name: options.name,
      inboxPrefix: options.inboxPrefix,
      timeout: DIAL_TIMEOUT_MS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_WAIT_MS,
      reconnectJitter: RECONNECT_WAIT_MS,
      reconnectJitterTLS: RECONNECT_WAIT_MS,
      ...(needsTls && { tls: {} }),
      pingInterval: options.hasOwnPings === true ? NO_PINGS_MS : PING_INTERVAL_MS,
      maxPingOut: PINGS_OUT_MAX,
      noAsyncTraces: true,
      // The server list that servers announce would put the server that was just lost before the
      // running ones.
      ignoreClusterUpdates: servers.length > 1,
    });
  } catch (error: unknown) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new NatsUnreachable(`NATS does not answer at ${withoutSecrets(servers)}: ${reason}`, {
      cause: error,
    });
  }
}

async function readSeed(path: string): Promise<Uint8Array> {
  return new TextEncoder().encode((await readFile(path, "utf8")).trim());
}

/** TLS compares a certificate with the host's name, so an address cannot be verified. */
function refuseAddresses(servers: readonly string[]): void {
  for (const server of servers) {
    const { hostname } = new URL(server.includes("://") ? server : `tls://${server}`);
    if (isIP(hostname.replace(/^\[|\]$/g, "")) === 0) continue;
    throw new Error("with tls:// name each server by its host name, not by an address");
  }
}

function serversOf(url: string): string[] {
  return url
    .split(",")
    .map((server) => server.trim())
    .filter((server) => server !== "");
}

/** Addresses for a log line, without user names and passwords. */
function withoutSecrets(servers: readonly string[]): string {
  return servers.map((server) => server.replace(/\/\/[^@/]*@/, "//")).join(", ");
}
