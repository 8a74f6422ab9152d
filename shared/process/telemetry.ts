// Telemetry: traces to an OpenTelemetry collector, when there is one. Metrics are Prometheus' to
// fetch (metrics.ts).
//
// Services make spans through the Tracer port alone, which does nothing without a collector. The SDK costs about 100 ms and 30 MB to load, so it is imported only when
// OTEL_EXPORTER_OTLP_ENDPOINT is set; all its other settings (protocol, sampler, headers) are the
// standard OTEL_* variables.
//
//   telemetry.1. Without OTEL_EXPORTER_OTLP_ENDPOINT nothing of the SDK is loaded.
//   telemetry.2. A collector that is away costs telemetry, never service: export and stop are bounded.

import { noTracer } from "../ports/tracer.ts";
import type { Tracer } from "../ports/tracer.ts";
import type { ProcessId } from "../protocol/ids.ts";

/** What may be lost of the last batch when the collector does not answer. */
const STOP_TIMEOUT_MS = 2_000;

export interface Telemetry {
  readonly enabled: boolean;
  readonly tracer: Tracer;
  /** Sends what is buffered. Resolves within STOP_TIMEOUT_MS, never rejects. */
  stop(): Promise<void>;
}

export async function startTelemetry(options: {
  /** "gateway", "room" or "persistence"; becomes service.name. */
  readonly service: string;
  readonly instance: ProcessId;
}): Promise<Telemetry> {
  if ((process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "") === "") {
    return { enabled: false, tracer: noTracer, stop: () => Promise.resolve() }; // telemetry.1
  }
  // The detectors of host and process would export the command line; a name is all we need.
  process.env["OTEL_NODE_RESOURCE_DETECTORS"] ??= "env";
  process.env["OTEL_RESOURCE_ATTRIBUTES"] = [
    process.env["OTEL_RESOURCE_ATTRIBUTES"] ?? "",
    `service.instance.id=${options.instance}`,
  ]
    .filter((part) => part !== "")
    .join(",");
  process.env["OTEL_METRICS_EXPORTER"] ??= "none";
  const { NodeSDK } = await import("@opentelemetry/sdk-node");
  const { otelTracer } = await import("./otel-tracer.ts");
  const sdk = new NodeSDK({
    serviceName: process.env["OTEL_SERVICE_NAME"] ?? `parley-${options.service}`,
    // Logs go to standard output as JSON; who collects that has them already.
    logRecordProcessors: [],
  });
  sdk.start();
  const stop = (): Promise<void> => stopWithin(sdk.shutdown(), STOP_TIMEOUT_MS); // telemetry.2
  return { enabled: true, tracer: otelTracer(), stop };
}

async function stopWithin(stopping: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  // A collector that refuses or is gone makes shutdown reject; the process ends all the same.
  await Promise.race([stopping.catch(() => undefined), late]);
  clearTimeout(timer);
}
