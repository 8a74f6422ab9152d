// Measure: scrolls through a room of 100,000 messages in headless Chromium and prints what the main
// thread, the frames and the memory did:
//
//   make bench-scroll [SECONDS=20] [COUNT=100000] [THROTTLE=4: a phone's processor]
//
// The page is built as in production. Its messages are made on demand, and each page of history
// takes 25 ms. One phase scrolls up at the speed of a thrown wheel, one receives ten messages a
// second at the end, one jumps to the end. It judges nothing: times depend on the machine. The
// processor time of a task is also true on a busy machine; its duration is not.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { build, preview } from "vite";
import type { Browser, CDPSession, Page } from "playwright-core";
import { ensureChromium } from "#tools/programs/chromium.ts";
import { openBrowser } from "../browser-user.ts";

const WEB = join(import.meta.dirname, "../..");
/** A turn of the wheel in each frame: 40 to 80 messages a second. */
const STEP_PX = 60;

const option = (name: string, value: number): number =>
  Number(process.argv.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? value);

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

type Phase = "up" | "live" | "none";

interface Frames {
  readonly frames: readonly number[];
  readonly longTasks: readonly number[];
  readonly first: number;
}

/** Runs in the page: `step` in each frame for some seconds. */
function record(page: Page, seconds: number, phase: Phase): Promise<Frames> {
  return page.evaluate(
    ({ seconds, phase, step }) => {
      const scroller = document.querySelector(".list-scroller") as HTMLElement;
      const room = (window as unknown as { longRoom: { append(): void } }).longRoom;
      const longTasks: number[] = [];
      const observer = new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longTasks.push(duration);
      });
      observer.observe({ type: "longtask" });
      const frames: number[] = [];
      const begin = performance.now();
      let last = begin;
      let live = begin;
      return new Promise<Frames>((resolve) => {
        const frame = (): void => {
          const now = performance.now();
          frames.push(now - last);
          last = now;
          if (phase === "up") scroller.scrollTop -= step;
          if (phase === "live" && now - live > 100) {
            live = now;
            room.append();
          }
          if (now - begin < seconds * 1_000) requestAnimationFrame(frame);
          else {
            setTimeout(() => {
              observer.disconnect();
              const shown = document.querySelector<HTMLElement>(".message");
              resolve({ frames, longTasks, first: Number(shown?.dataset["seq"] ?? 0) });
            }, 100);
          }
        };
        requestAnimationFrame(frame);
      });
    },
    { seconds, phase, step: STEP_PX },
  );
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ph: string;
  /** In microseconds of processor time. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/**
 * The processor time of each task of the page's main thread while `work` runs, in ms, the longest
 * first.
 */
async function tasksOf<T>(
  browser: Browser,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly tasks: readonly number[] }> {
  const session = await browser.newBrowserCDPSession();
  const events: TraceEvent[] = [];
  session.on("Tracing.dataCollected", ({ value }) => {
    events.push(...(value as unknown as readonly TraceEvent[]));
  });
  const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  const traceConfig = { includedCategories: ["disabled-by-default-devtools.timeline"] };
  await session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig });
  const result = await work();
  await session.send("Tracing.end");
  await complete;
  await session.detach();
  const renderers = events.filter(
    ({ name, args }) => name === "thread_name" && args.name === "CrRendererMain",
  );
  const tasks = events.filter(
    ({ name, ph, pid, tid }) =>
      name === "RunTask" &&
      ph === "X" &&
      renderers.some((thread) => thread.pid === pid && thread.tid === tid),
  );
  return { result, tasks: tasks.map(({ tdur = 0 }) => tdur / 1_000).sort((a, b) => b - a) };
}

async function memory(session: CDPSession): Promise<{ heap: number; nodes: number }> {
  await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const of = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? 0;
  return { heap: of("JSHeapUsedSize") / 1_048_576, nodes: of("Nodes") };
}

function line(name: string, { frames, longTasks }: Frames, tasks: readonly number[]): string {
  const sorted = frames.slice(1).toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
  const long = longTasks.toSorted((a, b) => b - a);
  const rate = (1_000 * sorted.length) / sorted.reduce((sum, value) => sum + value, 0);
  return [
    name.padEnd(24),
    `${rate.toFixed(0)} frames/s`,
    `frame p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)} ms`,
    `long tasks ${long.length}, longest ${(long[0] ?? 0).toFixed(0)} ms`,
    `of the processor ${(tasks[0] ?? 0).toFixed(0)} ms`,
  ].join("  ");
}

async function main(): Promise<void> {
  const [seconds, count, throttle] = [
    option("SECONDS", 20),
    option("COUNT", 100_000),
    option("THROTTLE", 1),
  ];
  const outDir = mkdtempSync(join(tmpdir(), "parley-scroll-"));
  const configFile = join(WEB, "vite.config.ts");
  const input = join(WEB, "test/scroll/index.html");
  await build({ configFile, logLevel: "error", build: { outDir, rolldownOptions: { input } } });
  const server = await preview({
    configFile,
    build: { outDir },
    preview: { port: 0, host: "127.0.0.1" },
  });
  const browser = await openBrowser((await ensureChromium()) ?? "");
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: "en-GB" });
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable");
    if (throttle > 1) await session.send("Emulation.setCPUThrottlingRate", { rate: throttle });
    await page.goto(`${server.resolvedUrls?.local[0]}test/scroll/index.html?count=${count}`);
    await page.locator(`[data-seq="${count}"]`).waitFor();
    const before = await memory(session);
    const recorded = (time: number, phase: Phase): ReturnType<typeof tasksOf<Frames>> =>
      tasksOf(browser, () => record(page, time, phase));
    const idle = await recorded(2, "none");
    print(line("idle", idle.result, idle.tasks));
    const up = await recorded(seconds, "up");
    print(line(`up, ${count - up.result.first} messages`, up.result, up.tasks));
    const jumped = await page.evaluate(async (last) => {
      const begin = performance.now();
      document.querySelector<HTMLElement>(".jump")?.click();
      while (document.querySelector(`[data-seq="${last}"]`) === null) {
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
      return performance.now() - begin;
    }, count);
    print(`jump to the end           ${jumped.toFixed(0)} ms, of it 25 ms for the page`);
    const live = await recorded(5, "live");
    print(line("ten messages a second", live.result, live.tasks));
    const after = await memory(session);
    const sizes = [before, after].map(
      ({ heap, nodes }) => `${heap.toFixed(1)} MiB, ${nodes} nodes`,
    );
    print(`heap and DOM              ${sizes.join(" before; ")} after`);
  } finally {
    await browser.close();
    await server.close();
    rmSync(outDir, { recursive: true, force: true });
  }
}

await main();
