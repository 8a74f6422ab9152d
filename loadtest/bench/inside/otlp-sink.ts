// OTLP sink: a collector that counts the received bytes and discards them, as a separate process
// beside the generator. The bench measures the cost of creating, encoding and sending spans, and
// not the cost of a real collector.
//
// Run by fork. It sends {"port"} on the IPC channel, and {"requests", "bytes"} on request.

import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { pinGenerator } from "../peer.ts";

export interface Exports {
  readonly requests: number;
  readonly bytes: number;
}

export interface OtlpSink extends AsyncDisposable {
  /** The environment variables of services that send here. */
  readonly env: NodeJS.ProcessEnv;
  /** Since the last call. */
  take(): Promise<Exports>;
}

export async function startOtlpSink(): Promise<OtlpSink> {
  const child = fork(fileURLToPath(import.meta.url));
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return {
    // The default interval of exports: one export costs a millisecond, regardless of its size.
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
    async take() {
      child.send("take");
      const [exports] = (await once(child, "message")) as [Exports];
      return exports;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}

function serve(): void {
  pinGenerator();
  let exports = { requests: 0, bytes: 0 };
  const server = createServer((request, response) => {
    exports.requests++;
    request.on("data", (chunk: Buffer) => {
      exports.bytes += chunk.length;
    });
    // An empty body is a complete ExportTraceServiceResponse.
    request.on("end", () =>
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end(),
    );
  });
  server.listen(0, "127.0.0.1", () => {
    process.send?.({ port: (server.address() as AddressInfo).port });
  });
  process.on("message", () => {
    process.send?.(exports);
    exports = { requests: 0, bytes: 0 };
  });
  // A process without its parent has no task, and its server would keep it running.
  process.on("disconnect", () => process.exit(0));
}

if (import.meta.main) serve();
