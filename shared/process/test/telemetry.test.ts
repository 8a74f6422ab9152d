// Telemetry, in a process of its own: the SDK registers itself globally and reads the environment.

import { expect } from "chai";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";

const run = promisify(execFile);

const PROGRAM = `
  import { trace } from "@opentelemetry/api";
  import { startTelemetry } from "#shared/process/telemetry.ts";
  const telemetry = await startTelemetry({ service: "room", instance: "room-1" });
  trace.getTracer("test").startSpan("a span").end();
  const began = performance.now();
  await telemetry.stop();
  console.log(JSON.stringify({ enabled: telemetry.enabled, stopMs: performance.now() - began,
    loaded: trace.getTracerProvider().getDelegate().constructor.name }));
  process.exit(0);
`;

/** The stop gives up after two seconds, the exporter of the package after ten. */
const STOP_MS_MAX = 8_000;

interface Printed {
  readonly enabled: boolean;
  readonly stopMs: number;
  readonly loaded: string;
}

async function runProgram(endpoint: string): Promise<Printed> {
  const { stdout } = await run(
    process.execPath,
    ["--input-type=module-typescript", "--eval", PROGRAM],
    {
      cwd: new URL("../../..", import.meta.url),
      env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_METRICS_EXPORTER: "none" },
    },
  );
  return JSON.parse(stdout) as Printed;
}

describe("Telemetry", () => {
  it("telemetry.1: without an endpoint, registers nothing", async () => {
    const printed = await runProgram("");
    expect(printed.enabled).to.equal(false);
    expect(printed.loaded).to.equal("NoopTracerProvider");
  });

  it("telemetry.1: with an endpoint, a span reaches the collector before stop resolves", async () => {
    const paths: string[] = [];
    const collector = createServer((request, response) => {
      paths.push(`${request.method} ${request.url}`);
      request.resume().on("end", () => response.end());
    });
    await once(collector.listen(0, "127.0.0.1"), "listening");
    const { port } = collector.address() as AddressInfo;
    const printed = await runProgram(`http://127.0.0.1:${port}`);
    collector.close();
    expect(printed.enabled).to.equal(true);
    expect(paths).to.deep.equal(["POST /v1/traces"]);
  });

  it("telemetry.2: with a collector that never answers, a stop takes at most about two seconds", async () => {
    const silent = createServer(() => undefined);
    await once(silent.listen(0, "127.0.0.1"), "listening");
    const { port } = silent.address() as AddressInfo;
    const printed = await runProgram(`http://127.0.0.1:${port}`);
    silent.close();
    expect(printed.stopMs).to.be.within(1_900, STOP_MS_MAX);
  });

  it("telemetry.2: with a collector that refuses connections, the process works and stops without an error", async () => {
    const closed = createServer();
    await once(closed.listen(0, "127.0.0.1"), "listening");
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, "close");
    const printed = await runProgram(`http://127.0.0.1:${port}`);
    expect(printed.enabled).to.equal(true);
    expect(printed.stopMs).to.be.below(STOP_MS_MAX);
  });
});
