// MessageTraces: the gateway's spans of a traced message, and the exemplars that they leave.
//
// Owns: the spans of a send and of a room's lines. Does not own: the choice of messages
// (core/sampling.ts), the format of spans (the Tracer).

import { traceIdOf } from "#shared/kit/traceparent.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Span, Tracer } from "#shared/ports/tracer.ts";
import { COMMANDS } from "#shared/protocol/commands.ts";
import type { WriteFrame } from "#shared/protocol/commands.ts";
import type { Millis, RoomId } from "#shared/protocol/ids.ts";
import type { Sampling } from "../core/sampling.ts";
import type { WriteOutcome } from "../core/room-api-port.ts";
import type { GatewayStats } from "./gateway-stats.ts";

export interface MessageTracesOptions {
  readonly tracer: Tracer;
  readonly sampling: Sampling;
  readonly clock: Clock;
  readonly stats: GatewayStats;
}

export class MessageTraces {
  readonly #options: MessageTracesOptions;

  constructor(options: MessageTracesOptions) {
    this.#options = options;
  }

  /** Undefined for a message that is not sampled. */
  receive({ t, room, id, trace }: WriteFrame, now: Millis): Span | undefined {
    const { tracer, sampling } = this.#options;
    if (!tracer.isOn || COMMANDS[t].trace === "none") return undefined;
    const sampled = sampling.pick(trace, now);
    if (sampled === undefined) return undefined;
    const attributes = { ...messaging(room, "send"), "messaging.message.id": id };
    return tracer.start("receive message", { ...sampled, attributes });
  }

  answered(span: Span, answer: WriteOutcome, ms: Millis): void {
    const { stats, clock } = this.#options;
    if (answer.kind !== "sent") return span.end({ "error.type": answer.error }, answer.error);
    span.end({ "parley.seq": answer.seq });
    stats.sendSeconds.exemplify({
      traceId: traceIdOf(span.traceparent),
      value: ms / 1_000,
      atSeconds: clock.now() / 1_000,
    });
  }

  /** Starts one span for each sampled message among the arrived lines of a room. */
  deliver(room: RoomId, traces: readonly string[], count: number): Span[] {
    const { tracer } = this.#options;
    if (!tracer.isOn) return [];
    const attributes = { ...messaging(room, "process"), "messaging.batch.message_count": count };
    return traces.flatMap((parent) => tracer.start("deliver lines", { parent, attributes }) ?? []);
  }

  delivered(spans: readonly Span[], members: number, ms: Millis): void {
    const { stats, clock } = this.#options;
    for (const span of spans) {
      span.end({ "parley.members": members });
      stats.deliverySeconds.exemplify({
        traceId: traceIdOf(span.traceparent),
        value: ms / 1_000,
        atSeconds: clock.now() / 1_000,
      });
    }
  }
}

function messaging(room: RoomId, operation: "send" | "process") {
  return {
    "messaging.system": "parley",
    "messaging.operation.type": operation,
    "messaging.destination.name": room,
  };
}
