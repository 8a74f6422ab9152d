// RawHttp: one TCP connection to a server, for requests that fetch refuses, and one raw answer.
//
//   raw-http.1. A server that refuses early may reset the rest of a peer's bytes, at any time. The
//        end of the connection is then an answer like any other, never an error.

import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";
import { within } from "#shared/testing/wait.ts";

export interface Peer {
  readonly socket: Socket;
  /** Everything that the server wrote so far. */
  readonly bytes: () => Buffer;
  readonly read: () => string;
  /** Everything that the server wrote, once the connection is closed. */
  untilClosed(): Promise<string>;
}

const CLOSED_WITHIN_MS = 15_000;

/** `from` is the local address; all of 127/8 is this machine. */
export async function openPeer(url: string, from = "127.0.0.1"): Promise<Peer> {
  const socket = connect({
    port: Number(new URL(url).port),
    host: "127.0.0.1",
    localAddress: from,
    noDelay: true,
  });
  const chunks: Buffer[] = [];
  const decoder = new StringDecoder("utf8");
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    text += decoder.write(chunk); // Tests poll `read` while megabytes arrive.
  });
  socket.on("error", () => undefined); // raw-http.1
  // `once` of node:events would reject at an error of the socket.
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await once(socket, "connect");
  const read = (): string => text;
  return {
    socket,
    bytes: () => Buffer.concat(chunks),
    read,
    async untilClosed() {
      await within(closed, { withinMs: CLOSED_WITHIN_MS, what: "the server to close" });
      return read();
    },
  };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Writes `text`, which must hold `connection: close`, and reads to the end. */
export async function rawAnswer(url: string, text: string): Promise<RawAnswer> {
  const peer = await openPeer(url);
  peer.socket.write(text);
  return parseAnswer(await peer.untilClosed());
}

export function parseAnswer(text: string): RawAnswer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const [name = "", ...value] = line.split(": ");
    return [name.toLowerCase(), value.join(": ")];
  });
  return {
    status: Number(first.split(" ")[1]),
    headers: Object.fromEntries(headers),
    body: rest.join("\r\n\r\n"),
  };
}
