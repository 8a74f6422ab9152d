// Jaeger for a test: a real program with its memory store, on free ports, stopped with the test.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "#shared/testing/ports.ts";
import { until } from "#shared/testing/wait.ts";
import { ensureGoProgram, JAEGER } from "#tools/programs/go-program.ts";

export interface Jaeger extends AsyncDisposable {
  /** The address of the page and the query API. */
  readonly url: string;
  /** The address to which services send (OTLP over HTTP). */
  readonly otlp: string;
}

export async function launchJaeger(): Promise<Jaeger> {
  const binary = await ensureGoProgram(JAEGER);
  const [query, grpc, otlp] = [await freePort(), await freePort(), await freePort()];
  const dir = mkdtempSync(join(tmpdir(), "parley-jaeger-"));
  const config = join(dir, "config.yaml");
  writeFileSync(config, configOf({ query, grpc, otlp })); // JSON is YAML.
  const child = spawn(binary, ["--config", config], { stdio: "ignore" });
  const exited = once(child, "exit");
  const url = `http://127.0.0.1:${query}`;
  await until(
    async () => (await fetch(`${url}/api/services`).catch(() => undefined))?.ok === true,
    {
      withinMs: 30_000,
      what: "Jaeger to answer",
    },
  );
  return {
    url,
    otlp: `http://127.0.0.1:${otlp}`,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
      rmSync(dir, { recursive: true });
    },
  };
}

function configOf(ports: { query: number; grpc: number; otlp: number }): string {
  const at = (port: number): { endpoint: string } => ({ endpoint: `127.0.0.1:${port}` });
  return JSON.stringify({
    service: {
      extensions: ["jaeger_storage", "jaeger_query"],
      pipelines: {
        traces: { receivers: ["otlp"], exporters: ["jaeger_storage_exporter"] },
      },
      telemetry: { metrics: { level: "none" }, logs: { level: "error" } },
    },
    extensions: {
      jaeger_storage: { backends: { memory: { memory: { max_traces: 10_000 } } } },
      jaeger_query: { storage: { traces: "memory" }, http: at(ports.query), grpc: at(ports.grpc) },
    },
    receivers: { otlp: { protocols: { http: at(ports.otlp) } } },
    exporters: { jaeger_storage_exporter: { trace_storage: "memory" } },
  });
}
