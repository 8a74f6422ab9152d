// GatewayMetrics: the Prometheus names and help texts of a gateway's counters.

import type { Counts } from "#shared/kit/counts.ts";
import type { Metrics, Reading } from "#shared/process/metrics.ts";
import { WORKS } from "../core/shedding.ts";
import type { Gateway } from "../runtime/gateway.ts";
import type { HttpSockets } from "./http-sockets.ts";

/** Answers by method, route pattern and status. A key is "GET /v1/rooms 200". */
export type HttpRequests = Counts;

/** Routes × five methods × their statuses: a closed set, larger than the usual bound of a table. */
export const HTTP_ANSWERS_MAX = 512;

export function registerHttp(metrics: Metrics, sockets: HttpSockets): void {
  metrics.gauge(
    "parley_gateway_http_sockets",
    "Open HTTP connections without WebSockets",
    () => sockets.open,
  );
  metrics.gauge(
    "parley_gateway_http_answer_bytes",
    "Bytes of HTTP answers that clients have not read",
    () => sockets.answerBytes,
  );
  metrics.counter(
    "parley_gateway_http_closes_total",
    "HTTP connections that the gateway refused or closed, by reason",
    () => labelled("reason", sockets.closes),
  );
}

export function registerGateway(metrics: Metrics, gateway: Gateway, requests: HttpRequests): void {
  registerSends(metrics, gateway);
  registerDelivery(metrics, gateway);
  registerPositions(metrics, gateway);
  registerShedding(metrics, gateway);
  const { stats } = gateway;
  metrics.gauge(
    "parley_gateway_connections",
    "Open WebSocket connections",
    () => gateway.gauges.connections,
  );
  metrics.gauge(
    "parley_gateway_memory_bytes",
    "Bounded memory in bytes, by line of the memory account",
    () => Array.from(gateway.memory, ([line, bytes]) => [{ line }, bytes] as const),
  );
  metrics.gauge(
    "parley_gateway_greeting",
    "Open WebSocket connections before their welcome",
    () => gateway.gauges.greeting,
  );
  metrics.counter("parley_gateway_frames_in_total", "Frames decoded", () => stats.framesIn);
  metrics.counter(
    "parley_gateway_intake_waits_total",
    "Waits of a connection's frames, by what they waited for",
    () => labelled("for", stats.intakeWaits),
  );
  metrics.counter("parley_gateway_errors_total", "Errors sent to clients, by name", () =>
    labelled("name", stats.errors),
  );
  metrics.counter(
    "parley_gateway_closes_total",
    "Connections that the gateway closed, by close code",
    () => labelled("code", stats.closes),
  );
  metrics.counter(
    "parley_gateway_tokens_total",
    "Token checks at hello and refresh, by outcome",
    () => labelled("outcome", stats.tokens),
  );
  metrics.counter(
    "parley_gateway_http_requests_total",
    "HTTP answers, by method, route and status",
    () => requestReading(requests),
  );
  metrics.counter(
    "parley_gateway_refused_messages_total",
    "Bus messages that did not decode, by kind",
    () => labelled("what", stats.refused),
  );
  metrics.counter("parley_gateway_events_total", "Reported events, by event", () =>
    labelled("event", stats.reports),
  );
}

function registerSends(metrics: Metrics, gateway: Gateway): void {
  const { stats } = gateway;
  metrics.counter(
    "parley_gateway_sends_total",
    "Sends by outcome: ok or the name of the error",
    () => labelled("outcome", stats.sends),
  );
  metrics.histogram(
    "parley_gateway_send_seconds",
    "Seconds from a send's admission to its ack",
    () => stats.sendSeconds,
  );
  metrics.gauge(
    "parley_gateway_lane_unanswered",
    "Commands to owners without an answer",
    () => gateway.gauges.unanswered,
  );
  metrics.counter(
    "parley_gateway_resyncs_total",
    "Resyncs that owners requested from lanes",
    () => stats.resyncs,
  );
  metrics.counter(
    "parley_gateway_suspects_total",
    "Partitions without a responding owner that this gateway reported",
    () => stats.suspects,
  );
}

function registerShedding(metrics: Metrics, { shedding }: Gateway): void {
  metrics.gauge(
    "parley_gateway_delay_seconds",
    "Seconds that an input waits before the gateway handles it; decides what is shed",
    () => shedding.delayMs / 1_000,
  );
  metrics.gauge("parley_gateway_shedding", "1 while the gateway refuses this kind of work", () =>
    WORKS.map((work) => [{ work }, shedding.isShed(work) ? 1 : 0] as const),
  );
  metrics.counter(
    "parley_gateway_shed_total",
    "Refusals because of overload, by kind of work",
    () => labelled("work", shedding.refused),
  );
}

function registerPositions(metrics: Metrics, gateway: Gateway): void {
  metrics.gauge(
    "parley_gateway_positions",
    "Read positions that the archive does not have yet",
    () => gateway.gauges.positions,
  );
  metrics.counter(
    "parley_gateway_positions_dropped_total",
    "Read positions that were dropped because too many wait for the archive",
    () => gateway.gauges.positionsDropped,
  );
}

function registerDelivery(metrics: Metrics, gateway: Gateway): void {
  const { stats } = gateway;
  metrics.gauge(
    "parley_gateway_rooms",
    "Rooms with a feed on this gateway",
    () => gateway.gauges.rooms,
  );
  metrics.gauge(
    "parley_gateway_readers",
    "Members that are behind their feed",
    () => gateway.gauges.readers,
  );
  metrics.gauge(
    "parley_gateway_ring_bytes",
    "Bytes of lines in rings",
    () => gateway.gauges.ringBytes,
  );
  metrics.histogram(
    "parley_gateway_delivery_seconds",
    "Seconds from the arrival of a room's lines to the write to the last live member",
    () => stats.deliverySeconds,
  );
  metrics.histogram(
    "parley_gateway_flush_seconds",
    "Seconds that one flush of a room cost; the pace follows it",
    () => stats.flushSeconds,
  );
  metrics.counter(
    "parley_gateway_lines_in_total",
    "Lines that arrived from owners",
    () => stats.linesIn,
  );
  metrics.counter("parley_gateway_lines_out_total", "Lines × members", () => stats.linesOut);
  metrics.counter("parley_gateway_chunks_total", "Lines written to members", () => stats.chunks);
  metrics.counter(
    "parley_gateway_fetches_total",
    "Ranges that the ring did not have",
    () => stats.fetches,
  );
  metrics.counter(
    "parley_gateway_holes_total",
    "Gaps in feeds that the gateway repaired",
    () => stats.holes,
  );
  metrics.counter(
    "parley_gateway_readers_given_up_total",
    "Readers that the gateway closed because it could not serve them, by reason",
    () => labelled("reason", stats.readersClosed),
  );
  metrics.counter(
    "parley_gateway_slow_readers_total",
    "Live members that became readers",
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
