// Tracer: records when something began and ended, for the few messages that are sampled.
//
//   tracer.1. With `isOn` false nothing is ever recorded, and callers skip whatever they would prepare.
//   tracer.2. A span is recorded when it ends; one that is forgotten is never seen and holds nothing.
//   tracer.3. `start` may answer undefined at any time; the caller's work does not depend on it.
// Contexts are traceparent strings, so cores can pass them on and know nothing of tracing.

export type SpanName =
  /** gateway: from a send's admission to its answer */
  | "receive message"
  /** room node: from a command's arrival to its result */
  | "process message"
  /** room node: one append to the log; links to every message in it */
  | "append commit"
  /** gateway: from a room's lines arriving to the last live member's write */
  | "deliver lines"
  /** persistence: one transaction; links to the messages in it */
  | "archive batch";

export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanStart {
  /** The context that this belongs under; without one a new trace begins. */
  readonly parent?: string | undefined;
  /** Further contexts that this is about. */
  readonly links?: readonly string[];
  readonly attributes?: Attributes;
}

export interface Span {
  /** The context for whoever works on. */
  readonly traceparent: string;
  end(attributes?: Attributes, error?: string): void;
}

export interface Tracer {
  readonly isOn: boolean;
  start(name: SpanName, start: SpanStart): Span | undefined;
}

export const noTracer: Tracer = { isOn: false, start: () => undefined };
