// RoomTraces: the spans of traced messages in a room node.
//
// Owns: the open spans of commands without a result. Does not own: which messages are traced (the
// gateway decides; a command with a context is traced).
//
//   room-traces.1. A command's span ends with its result. A command without a result (the tenure
//       ended and its lane resent it) ends as "unanswered" after UNANSWERED_MS.
//   room-traces.2. At most OPEN_MAX spans are open. Above that, a command keeps the context that it
//       arrived with.

import { isTraceparent } from "#shared/kit/traceparent.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { AppendOutcome } from "#shared/ports/log.ts";
import type { Span, Tracer } from "#shared/ports/tracer.ts";
import { COMMANDS, isWrite } from "#shared/protocol/commands.ts";
import type { Command, CommandBatch, Write } from "#shared/protocol/commands.ts";
import type { ResultWithLines } from "#shared/protocol/results.ts";
import type { Millis, Partition, ProcessId } from "#shared/protocol/ids.ts";

export const OPEN_MAX = 256;
export const UNANSWERED_MS = 15_000;

interface Open {
  readonly span: Span;
  readonly at: Millis;
}

export class RoomTraces {
  readonly #p: Partition;
  readonly #tracer: Tracer;
  readonly #clock: Clock;
  /** By gateway and command number, the oldest first. */
  readonly #open = new Map<string, Open>();

  constructor(p: Partition, tracer: Tracer, clock: Clock) {
    this.#p = p;
    this.#tracer = tracer;
    this.#clock = clock;
  }

  /** The same batch, with each traced command under a span of this node. */
  onBatch(batch: CommandBatch): CommandBatch {
    if (!this.#tracer.isOn || !batch.commands.some(isTraced)) return batch;
    this.#expire();
    const commands = batch.commands.map((command) =>
      isTraced(command) ? this.#onCommand(batch.gw, command) : command,
    );
    return { ...batch, commands };
  }

  onResults(gateway: ProcessId, results: readonly ResultWithLines[]): void {
    if (this.#open.size === 0) return;
    for (const { result } of results) {
      const key = `${gateway} ${result.c}`;
      const open = this.#open.get(key);
      if (open === undefined) continue;
      this.#open.delete(key);
      if ("error" in result) open.span.end({ "error.type": result.error }, result.error);
      else open.span.end(result.ok === "sent" ? { "parley.seq": result.seq } : {});
    }
  }

  onAppend(traces: readonly string[] | undefined, events: number): Span | undefined {
    if (traces === undefined || !this.#tracer.isOn) return undefined;
    // The span is a child of the first message and links to all of them.
    return this.#tracer.start("append commit", {
      parent: traces[0],
      links: traces,
      attributes: {
        "messaging.system": "nats",
        "messaging.operation.type": "send",
        "messaging.destination.name": `log.${this.#p}`,
        "messaging.batch.message_count": events,
      },
    });
  }

  onAppended(span: Span, outcome: AppendOutcome): void {
    if (outcome.kind === "ok") span.end({ "parley.log_seq": outcome.seq });
    else span.end({ "error.type": outcome.kind }, outcome.kind);
  }

  #onCommand(gateway: ProcessId, command: Write): Write {
    const key = `${gateway} ${command.c}`;
    const again = this.#open.get(key); // A resent command continues the same span.
    if (again !== undefined) return { ...command, trace: again.span.traceparent };
    if (this.#open.size >= OPEN_MAX) return command; // room-traces.2
    const attributes = {
      "messaging.system": "parley",
      "messaging.operation.type": "process",
      "parley.partition": this.#p,
    };
    const span = this.#tracer.start("process message", { parent: command.trace, attributes });
    if (span === undefined) return command;
    this.#open.set(key, { span, at: this.#clock.monotonic() });
    return { ...command, trace: span.traceparent };
  }

  /** room-traces.1. */
  #expire(): void {
    const limit = this.#clock.monotonic() - UNANSWERED_MS;
    for (const [key, { span, at }] of this.#open) {
      if (at > limit) return;
      this.#open.delete(key);
      span.end({ "error.type": "unanswered" }, "unanswered");
    }
  }
}

function isTraced(command: Command): command is Write {
  if (!isWrite(command) || COMMANDS[command.op].trace === "none") return false;
  return isTraceparent(command.trace);
}
