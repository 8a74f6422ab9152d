// RawHttp: one TCP connection to a server, for requests that fetch refuses, and one raw answer.

import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";

export interface Peer {
  readonly socket: Socket;
  /** Everything that the server wrote so far. */
  readonly read: () => string;
  /** Everything that the server wrote, once the connection is closed. */
  untilClosed(): Promise<string>;
}

/** `from` is the local address; all of 127/8 is this machine. */
export async function openPeer(url: string, from = "127.0.0.1"): Promise<Peer> {
  const socket = connect({
    port: Number(new URL(url).port),
    host: "127.0.0.1",
    localAddress: from,
    noDelay: true,
  });
  let read = "";
  socket.on("data", (chunk) => (read += chunk.toString("utf8")));
  // A server that refuses early may reset the rest of our bytes. Only its answer counts.
  socket.on("error", () => undefined);
  const closed = once(socket, "close");
  await once(socket, "connect");
  return {
    socket,
    read: () => read,
    async untilClosed() {
      await closed;
      return read;
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
