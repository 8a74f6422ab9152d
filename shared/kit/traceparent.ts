// Traceparent: the W3C text that connects the spans of one message across processes.
//
//   traceparent.1. Text that is not exactly of version 00 is not a traceparent. Parley writes it
//        into headers that end at a space or a line break.

const PATTERN = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const TRACE_ID = { from: 3, to: 35 } as const;
const SPAN_ID = { from: 36, to: 52 } as const;
const SAMPLED = 1;

export function isTraceparent(value: unknown): value is string {
  return typeof value === "string" && PATTERN.test(value);
}

export function traceIdOf(traceparent: string): string {
  return traceparent.slice(TRACE_ID.from, TRACE_ID.to);
}

export function spanIdOf(traceparent: string): string {
  return traceparent.slice(SPAN_ID.from, SPAN_ID.to);
}

/** Whether the sender asks for the message to be recorded. */
export function isSampled(traceparent: string): boolean {
  return (Number.parseInt(traceparent.slice(-2), 16) & SAMPLED) === SAMPLED;
}
