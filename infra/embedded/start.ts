// `make start`: runs the embedded cluster in the foreground, until Ctrl-C.

import { ConfigError } from "#shared/process/config.ts";
import { standardOutput } from "#shared/process/log-output.ts";
import type { Cluster } from "./cluster.ts";
import { ClusterError, startCluster } from "./cluster.ts";
import { optionsFromEnv } from "./cluster-options.ts";
import { buildOperatorPage, buildWebClient } from "./web-client.ts";

/** One Ctrl-C may arrive twice, from the terminal and from a parent. */
const SECOND_PRESS_MS = 500;
/** 128 + SIGINT. */
const EXIT_INTERRUPTED = 130;

/** A stalled terminal (Ctrl-S), or a closed one, must not stop the cluster. */
function say(line: string): void {
  standardOutput().write(`${line}\n`);
}

/**
 * The first signal stops the cluster in order. A second Ctrl-C exits at once and kills every child.
 * Other repeated signals are ignored: `make` forwards a SIGTERM to a child that already got it.
 */
function stopOnSignal(begun: Promise<Cluster | undefined>): void {
  let stoppingSince: number | undefined;
  const stop = async (signal: string): Promise<void> => {
    if (stoppingSince !== undefined) {
      const isMeant = signal === "SIGINT" && performance.now() - stoppingSince > SECOND_PRESS_MS;
      if (isMeant) process.exit(EXIT_INTERRUPTED); // The exit kills every child.
      return;
    }
    stoppingSince = performance.now();
    say(`${signal}: stopping; Ctrl-C again exits at once`);
    const cluster = await begun;
    await cluster?.stop();
    say("stopped");
    // A start that the signal interrupted may have left timers, which would keep it running.
    process.exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => void stop(signal));
  }
}

async function main(): Promise<void> {
  const began = performance.now();
  const options = { ...optionsFromEnv(), say };
  const web = await buildWebClient(say);
  if (web.kind === "absent" || web.kind === "failed") say(`no web client: ${web.reason}`);
  if (options.operator > 0) {
    const page = await buildOperatorPage(say);
    if (page.kind === "absent" || page.kind === "failed") say(`no admin page: ${page.reason}`);
  }
  const starting = startCluster(options);
  stopOnSignal(starting.catch(() => undefined));
  const cluster = await starting;
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  const { gateways, rooms, persistence, operator = [], nats, postgres } = cluster.info();
  say(`NATS ${nats.map(({ url }) => url).join(", ")}`);
  say(`PostgreSQL ${new URL(postgres.url).host}`);
  for (const { name, url } of gateways.slice(1)) say(`${name} ${url}`);
  for (const { url } of operator) say(`admin page ${publicUrl(url)}`);
  say(
    `${gateways.length} gateway, ${rooms.length} room, ${persistence.length} persistence ` +
      `in ${seconds} s; logs in ${options.dataDir}/logs; Ctrl-C stops`,
  );
  say(`ready ${publicUrl(cluster.url)}`);
}

/** The URL for a browser: gateways allow the origin `localhost`. */
function publicUrl(url: string): string {
  return url.replace("127.0.0.1", "localhost").replace(/\/$/, "");
}

try {
  await main();
} catch (error: unknown) {
  if (!(error instanceof ClusterError) && !(error instanceof ConfigError)) throw error;
  console.error(error.message);
  // The exit kills the children of a start that failed.
  process.exit(1);
}
