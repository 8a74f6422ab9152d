// Fill: creates a backlog in rooms before the run. It uses many users, because the limits are on.

import { once } from "node:events";
import { WebSocket } from "ws";
import { newId } from "../bench/probe.ts";

/** Messages in each room, and bytes of each. */
const MESSAGES = 20;
const TEXT_BYTES = 8 * 1024;
/** The burst of sends of a user. */
const PER_USER = 50;

export interface FillOptions {
  readonly url: string;
  readonly tokenOf: (user: string) => string;
  readonly rooms: readonly string[];
  readonly users: number;
}

export async function fillRooms({ url, tokenOf, rooms, users }: FillOptions): Promise<void> {
  const sends = rooms.flatMap((room) => Array.from({ length: MESSAGES }, () => room));
  for (let user = 0; user < users && sends.length > 0; user++) {
    await fill(url, tokenOf(`user-${user}`), sends.splice(0, PER_USER));
  }
  if (sends.length > 0) throw new Error(`${sends.length} messages are left: use more users`);
}

async function fill(url: string, token: string, rooms: readonly string[]): Promise<void> {
  const socket = new WebSocket(url, "parley.v1", { perMessageDeflate: false });
  await once(socket, "open");
  let acked = 0;
  const done = new Promise<void>((resolve, reject) => {
    socket.on("message", (data: Buffer) => {
      for (const line of data.toString().split("\n")) {
        const frame = JSON.parse(line) as { t: string; name?: string };
        if (frame.t === "error") reject(new Error(`a send was refused: ${frame.name}`));
        if (frame.t === "ack" && ++acked === rooms.length) resolve();
      }
    });
    socket.on("close", (code) => reject(new Error(`the connection was closed with ${code}`)));
  });
  const text = "x".repeat(TEXT_BYTES);
  socket.send(JSON.stringify({ t: "hello", token }));
  await once(socket, "message");
  for (const room of new Set(rooms))
    socket.send(JSON.stringify({ t: "join", ref: 1, room, tail: 0 }));
  for (const room of rooms) {
    socket.send(JSON.stringify({ t: "send", room, id: newId(), body: { text } }));
  }
  await done;
  socket.terminate();
}
