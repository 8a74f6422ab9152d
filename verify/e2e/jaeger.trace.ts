// The path of one message in a real Jaeger, as an operator looks for it. `make test-trace` runs it;
// `make test` does not, because the program takes minutes to build.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import { launchJaeger } from "./launch-jaeger.ts";

const run = promisify(execFile);
const HOPS = [
  "receive message",
  "process message",
  "append commit",
  "deliver lines",
  "archive batch",
];

describe("A message in Jaeger", function () {
  this.timeout(180_000);
  let dataDir = "";
  before(() => {
    dataDir = mkdtempSync(join(tmpdir(), "parley-traced-"));
  });
  after(() => rmSync(dataDir, { recursive: true, force: true }));

  it("E2: `parley send --trace`, then `parley trace` finds every hop with its times", async () => {
    await using jaeger = await launchJaeger();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlp, OTEL_BSP_SCHEDULE_DELAY: "200" };
    const say = (): void => undefined;
    await using _cluster = await startCluster({ dataDir, port: 0, partitions: 4, env, say });
    const parley = async (...words: string[]): Promise<string> => {
      const program = ["client/cli/parley.ts", "--jaeger", jaeger.url, ...words];
      const { stdout } = await run(process.execPath, program, {
        env: { ...process.env, DATA: dataDir },
      });
      return stdout;
    };
    const sent = await parley("send", "general", "a traced message", "--trace");
    const id = /id=(\S+)/.exec(sent)?.[1] ?? "";
    expect(sent).to.match(/^general#1 /);
    let shown = "";
    await until(
      async () => {
        shown = await parley("trace", id).catch(() => "");
        return HOPS.every((hop) => shown.includes(hop));
      },
      { withinMs: 60_000, what: "every hop in Jaeger" },
    );
    // The times of the hops, for a reader of the output of the run.
    console.log(shown.replaceAll(/^/gm, "      "));
    const trace = /\/trace\/([0-9a-f]{32})/.exec(shown)?.[1];
    const page = await fetch(`${jaeger.url}/api/traces/${trace}`);
    const { data } = (await page.json()) as { data: { spans: { operationName: string }[] }[] };
    const names = data[0]!.spans.map(({ operationName }) => operationName);
    expect(names).to.include.members(HOPS);
    await expectRejected(parley("trace", "01990000-0000-7000-8000-000000000000"));
  });
});

async function expectRejected(call: Promise<string>): Promise<void> {
  const refused = await call.then(
    () => "",
    (error: unknown) => (error as { stderr: string }).stderr,
  );
  expect(refused).to.contain("no trace");
}
