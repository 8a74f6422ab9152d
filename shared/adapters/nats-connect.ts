// NATS connection: how every part of Parley dials NATS, and how long it waits for what.
//
// The library reconnects for ever; what its options mean here:
//   - a half-open connection is seen within three pings, so a paused server costs seconds, not minutes;
//   - `tls://` in a URL means nothing to the library, which would go on in plain text where a server offers
//     no TLS, and would compare a certificate with "localhost" where the URL holds an address (X7);
//   - all servers of a cluster are dialled, in any order, again and again with a small jittered wait.

import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { connect, nkeyAuthenticator } from "@nats-io/transport-node";
import type { NatsConnection } from "@nats-io/transport-node";

/** Where NATS is, and as whom to go there. */
export interface NatsAccess {
  /** One server, or several separated by commas. With one `tls://` among them, none is reached without TLS. */
  readonly url: string;
  /** A file with the user's seed; left out where the servers ask for none. */
  readonly nkeyFile?: string | undefined;
}

export interface NatsOptions extends NatsAccess {
  /** Shown by the server's monitoring pages. */
  readonly name: string;
  /** All inboxes begin with it, so that a server can allow them per kind of service. */
  readonly inboxPrefix: string;
}

/** NATS did not answer at the first connect. */
export class NatsUnreachable extends Error {
  override readonly name = "NatsUnreachable";
  readonly code = "nats_unreachable";
}

/** One dial, first or later; beyond it the server counts as absent. */
const DIAL_TIMEOUT_MS = 2_000;
/**
 * With two unanswered pings allowed, a half-open connection is given up 4 to 6 s after its last sign
 * of life: about when the servers elect a new leader in place of one that stands still. An event
 * loop or a server that is merely late by less than 4 s loses nothing.
 */
const PING_INTERVAL_MS = 2_000;
const PINGS_OUT_MAX = 2;
/** Small: every moment without NATS is a moment without chat. The jitter spreads a crowd. */
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
      pingInterval: PING_INTERVAL_MS,
      maxPingOut: PINGS_OUT_MAX,
      noAsyncTraces: true,
      // Gossip would put the server that was just lost in front of those that live.
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

/** A certificate is compared with the host's name. */
function refuseAddresses(servers: readonly string[]): void {
  for (const server of servers) {
    const { hostname } = new URL(server.includes("://") ? server : `tls://${server}`);
    if (isIP(hostname.replace(/^\[|\]$/g, "")) === 0) continue;
    throw new Error("with tls:// each server is named by its host, not by an address");
  }
}

function serversOf(url: string): string[] {
  return url
    .split(",")
    .map((server) => server.trim())
    .filter((server) => server !== "");
}

/** Addresses for a log line: user names and passwords of a URL are cut. */
function withoutSecrets(servers: readonly string[]): string {
  return servers.map((server) => server.replace(/\/\/[^@/]*@/, "//")).join(", ");
}
