// MetricsServer: serves /metrics, /healthz and /readyz on a port of its own.
//
// It is for operators, not for clients: it binds to loopback unless METRICS_HOST names another
// address, answers GET only, and exposes no secret.
//
//   metrics-server.1. /healthz answers 200 as long as the event loop runs. /readyz answers 503 with
//        the reason while the process cannot serve.
//   metrics-server.2. A slow or silent scraper occupies only its own socket and does not delay a
//        stop.

import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "./metrics.ts";

const REQUEST_TIMEOUT_MS = 5_000;

export interface MetricsServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly metrics: Metrics;
  /** The reason why the process cannot serve; undefined when it can. */
  readonly missing: () => string | undefined;
}

export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Rejects when the port is not free. */
export async function openMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { host, port } = options;
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    void answer(request, response, options);
  });
  server.listen(port, host);
  await once(server, "listening"); // Rejects with the server's error.
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${bound}/metrics`,
    async close(): Promise<void> {
      server.closeAllConnections(); // metrics-server.2
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function answer(
  { method, url = "" }: IncomingMessage,
  response: ServerResponse,
  { metrics, missing }: MetricsServerOptions,
): Promise<void> {
  const [path] = url.split("?", 1);
  if (method !== "GET") return send(response, 405, "text/plain", "only GET is supported\n");
  if (path === "/metrics") return send(response, 200, metrics.contentType, await metrics.render());
  if (path === "/healthz") return send(response, 200, "text/plain", "ok\n");
  if (path !== "/readyz") return send(response, 404, "text/plain", "no such page\n");
  const reason = missing();
  return reason === undefined
    ? send(response, 200, "text/plain", "ok\n")
    : send(response, 503, "text/plain", `${reason}\n`);
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { "content-type": type }).end(text);
}
