// Lighthouse: what Google's Lighthouse says of the built page, on a real gateway:
//
//   make lighthouse [RUNS=3] [ONLY=room: the pages or the devices with this word]
//
// Prints performance, accessibility and best practices for a desktop and a slow phone (4 times
// slower processor, slow 4G, both simulated), for the sign-in page and for a room. The performance
// is the median of the runs: a busy machine makes it worse, so it is printed and not judged. The
// command fails when accessibility or best practices are below LEAST on a page.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { startCluster } from "#infra/embedded/cluster.ts";
import { buildWebClient } from "#infra/embedded/web-client.ts";
import { freePort } from "#shared/testing/ports.ts";
import { ensureChromium } from "#tools/programs/chromium.ts";
import { ensureNpmProgram } from "#tools/programs/npm-program.ts";
import { FLAGS } from "./browser-user.ts";

const CATEGORIES = ["performance", "accessibility", "best-practices"] as const;
/** Of 100 points, for the categories that no machine changes. */
const LEAST = 95;
const JUDGED: readonly string[] = ["accessibility", "best-practices"];
const FORMS = ["desktop", "mobile"] as const;

interface Audit {
  readonly title: string;
  readonly score: number | null;
  readonly displayValue?: string;
}
interface Report {
  readonly categories: Readonly<
    Record<string, { score: number | null; auditRefs: readonly { id: string; weight: number }[] }>
  >;
  readonly audits: Readonly<Record<string, Audit>>;
}
type Run = (
  url: string,
  flags: object,
  config?: object,
) => Promise<{ readonly lhr: Report } | undefined>;
interface Lighthouse {
  readonly default: Run;
  readonly desktopConfig: object;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** The audits that cost points. */
function faults({ categories, audits }: Report): string[] {
  return CATEGORIES.flatMap((category) =>
    (categories[category]?.auditRefs ?? []).flatMap(({ id, weight }) => {
      const audit = audits[id];
      const isFault = weight > 0 && audit?.score !== null && (audit?.score ?? 1) < 0.95;
      return isFault ? [`${id} ${audit?.displayValue ?? audit?.score ?? ""}`] : [];
    }),
  );
}

async function reportsOf(
  run: () => Promise<{ readonly lhr: Report } | undefined>,
  count: number,
): Promise<readonly Report[]> {
  const reports: Report[] = [];
  while (reports.length < count) {
    const result = await run();
    if (result === undefined) throw new Error("Lighthouse has no report");
    reports.push(result.lhr);
  }
  return reports;
}

async function main(): Promise<void> {
  const option = (name: string): string =>
    process.argv.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
  const runs = Number(option("RUNS") || 3);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const modules = await ensureNpmProgram("lighthouse", "Lighthouse", say);
  const path = pathToFileURL(join(modules, "lighthouse/core/index.js")).href;
  const lighthouse = (await import(path)) as Lighthouse;
  await buildWebClient(say);
  const dataDir = mkdtempSync(join(tmpdir(), "parley-lighthouse-"));
  const cluster = await startCluster({ dataDir, port: 0, partitions: 4, say: () => undefined });
  const port = await freePort();
  const executablePath = (await ensureChromium()) ?? "";
  const args = [...FLAGS, `--remote-debugging-port=${port}`];
  const browser = await chromium.launch({ executablePath, args });
  try {
    for (const [name, query] of [
      ["sign-in", ""],
      ["a room", "?user=ada&room=general"],
    ] as const) {
      for (const form of FORMS) {
        if (!`${name}, ${form}`.includes(option("ONLY"))) continue;
        const config = form === "desktop" ? lighthouse.desktopConfig : undefined;
        const flags = { port, logLevel: "error", onlyCategories: [...CATEGORIES] };
        const url = `${cluster.url.replace(/\/$/u, "")}/${query}`;
        const reports = await reportsOf(() => lighthouse.default(url, flags, config), runs);
        const scores = CATEGORIES.map((category) => {
          const all = reports.map(({ categories }) => 100 * (categories[category]?.score ?? 0));
          if (JUDGED.includes(category) && median(all) < LEAST) process.exitCode = 1;
          return `${category} ${median(all).toFixed(0)}`;
        });
        say(`${name}, ${form}`.padEnd(20) + scores.join("  "));
        const found = new Set(reports.flatMap(faults));
        for (const fault of found) say(`    ${fault}`);
      }
    }
  } finally {
    await browser.close();
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

await main();
