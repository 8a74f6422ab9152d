// GatewayMetrics: the names under which a gateway's counters appear to Prometheus.

import type { Counts } from "#shared/kit/counts.ts";
import type { Metrics, Reading } from "#shared/process/metrics.ts";
import type { Gateway } from "../runtime/gateway.ts";
import type { HttpSockets } from "./http-sockets.ts";

/** Answers by route pattern and status; its keys are "GET /v1/rooms 200". */
export type HttpRequests = Counts;

/** Routes × five methods × the statuses that they answer: a closed set, larger than a table's usual bound. */
export const HTTP_ANSWERS_MAX = 512;

export function registerHttp(metrics: Metrics, sockets: HttpSockets): void {
  metrics.gauge(
    "parley_gateway_http_sockets",
    "Connections of HTTP, WebSockets left out",
    () => sockets.open,
  );
  metrics.gauge(
    "parley_gateway_http_answer_bytes",
    "Bytes of HTTP answers that their readers have not taken",
    () => sockets.answerBytes,
  );
  metrics.counter(
    "parley_gateway_http_closes_total",
    "Connections of HTTP that were refused or cut off, by reason",
    () => labelled("reason", sockets.closes),
  );
}

export function registerGateway(metrics: Metrics, gateway: Gateway, requests: HttpRequests): void {
  registerSends(metrics, gateway);
  registerDelivery(metrics, gateway);
  const { stats } = gateway;
  metrics.gauge("parley_gateway_connections", "Open sockets", () => gateway.gauges.connections);
  metrics.gauge(
    "parley_gateway_memory_bytes",
    "Memory by line of the account that has a bound",
    () => Array.from(gateway.memory, ([line, bytes]) => [{ line }, bytes] as const),
  );
  metrics.gauge(
    "parley_gateway_greeting",
    "Open sockets that have not been let in yet",
    () => gateway.gauges.greeting,
  );
  metrics.counter("parley_gateway_frames_in_total", "Frames decoded", () => stats.framesIn);
  metrics.counter(
    "parley_gateway_intake_waits_total",
    "Times that a connection's frames waited, by what they waited for",
    () => labelled("for", stats.intakeWaits),
  );
  metrics.counter("parley_gateway_errors_total", "Errors that clients were told", () =>
    labelled("name", stats.errors),
  );
  metrics.counter("parley_gateway_closes_total", "Connections that the gateway closed", () =>
    labelled("code", stats.closes),
  );
  metrics.counter("parley_gateway_tokens_total", "Tokens of hellos and refreshes by outcome", () =>
    labelled("outcome", stats.tokens),
  );
  metrics.counter("parley_gateway_http_requests_total", "HTTP answers", () =>
    requestReading(requests),
  );
  metrics.counter("parley_gateway_refused_messages_total", "Messages that did not decode", () =>
    labelled("what", stats.refused),
  );
  metrics.counter("parley_gateway_events_total", "What the gateway reported, by event", () =>
    labelled("event", stats.reports),
  );
}

function registerSends(metrics: Metrics, gateway: Gateway): void {
  const { stats } = gateway;
  metrics.counter("parley_gateway_sends_total", "Sends by outcome: ok or the error's name", () =>
    labelled("outcome", stats.sends),
  );
  metrics.histogram(
    "parley_gateway_send_seconds",
    "From a send's admission to its acknowledgement",
    () => stats.sendSeconds,
  );
  metrics.gauge(
    "parley_gateway_lane_unanswered",
    "Commands to owners without an answer",
    () => gateway.gauges.unanswered,
  );
  metrics.counter("parley_gateway_resyncs_total", "Lanes told to send again", () => stats.resyncs);
  metrics.counter(
    "parley_gateway_suspects_total",
    "Times that nobody took a partition's commands",
    () => stats.suspects,
  );
}

function registerDelivery(metrics: Metrics, gateway: Gateway): void {
  const { stats } = gateway;
  metrics.gauge("parley_gateway_rooms", "Rooms with a feed here", () => gateway.gauges.rooms);
  metrics.gauge(
    "parley_gateway_readers",
    "Members behind their feed",
    () => gateway.gauges.readers,
  );
  metrics.gauge("parley_gateway_ring_bytes", "Lines kept", () => gateway.gauges.ringBytes);
  metrics.histogram(
    "parley_gateway_delivery_seconds",
    "From a room's lines arriving to the last live member's write",
    () => stats.deliverySeconds,
  );
  metrics.histogram(
    "parley_gateway_flush_seconds",
    "What one flush of a room cost; the pace follows it",
    () => stats.flushSeconds,
  );
  metrics.counter("parley_gateway_lines_in_total", "Lines from owners", () => stats.linesIn);
  metrics.counter("parley_gateway_lines_out_total", "Lines × members", () => stats.linesOut);
  metrics.counter("parley_gateway_chunks_total", "Chunks written to readers", () => stats.chunks);
  metrics.counter("parley_gateway_fetches_total", "Ranges not in a ring", () => stats.fetches);
  metrics.counter("parley_gateway_holes_total", "Holes in a feed to repair", () => stats.holes);
  metrics.counter(
    "parley_gateway_readers_given_up_total",
    "Readers closed because they cannot be served",
    () => labelled("reason", stats.readersGivenUp),
  );
  metrics.counter(
    "parley_gateway_slow_readers_total",
    "Live members that fell behind",
    () => stats.slowReaders,
  );
}

function labelled(label: string, counts: Counts): Reading {
  return Array.from(counts, ([name, count]) => [{ [label]: name }, count] as const);
}

function requestReading(requests: HttpRequests): Reading {
  return Array.from(requests, ([key, count]) => {
    const [method = "", route = "", status = ""] = key.split(" ");
    return [{ method, route, status }, count] as const;
  });
}
