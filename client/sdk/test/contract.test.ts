// The TypeScript SDK against client/contract, on a real WebSocket.

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { WebSocketServer } from "ws";
import type { WebSocket as Socket } from "ws";
import { until } from "#shared/testing/wait.ts";
import { Names, readScenarios } from "../../contract/scenario.ts";
import type { CallStep, Fields, Step } from "../../contract/scenario.ts";
import { HistoryFailed } from "../errors.ts";
import { Parley } from "../parley.ts";
import type { RoomHandle } from "../room-handle.ts";

const PATIENCE_MS = 20_000;

/** What arrives, until a step takes it. */
class Inbox {
  readonly items: unknown[] = [];

  async take(what: string): Promise<unknown> {
    await until(() => this.items.length > 0, { withinMs: PATIENCE_MS, what });
    return this.items.shift();
  }
}

class ContractRun {
  readonly #names = new Names();
  readonly #frames = new Inbox();
  readonly #events = new Inbox();
  readonly #news = new Inbox();
  readonly #done = new Map<string, Promise<unknown>>();
  readonly #rooms = new Map<string, RoomHandle>();
  readonly #parley: Parley;
  #socket: Socket | undefined;

  constructor(server: WebSocketServer) {
    const { port } = server.address() as AddressInfo;
    let tokens = 0;
    const token = (): Promise<string> => Promise.resolve(`token-${++tokens}`);
    this.#parley = new Parley({ url: `ws://127.0.0.1:${port}/v1/ws`, token });
    server.on("connection", (socket) => {
      this.#socket = socket;
      socket.on("message", (data: Buffer) => {
        for (const line of data.toString().split("\n")) {
          const frame = JSON.parse(line) as Fields;
          if (frame["t"] !== "ping") this.#frames.items.push(frame);
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
      expect([this.#frames.items, this.#events.items], "nothing is left").to.deep.equal([[], []]);
    } finally {
      this.#parley.close();
    }
  }

  async #take(step: Step, place: string): Promise<string | undefined> {
    const names = this.#names;
    if ("call" in step) this.#call(step);
    else if ("expect" in step) {
      return names.difference(step.expect, await this.#frames.take(place));
    } else if ("frame" in step) this.#socket?.send(JSON.stringify(names.fill(step.frame)));
    else if ("text" in step) this.#socket?.send(step.text);
    else if ("event" in step) return names.difference(step.event, await this.#events.take(place));
    else if ("removed" in step || "reset" in step) {
      return names.difference(step, await this.#news.take(place));
    } else if ("result" in step)
      return names.difference(fieldsOf(step), await this.#of(step.result));
    else if ("page" in step) return names.difference(fieldsOf(step), await this.#of(step.page));
    else if ("state" in step) {
      const isThere = (): boolean => this.#parley.state === step.state;
      await until(isThere, { withinMs: PATIENCE_MS, what: place });
    } else if ("close" in step) this.#socket?.close(step.close);
    else {
      const before = [this.#frames.items.length, this.#events.items.length];
      // No condition shows that nothing comes. A busy machine can only let this step pass.
      await new Promise((resolve) => setTimeout(resolve, step.quiet));
      expect([this.#frames.items.length, this.#events.items.length]).to.deep.equal(before);
    }
    return undefined;
  }

  #of(name: string): Promise<unknown> {
    return this.#done.get(name) ?? Promise.reject(new Error(`${name} was not called`));
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
    handle.on("event", (event) => this.#events.items.push(event));
    handle.on("removed", ({ reason }) => this.#news.items.push({ removed: room, reason }));
    handle.on("reset", () => this.#news.items.push({ reset: room }));
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
