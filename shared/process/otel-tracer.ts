// Tracer over OpenTelemetry: what the library is told of a span, and nothing else of it.
//
// The library guarantees that `startSpan` and `end` never throw and never wait; finished spans go to
// its batch exporter, which drops what is above its bound. Who is sampled was decided before
// (services/gateway/core/sampling.ts), so every context that arrives here counts as sampled.

import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from "@opentelemetry/api";
import type { Link, SpanContext } from "@opentelemetry/api";
import { spanIdOf, traceIdOf } from "../kit/traceparent.ts";
import type { Span, SpanName, SpanStart, Tracer } from "../ports/tracer.ts";

const KINDS: { readonly [N in SpanName]: SpanKind } = {
  "receive message": SpanKind.SERVER,
  "process message": SpanKind.CONSUMER,
  "append commit": SpanKind.CLIENT,
  "deliver lines": SpanKind.CONSUMER,
  "archive batch": SpanKind.CLIENT,
};

export function otelTracer(): Tracer {
  const tracer = trace.getTracer("parley");
  return {
    isOn: true,
    start(name: SpanName, { parent, links = [], attributes = {} }: SpanStart): Span {
      const context =
        parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, contextOf(parent));
      const span = tracer.startSpan(
        name,
        { kind: KINDS[name], attributes, links: links.map(linkTo) },
        context,
      );
      const { traceId, spanId } = span.spanContext();
      return {
        traceparent: `00-${traceId}-${spanId}-01`,
        end(more = {}, error): void {
          span.setAttributes(more);
          if (error !== undefined) {
            span.setStatus({ code: SpanStatusCode.ERROR, message: error });
          }
          span.end();
        },
      };
    },
  };
}

function linkTo(traceparent: string): Link {
  return { context: contextOf(traceparent) };
}

function contextOf(traceparent: string): SpanContext {
  return {
    traceId: traceIdOf(traceparent),
    spanId: spanIdOf(traceparent),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  };
}
