// ClientFixture: a client core and a model gateway on virtual time. The test moves, drops or cuts
// every frame between them.

import { seededRandom } from "#shared/kit/random.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { MessageId, RoomId } from "#shared/protocol/ids.ts";
import { Client } from "../core/client.ts";
import type { Effect, Input, SendResult } from "../core/effects.ts";
import { ModelGateway, ModelSession } from "./model-gateway.ts";

export const GENERAL = "general" as RoomId;
export const DEV = "dev" as RoomId;

interface Wire {
  readonly socket: number;
  readonly session: ModelSession;
  readonly up: string[];
  readonly down: ({ readonly line: string } | { readonly code: number })[];
}

export class ClientFixture {
  readonly gateway = new ModelGateway();
  readonly random = seededRandom(7);
  readonly client: Client;
  readonly effects: Effect[] = [];
  readonly events: RoomEvent[] = [];
  readonly results = new Map<string, SendResult[]>();
  now = 1_000;
  tokens = 0;
  /** The answer to a token request; undefined: no answer. */
  token: () => string | undefined = () => "ada";
  #wire: Wire | undefined;

  constructor(options: { canRefresh?: boolean } = {}) {
    this.client = new Client({ canRefresh: options.canRefresh ?? true, random: this.random });
    this.gateway.now = () => this.now + 1_795_500_000_000;
  }

  get wire(): Wire | undefined {
    return this.#wire;
  }

  step(input: Input): readonly Effect[] {
    const effects = this.client.step(input, this.now);
    this.effects.push(...effects);
    for (const effect of effects) this.#perform(effect);
    return effects;
  }

  #perform(effect: Effect): void {
    if (effect.kind === "ask-token") {
      this.tokens++;
      const { ask } = effect;
      const token = this.token();
      if (token !== undefined) this.step({ kind: "token", ask, token });
    } else if (effect.kind === "open") this.#open(effect.socket);
    else if (effect.kind === "write") this.#wire?.up.push(effect.text);
    else if (effect.kind === "drop") this.#forget();
    else if (effect.kind === "event") this.events.push(effect.event);
    else if (effect.kind === "reset") this.#discard(effect.room);
    else if (effect.kind === "settled") {
      const results = this.results.get(effect.id) ?? [];
      this.results.set(effect.id, [...results, effect.result]);
    }
  }

  /** What an application does at a reset. */
  #discard(room: RoomId): void {
    const kept = this.events.filter((event) => event.room !== room);
    this.events.splice(0, this.events.length, ...kept);
  }

  #open(socket: number): void {
    const down: Wire["down"] = [];
    const write = (line: string): void => void down.push({ line });
    const end = (code: number): void => void down.push({ code });
    const session = new ModelSession(this.gateway, { write, end });
    this.#wire = { socket, session, up: [], down };
    this.step({ kind: "opened", socket });
  }

  /** Moves one frame to the gateway; false when there is none. */
  moveUp(): boolean {
    const text = this.#wire?.up.shift();
    if (text !== undefined) this.#wire?.session.receive(text);
    return text !== undefined;
  }

  moveDown(): boolean {
    const wire = this.#wire;
    const item = wire?.down.shift();
    if (wire === undefined || item === undefined) return false;
    if ("code" in item) this.cut(item.code);
    else this.step({ kind: "text", socket: wire.socket, text: item.line });
    return true;
  }

  /** Moves all frames in both directions until none is left. */
  settle(): this {
    while (this.moveUp() || this.moveDown());
    return this;
  }

  /** Ends the connection; frames that were not moved are lost. */
  cut(code = 1006): void {
    const socket = this.#wire?.socket;
    this.#forget();
    if (socket !== undefined) this.step({ kind: "ended", socket, code });
  }

  #forget(): void {
    this.#wire?.session.disconnect();
    this.#wire = undefined;
  }

  /** Advances the time and sends each tick that the core requested. */
  pass(ms: number, moves: () => void = () => this.settle()): this {
    const end = this.now + ms;
    let wakes = 0;
    for (;;) {
      const at = this.client.wakeAt;
      if (at === undefined || at > end) break;
      if (++wakes > 10_000) throw new Error(`more than 10,000 wake-ups, for ${at} at ${this.now}`);
      this.now = Math.max(this.now, at);
      this.step({ kind: "tick" });
      moves();
    }
    this.now = end;
    return this;
  }

  /** Connects and joins `rooms`. */
  enter(...rooms: RoomId[]): this {
    for (const room of rooms) this.step({ kind: "join", room });
    this.step({ kind: "connect" });
    return this.settle();
  }

  newId(): string {
    return uuidv7(this.gateway.now(), this.random);
  }

  send(room: RoomId, text: string, id: string = this.newId()): string {
    this.step({ kind: "write", frame: { t: "send", room, id: id as MessageId, body: { text } } });
    return id;
  }

  /** Appends a message of another user. */
  sendAsOther(room: RoomId, text: string): void {
    this.gateway.append(room, "bob", this.newId(), { text });
  }

  /** The frames of this type that the gateway received on this connection. */
  received(type: string): readonly { readonly [key: string]: unknown }[] {
    return this.#wire?.session.received.filter((frame) => frame["t"] === type) ?? [];
  }

  of<K extends Effect["kind"]>(kind: K): Extract<Effect, { kind: K }>[] {
    return this.effects.filter((effect) => effect.kind === kind) as Extract<Effect, { kind: K }>[];
  }
}

/** A text of the form of a JWT with a readable `exp`; its signature is invalid. */
export function fakeToken(user: string, expSeconds: number): string {
  const payload = Buffer.from(JSON.stringify({ sub: `${user} ☃`, exp: expSeconds }));
  return `${user}.${payload.toString("base64url")}.x`;
}
