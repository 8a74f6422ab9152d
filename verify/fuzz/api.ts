// `make fuzz-api SECONDS=120 SEED=1`: runs Schemathesis against the HTTP API of an embedded
// cluster.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCluster } from "#infra/embedded/cluster.ts";
import { devToken } from "../wire-client/dev-token.ts";
import { ensureSchemathesis, fuzzApi } from "./schemathesis.ts";

const seconds = Number(process.env["SECONDS"] ?? 120);
const seed = Number(process.env["SEED"] ?? Math.trunc(Math.random() * 1e9));
const program = await ensureSchemathesis();
const dataDir = mkdtempSync(join(tmpdir(), "parley-fuzz-"));
const say = (): void => undefined;
const fixed = { port: 0, partitions: 4, limits: "off", webhooks: 1 } as const;
const cluster = await startCluster({ ...fixed, dataDir, say });
try {
  const token = await devToken(cluster.url, "fuzzer", { svc: true });
  const result = await fuzzApi(program, { url: cluster.url, token, seconds, seed });
  console.log(result.report);
  console.log(`SEED=${seed}: ${result.cases} requests, code ${result.code}`);
  process.exitCode = result.code;
} finally {
  await cluster.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
