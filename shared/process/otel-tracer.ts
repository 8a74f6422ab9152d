// OtelTracer: the Tracer port over OpenTelemetry.
//
// The library guarantees that `startSpan` and `end` never throw and never wait. Its batch exporter
// takes finished spans and drops those above its bound. services/gateway/core/sampling.ts decides
// which messages are sampled, so every context that arrives here counts as sampled.

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
