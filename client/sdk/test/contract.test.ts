// The TypeScript SDK against client/contract, on a real WebSocket and a clock that the run moves.

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { WebSocket as Socket, WebSocketServer } from "ws";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { until } from "#shared/testing/wait.ts";
import { Names, readScenarios } from "../../contract/scenario.ts";
import type { CallStep, Fields, Step } from "../../contract/scenario.ts";
import { HistoryFailed } from "../errors.ts";
import { Parley } from "../parley.ts";
import type { RoomHandle } from "../room-handle.ts";

const PATIENCE_MS = 20_000;
/** How far the clock moves with each look at a condition: at most as fast as real time. */
const LOOK_MS = 5;

class ContractRun {
  readonly #names = new Names();
  readonly #clock = new FakeClock();
  /** What arrives, until a step takes it. */
  readonly #frames: unknown[] = [];
  readonly #events: unknown[] = [];
  readonly #news: unknown[] = [];
  readonly #done = new Map<string, Promise<unknown>>();
  readonly #rooms = new Map<string, RoomHandle>();
  readonly #parley: Parley;
  #socket: Socket | undefined;

  constructor(server: WebSocketServer) {
    const { port } = server.address() as AddressInfo;
    let tokens = 0;
    const token = (): Promise<string> => Promise.resolve(`token-${++tokens}`);
    const url = `ws://127.0.0.1:${port}/v1/ws`;
    this.#parley = new Parley({ url, token, clock: this.#clock });
    server.on("connection", (socket) => {
      this.#socket = socket;
      socket.on("message", (data: Buffer) => {
        for (const line of data.toString().split("\n")) {
          const frame = JSON.parse(line) as Fields;
          if (frame["t"] !== "ping") this.#frames.push(frame);
        }
      });
    });
  }

  async play(steps: readonly Step[]): Promise<void> {
    try {
      for (const [index, step] of steps.entries()) {
        const place = `step ${index + 1}: ${JSON.stringify(step)}`;
        const found = await this.#take(step, place);
        if (found !== undefined) throw new Error(`${place}\n${found}`);
      }
      expect([this.#frames, this.#events], "nothing is left").to.deep.equal([[], []]);
    } finally {
      this.#parley.close();
    }
  }

  async #take(step: Step, place: string): Promise<string | undefined> {
    const names = this.#names;
    if ("call" in step) this.#call(step);
    else if ("expect" in step) {
      return names.difference(step.expect, await this.#next(this.#frames, place));
    } else if ("frame" in step) this.#socket?.send(JSON.stringify(names.fill(step.frame)));
    else if ("text" in step) this.#socket?.send(step.text);
    else if ("event" in step) {
      return names.difference(step.event, await this.#next(this.#events, place));
    } else if ("removed" in step || "reset" in step) {
      return names.difference(step, await this.#next(this.#news, place));
    } else if ("result" in step) {
      return names.difference(fieldsOf(step), await this.#of(step.result, place));
    } else if ("page" in step) {
      return names.difference(fieldsOf(step), await this.#of(step.page, place));
    } else if ("state" in step) {
      await this.#until(() => this.#parley.state === step.state, place);
    } else if ("session" in step) {
      return names.difference(step, { session: this.#parley.sessionId });
    } else if ("close" in step) this.#socket?.close(step.close);
    else await this.#quiet(step.quiet);
    return undefined;
  }

  /** The clock of the client moves while the run waits. */
  #until(condition: () => boolean, what: string): Promise<void> {
    const look = (): boolean => {
      this.#clock.advance(LOOK_MS);
      return condition();
    };
    return until(look, { withinMs: PATIENCE_MS, what, everyMs: LOOK_MS });
  }

  async #next(inbox: unknown[], what: string): Promise<unknown> {
    await this.#until(() => inbox.length > 0, what);
    return inbox.shift();
  }

  async #of(name: string, what: string): Promise<unknown> {
    const done = this.#done.get(name);
    if (done === undefined) throw new Error(`${name} was not called`);
    const outcome: unknown[] = [];
    void done.then((value) => outcome.push(value));
    return this.#next(outcome, what);
  }

  /** Neither what the client has received nor the time causes a frame, an event or a connection. */
  async #quiet(ms: number): Promise<void> {
    const before = [this.#frames.length, this.#events.length];
    await this.#answered();
    const { state } = this.#parley;
    this.#clock.advance(ms);
    await this.#answered();
    expect([this.#frames.length, this.#events.length]).to.deep.equal(before);
    expect(this.#parley.state).to.equal(state);
  }

  /**
   * Waits for two answers to pings of WebSocket. What the client writes because of a frame stands
   * before the second one, also when it writes it a moment later. Without a connection it cannot
   * write.
   */
  async #answered(): Promise<void> {
    const socket = this.#socket;
    for (let i = 0; i < 2 && socket?.readyState === Socket.OPEN; i++) {
      const pong = new Promise((resolve) => socket.once("pong", resolve).once("close", resolve));
      socket.ping();
      await pong;
    }
  }

  #call(step: CallStep): void {
    const { call, as = "", room = "", ...rest } = step;
    if (call === "connect") return this.#parley.connect();
    if (call === "close") return this.#parley.close();
    if (call === "join") return this.#join(room, rest);
    const handle = this.#rooms.get(room);
    if (handle === undefined) throw new Error(`${room} was not joined`);
    const { body = { text: "" }, target = 0, emoji = "", on, limit = 50 } = rest;
    if (call === "leave") handle.leave();
    else if (call === "send") this.#done.set(as, handle.send(body, rest).done);
    else if (call === "edit") this.#done.set(as, handle.edit(target, body).done);
    else if (call === "delete") this.#done.set(as, handle.delete(target).done);
    else if (call === "react") this.#done.set(as, handle.react(target, emoji, on).done);
    else if (call === "history") {
      const page = handle.history({ ...rest, limit }).then(
        ({ events, more }) => ({ seqs: events.map(({ seq }) => seq), more }),
        (error: unknown) => ({ error: error instanceof HistoryFailed ? error.code : error }),
      );
      this.#done.set(as, page);
    } else throw new Error(`unknown call ${call}`);
  }

  #join(room: string, options: object): void {
    const handle = this.#parley.join(room, options);
    this.#rooms.set(room, handle);
    handle.on("event", (event) => this.#events.push(event));
    handle.on("removed", ({ reason }) => this.#news.push({ removed: room, reason }));
    handle.on("reset", () => this.#news.push({ reset: room }));
  }
}

function fieldsOf(step: object): Fields {
  const { result: _result, page: _page, ...fields } = step as Fields;
  return fields;
}

describe("The contract of an SDK: TypeScript", function () {
  this.timeout(60_000);

  for (const { name, what, steps } of readScenarios()) {
    it(`${name}: ${what}`, async () => {
      const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
      await once(server, "listening");
      try {
        await new ContractRun(server).play(steps);
      } finally {
        for (const socket of server.clients) socket.terminate();
        server.close();
      }
    });
  }
});
