// NatsSessions: the stream of sessions, which is the bucket `sessions` (shared/protocol/
// session-records.ts), read without a consumer.
//
// Owns: the reads and their interval. Does not own: the positions, which each webhook stores.
//
//   nats-sessions.1. A read that fails brings nothing new: a NATS that does not answer must not
//        stop the events of rooms.
//   nats-sessions.2. A stream that was created again begins at its first record, with ids of its
//        own.

import { readBatch } from "#shared/adapters/nats-direct-reads.ts";
import type { ReplyHost } from "#shared/adapters/nats-replies.ts";
import { isCount, isObject, parseObject } from "#shared/kit/json.ts";
import type { Bus } from "#shared/ports/bus.ts";
import type { Clock } from "#shared/ports/clock.ts";
import { decodeSessionEvent, recordOf } from "#shared/protocol/session-records.ts";
import type { SessionFeed, SessionRecord } from "../core/ports.ts";

const STREAM = "KV_sessions";
const PREFIX = "$KV.sessions.";
const TIMEOUT_MS = 2_000;
/** All webhooks share what the stream said of its end in this time. */
const LOOK_MS = 1_000;

interface StreamEnd {
  readonly ident: string;
  readonly position: number;
}

export class NatsSessions implements SessionFeed {
  readonly #bus: ReplyHost & Pick<Bus, "request">;
  readonly #clock: Pick<Clock, "monotonic">;
  #end: StreamEnd | undefined;
  #lookedAt = -Infinity;

  constructor(bus: ReplyHost & Pick<Bus, "request">, clock: Pick<Clock, "monotonic">) {
    this.#bus = bus;
    this.#clock = clock;
  }

  async read(after: StreamEnd, most: number): ReturnType<SessionFeed["read"]> {
    const nothing = { ident: after.ident, position: after.position, records: [] };
    if (this.#clock.monotonic() - this.#lookedAt >= LOOK_MS) await this.#look();
    const end = this.#end;
    if (end === undefined) return nothing; // nats-sessions.1
    const from = after.ident === end.ident ? after.position : 0; // nats-sessions.2
    if (from >= end.position) return nothing;
    const range = { from: from + 1, filter: `${PREFIX}>` };
    const messages = await readBatch(this.#bus, STREAM, range);
    if (messages === undefined) return nothing;
    const taken = messages.slice(0, most).map(({ headers, data }) => ({
      seq: Number(headers?.get("Nats-Sequence")),
      key: headers?.get("Nats-Subject").slice(PREFIX.length) ?? "",
      text: new TextDecoder().decode(data),
    }));
    const records = taken.flatMap(({ seq, key, text }) => recordsOf(seq, key, text));
    return { ident: end.ident, position: taken.at(-1)?.seq ?? end.position, records };
  }

  async end(): Promise<StreamEnd> {
    await this.#look();
    if (this.#end === undefined) throw new Error("the stream of sessions does not answer");
    return this.#end;
  }

  async #look(): Promise<void> {
    const subject = `$JS.API.STREAM.INFO.${STREAM}`;
    const answer = await this.#bus.request(subject, "", { timeoutMs: TIMEOUT_MS });
    this.#lookedAt = this.#clock.monotonic();
    this.#end = answer.kind === "ok" ? endOf(new TextDecoder().decode(answer.data)) : undefined;
  }
}

/** Undefined for an answer of another shape, such as an error. */
function endOf(text: string): StreamEnd | undefined {
  const { created, state } = parseObject(text) ?? {};
  const position = isObject(state) ? state["last_seq"] : undefined;
  if (typeof created !== "string" || !isCount(position)) return undefined;
  return { ident: created.replaceAll(/\D/g, ""), position };
}

/** `kept` is not news for a back end. */
function recordsOf(seq: number, key: string, text: string): readonly SessionRecord[] {
  const event = decodeSessionEvent(key, text);
  if (event === undefined || event.t === "kept") return [];
  const { user, since } = event;
  if (event.t === "started") {
    const data = { ...recordOf(event), ...(event.again === true && { again: true }) };
    return [{ seq, user, kind: "session.started", at: since, data: JSON.stringify(data) }];
  }
  const { at, reason } = event;
  const data = JSON.stringify({ ...recordOf(event), at, reason });
  return [{ seq, user, kind: "session.ended", at, data }];
}
