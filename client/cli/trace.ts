// Trace: `parley trace <message id>` prints the path of one message through the cluster, from
// Jaeger.
//
// Owns: the request to Jaeger's query API and the format of a path. The first 48 bits of a message
// id are its time (N2), so the search covers only the hours around it.

import { isObject, parseObject } from "#shared/kit/json.ts";
import { neutral } from "./print.ts";

const BEFORE_MS = 60 * 60_000;
const AFTER_MS = 24 * 60 * 60_000;
const TIMEOUT_MS = 10_000;

export interface PathSpan {
  readonly service: string;
  readonly name: string;
  /** Since the start of the path. */
  readonly atMs: number;
  readonly tookMs: number;
  readonly error?: string;
}

export interface MessagePath {
  readonly traceId: string;
  readonly spans: readonly PathSpan[];
}

interface JaegerTrace {
  readonly traceID: string;
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
  readonly spans: readonly {
    readonly operationName: string;
    readonly processID: string;
    /** Microseconds since 1970. */
    readonly startTime: number;
    /** Microseconds. */
    readonly duration: number;
    readonly tags: readonly { readonly key: string; readonly value: unknown }[];
  }[];
}

/** Undefined when Jaeger has no trace of this message. Rejects when Jaeger does not answer. */
export async function findPath(jaeger: string, id: string): Promise<MessagePath | undefined> {
  const sentAt = Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
  const query = new URLSearchParams({
    service: "parley-gateway",
    tags: JSON.stringify({ "messaging.message.id": id }),
    start: String((sentAt - BEFORE_MS) * 1_000),
    end: String((sentAt + AFTER_MS) * 1_000),
    limit: "1",
  });
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(`${jaeger}/api/traces?${query.toString()}`, { signal });
  const answer = parseObject(await response.text());
  const [found] = Array.isArray(answer?.["data"]) ? (answer["data"] as unknown[]) : [];
  return isObject(found) ? toPath(found as unknown as JaegerTrace) : undefined;
}

function toPath({ traceID, processes, spans }: JaegerTrace): MessagePath {
  const sorted = spans.toSorted((a, b) => a.startTime - b.startTime);
  const began = sorted[0]?.startTime ?? 0;
  return {
    traceId: traceID,
    spans: sorted.map(({ operationName: name, processID, startTime, duration, tags }) => {
      const error = tags.find(({ key }) => key === "error.type")?.value;
      return {
        service: processes[processID]?.serviceName ?? "?",
        name,
        atMs: (startTime - began) / 1_000,
        tookMs: duration / 1_000,
        ...(typeof error === "string" && { error }),
      };
    }),
  };
}

/** One line for each span, then the address of the trace in Jaeger. */
export function* pathLines(jaeger: string, { traceId, spans }: MessagePath): Generator<string> {
  const width = Math.max(...spans.map(({ service }) => service.length));
  for (const { service, name, atMs, tookMs, error } of spans) {
    const times = `${atMs.toFixed(1).padStart(9)} ms  ${tookMs.toFixed(1).padStart(8)} ms`;
    const failed = error === undefined ? "" : `  FAILED: ${error}`;
    yield neutral(`${times}  ${service.padEnd(width)}  ${name}${failed}`);
  }
  yield traceAddress(jaeger, { traceId });
}

export function traceAddress(jaeger: string, { traceId }: Pick<MessagePath, "traceId">): string {
  return `${jaeger}/trace/${traceId}`;
}
