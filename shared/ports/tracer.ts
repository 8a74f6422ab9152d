// Tracer: records the begin and the end of an operation, for the few messages that are sampled.
//
//   tracer.1. With `isOn` false nothing is recorded, and callers prepare nothing.
//   tracer.2. A span is recorded when it ends. A span that never ends is not recorded and holds no
//        memory.
//   tracer.3. `start` may return undefined at any time. The caller's work does not depend on it.
// Contexts are traceparent strings, so cores can pass them on without knowledge of tracing.

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
  /** The parent context; without one a new trace begins. */
  readonly parent?: string | undefined;
  /** Further contexts to which this span is linked. */
  readonly links?: readonly string[];
  readonly attributes?: Attributes;
}

export interface Span {
  /** The context to pass to the next operation. */
  readonly traceparent: string;
  end(attributes?: Attributes, error?: string): void;
}

export interface Tracer {
  readonly isOn: boolean;
  start(name: SpanName, start: SpanStart): Span | undefined;
}

export const noTracer: Tracer = { isOn: false, start: () => undefined };
