// GatewayProcess: main.ts in its own process beside a real nats-server, with everything that it
// logs. There is no room node, so tests do not send commands.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChild } from "#shared/testing/child.ts";
import { launchNats } from "#shared/testing/launch-nats.ts";
import { until, within } from "#shared/testing/wait.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const START_WITHIN_MS = 20_000;

export interface GatewayProcess extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Standard output and standard error so far. */
  logged(): Promise<string>;
  /** The dev secret in its file. */
  secret(): Promise<string>;
  token(user: string): Promise<string>;
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
}

export async function openGatewayProcess(env: NodeJS.ProcessEnv = {}): Promise<GatewayProcess> {
  const dir = await mkdtemp(join(tmpdir(), "parley-gateway-"));
  const nats = await launchNats({ dir: join(dir, "nats") });
  const gateway = await start(dir, { NATS_URL: nats.url, ...env });
  let url: string | undefined;
  await until(
    async () => {
      if (gateway.child.exit !== undefined) throw new Error(gateway.child.tail());
      url = /"url":"(http:[^"]+)"/.exec(await gateway.logged())?.[1];
      return url !== undefined;
    },
    { withinMs: START_WITHIN_MS, what: "the gateway to be ready" },
  );
  const at = new URL(url ?? "").origin;
  return {
    url: at,
    port: Number(new URL(at).port),
    logged: gateway.logged,
    secret: async () => (await readFile(join(dir, "dev-secret"), "utf8")).trim(),
    async token(user) {
      const response = await fetch(`${at}/v1/dev/token`, {
        method: "POST",
        headers: { "content-type": "application/json", connection: "close" },
        body: JSON.stringify({ user }),
      });
      return ((await response.json()) as { token: string }).token;
    },
    signal: (signal) => gateway.child.signal(signal),
    async [Symbol.asyncDispose]() {
      gateway.child.signal("SIGTERM");
      await gateway.child.exited();
      await nats.stop();
      await rm(dir, { recursive: true });
    },
  };
}

/** A gateway that must refuse to start: its exit and its log. */
export async function runToItsEnd(
  env: NodeJS.ProcessEnv,
): Promise<{ readonly ended: string; readonly logged: string }> {
  const dir = await mkdtemp(join(tmpdir(), "parley-gateway-"));
  try {
    const { child, logged } = await start(dir, env);
    const ended = await within(child.exited(), {
      withinMs: START_WITHIN_MS,
      what: "the gateway to exit",
    });
    return { ended, logged: await logged() };
  } finally {
    await rm(dir, { recursive: true });
  }
}

async function start(dir: string, env: NodeJS.ProcessEnv) {
  const logFile = join(dir, "gateway.log");
  const child = await startChild(process.execPath, [MAIN], {
    logFile,
    env: {
      PATH: process.env["PATH"],
      PORT: "0",
      AUTH: "dev",
      LOG_LEVEL: "trace",
      REVOCATIONS_WAIT_S: "0", // No persistence process runs.
      DEV_SECRET_FILE: join(dir, "dev-secret"),
      ...env,
    },
  });
  return { child, logged: () => readFile(logFile, "utf8") };
}
