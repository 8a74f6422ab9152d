// Telemetry: sends traces to an OpenTelemetry collector, when one is configured. Prometheus scrapes
// the metrics (metrics.ts).
//
// Services create spans through the Tracer port, which does nothing without a collector. The SDK
// costs about 100 ms and 30 MB to load, so it is imported only when OTEL_EXPORTER_OTLP_ENDPOINT is
// set. All its other settings (protocol, sampler, headers) are the standard OTEL_* variables.
//
//   telemetry.1. Without OTEL_EXPORTER_OTLP_ENDPOINT the SDK is not loaded.
//   telemetry.2. An unreachable collector loses spans and delays nothing else: export and stop are
//        bounded in time.

import { noTracer } from "../ports/tracer.ts";
import type { Tracer } from "../ports/tracer.ts";
import type { ProcessId } from "../protocol/ids.ts";

/** The longest wait for the last batch of spans; then they are lost. */
const STOP_TIMEOUT_MS = 2_000;

export interface Telemetry {
  readonly enabled: boolean;
  readonly tracer: Tracer;
  /** Sends the buffered spans. Resolves within STOP_TIMEOUT_MS, never rejects. */
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
  // The detectors of host and process would export the command line; a name is enough.
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
    // Logs go to standard output as JSON, where the log collector of the host reads them.
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
  // An unreachable collector makes shutdown reject; the process ends all the same.
  await Promise.race([stopping.catch(() => undefined), late]);
  clearTimeout(timer);
}
