// SocketClient: a real WebSocket client that records each received line.

import { WebSocket } from "ws";
import { until, within } from "#shared/testing/wait.ts";
import { idOf } from "./owner-model.ts";

export type Frame = Readonly<Record<string, unknown>> & { readonly t: string };
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

const WITHIN_MS = 10_000;
let ids = 0;

export class SocketClient {
  readonly socket: WebSocket;
  /** Every received frame as one JSON text. */
  readonly lines: string[] = [];
  readonly closed: Promise<Closed>;
  #wasClosed = false;
  #ref = 0;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer) => this.lines.push(...data.toString("utf8").split("\n")));
    socket.on("error", () => {}); // `closed` and the caller of `dial` report it.
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => {
        this.#wasClosed = true;
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  get frames(): Frame[] {
    return this.lines.map((line) => JSON.parse(line) as Frame);
  }

  get isClosed(): boolean {
    return this.#wasClosed;
  }

  of(type: string): Frame[] {
    return this.frames.filter(({ t }) => t === type);
  }

  /** The numbers of a room's events in the order of arrival. */
  seqs(room = "general"): number[] {
    return this.of("msg").flatMap((frame) =>
      frame["room"] === room ? [Number(frame["seq"])] : [],
    );
  }

  sendFrames(...frames: object[]): void {
    this.socket.send(frames.map((frame) => JSON.stringify(frame)).join("\n"));
  }

  /** Sends a frame with a new `ref` and resolves with its answer. */
  async ask(frame: object): Promise<Frame> {
    const ref = ++this.#ref;
    this.sendFrames({ ...frame, ref });
    return this.first((answer) => answer["ref"] === ref, `an answer to ${JSON.stringify(frame)}`);
  }

  join(room = "general", from: object = {}): Promise<Frame> {
    return this.ask({ t: "join", room, ...from });
  }

  /** Sends a message and resolves with its ack or error. */
  send(text: string, options: { room?: string; id?: string } = {}): Promise<Frame> {
    const { room = "general", id = idOf(++ids) } = options;
    this.sendFrames({ t: "send", room, id, body: { text } });
    const isAnswer = (frame: Frame): boolean => frame["id"] === id && frame.t !== "msg";
    return this.first(isAnswer, `an answer to ${text}`);
  }

  async first(matches: (frame: Frame) => boolean, what: string): Promise<Frame> {
    await until(() => this.frames.some(matches), { withinMs: WITHIN_MS, what });
    return this.frames.find(matches)!;
  }

  async caughtUp(room = "general"): Promise<Frame> {
    return this.first((frame) => frame.t === "caught-up" && frame["room"] === room, "caught-up");
  }

  async has(count: number, room = "general"): Promise<number[]> {
    const what = `${count} events of ${room}`;
    await until(() => this.seqs(room).length >= count, { withinMs: WITHIN_MS, what });
    return this.seqs(room);
  }

  close(): Promise<Closed> {
    this.socket.close();
    return within(this.closed, { withinMs: WITHIN_MS, what: "the close" });
  }
}

/** The code with which the client is closed. */
export async function closeOf(client: SocketClient): Promise<number> {
  return (await within(client.closed, { withinMs: 5_000, what: "the close" })).code;
}
