// GatewayRoomApi: sends, typing and pages, for sessions and for HTTP. It implements the RoomApi
// port.

import type { Bus } from "#shared/ports/bus.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Result } from "#shared/protocol/commands.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { encodeLive } from "#shared/protocol/live.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import type { SendAnswer, SessionInput } from "../core/session-io.ts";
import type {
  PageInput,
  PageOutcome,
  RoomApi,
  SendInput,
  SendOutcome,
} from "../core/room-api-port.ts";
import type { GatewayStats } from "./gateway-stats.ts";
import type { Lanes } from "./lanes.ts";
import type { MessageTraces } from "./message-traces.ts";
import type { Pages } from "./pages.ts";

type PageAnswer = Extract<SessionInput, { kind: "page" }>["outcome"];

const decoder = new TextDecoder();

export class GatewayRoomApi implements RoomApi {
  readonly #lanes: Pick<Lanes, "submit">;
  readonly #pages: Pick<Pages, "page">;
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #stats: GatewayStats;
  readonly #traces: MessageTraces;
  isDraining = false;

  constructor(parts: {
    readonly lanes: Pick<Lanes, "submit">;
    readonly pages: Pick<Pages, "page">;
    readonly bus: Bus;
    readonly clock: Clock;
    readonly stats: GatewayStats;
    readonly traces: MessageTraces;
  }) {
    this.#lanes = parts.lanes;
    this.#pages = parts.pages;
    this.#bus = parts.bus;
    this.#clock = parts.clock;
    this.#stats = parts.stats;
    this.#traces = parts.traces;
  }

  get health(): RoomApi["health"] {
    return { natsUp: this.#bus.status === "connected", draining: this.isDraining };
  }

  send(input: SendInput): Promise<SendOutcome> {
    return new Promise((resolve) => this.sendWithCallback(input, resolve));
  }

  /** Like `send`, without a promise. Calls `onAnswer` exactly once. */
  sendWithCallback(input: SendInput, onAnswer: (answer: SendAnswer) => void): void {
    const began = this.#clock.monotonic();
    const span = this.#traces.receive(input, began);
    this.#lanes.submit(commandOf(input, span?.traceparent), ({ result }) => {
      const answer = sendAnswer(result);
      const outcome = answer.kind === "sent" ? "ok" : answer.error;
      const ms = this.#clock.monotonic() - began;
      this.#stats.answered(outcome, ms);
      if (span !== undefined) this.#traces.answered(span, answer, ms);
      onAnswer(answer);
    });
  }

  typing(user: UserId, room: RoomId, on: boolean): void {
    this.#bus.publish(subjects.live(room), encodeLive({ t: "typing", room, user, on }));
  }

  async page(input: PageInput): Promise<PageOutcome> {
    const page = await this.#pages.page(input);
    if (page.kind === "refused") return page;
    const events = page.blocks.flatMap(({ bytes }) => decoder.decode(bytes).split("\n"));
    return { kind: "page", events, more: page.more };
  }

  /** The text of a `page` frame. Its lines are inserted unchanged and never decoded. */
  async pageText(input: PageInput, ref: number): Promise<PageAnswer> {
    const page = await this.#pages.page(input);
    if (page.kind === "refused") return page;
    const lines = page.blocks.map(({ bytes }) => decoder.decode(bytes).replaceAll("\n", ","));
    const head = `{"t":"page","ref":${ref},"room":"${input.room}"`;
    return { kind: "page", text: `${head},"events":[${lines.join(",")}],"more":${page.more}}` };
  }
}

/** A traced command carries the gateway's own context in place of the sender's (E3). */
function commandOf({ user: from, room, id, body, replyTo }: SendInput, trace: string | undefined) {
  const command = { op: "send", from, room, id, body } as const;
  if (replyTo === undefined && trace === undefined) return command;
  return {
    ...command,
    ...(replyTo !== undefined && { replyTo }),
    ...(trace !== undefined && { trace }),
  };
}

function sendAnswer(result: Result): SendAnswer {
  if ("error" in result) {
    const { error, afterMs } = result;
    return { kind: "refused", error, ...(afterMs !== undefined && { afterMs }) };
  }
  if (result.ok === "sent") {
    const { seq, at, repeat } = result;
    return repeat === undefined ? { kind: "sent", seq, at } : { kind: "sent", seq, at, repeat };
  }
  return { kind: "refused", error: "internal" };
}
