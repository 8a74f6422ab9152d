// perf: records the CPU time of one process with Linux perf, and turns the samples into frames.
//
// The sampling clock of perf advances only while the process has a core, in user mode and in the
// kernel. V8's own profiler samples by the wall clock: a system call that wakes another process and
// then loses the core to it counts with its whole wait.
//
//   perf.1. A sample counts one period of CPU time, for its leaf and all callers of the leaf.
//   perf.2. What a system call does in the kernel is one frame, and so is a collection.
//   perf.3. V8 names its functions in perf-<pid>.map (--perf-basic-prof). It uses the address of a
//        discarded function again, and perf then takes the old name: the newest entry of an
//        address counts.
//
// Interpreted functions have own frames (--interpreted-frames-native-stack).

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { whichOn } from "#tools/programs/programs.ts";
import { shortUrl } from "./flame.ts";
import type { Frame } from "./flame.ts";

const HERTZ = 1_999;
const PERIOD_US = 1e6 / HERTZ;
/** The text of 10 s of samples has 50 MB. */
const TEXT_BYTES_MAX = 1024 ** 3;

/** One sample: the functions from the leaf to the root. */
export interface Sample {
  readonly thread: string;
  readonly stack: readonly Called[];
}

interface Called {
  readonly symbol: string;
  readonly object: string;
}

export interface Recording {
  /** The samples since the start. */
  stop(): Promise<readonly Sample[]>;
}

/** Whether perf is there and may record: it needs root, or a low perf_event_paranoid. */
export function hasPerf(): boolean {
  const perf = whichOn(process.env["PATH"] ?? "", "perf");
  if (perf === undefined) return false;
  const trial = ["record", "-e", "cpu-clock", "-o", "/dev/null", "--", "true"];
  return spawnSync(perf, trial, { stdio: "ignore" }).status === 0;
}

export function recordPerf(pid: number, file: string): Recording {
  const chosen = ["-e", "cpu-clock", "-F", String(HERTZ), "-g", "-p", String(pid), "-o", file];
  const perf = spawn("perf", ["record", ...chosen], { stdio: "ignore" });
  const ended = once(perf, "exit");
  return {
    async stop() {
      perf.kill("SIGINT");
      await ended;
      const fields = ["script", "-i", file, "-F", "comm,tid,ip,sym,dso"];
      const { stdout } = spawnSync("perf", fields, {
        encoding: "utf8",
        maxBuffer: TEXT_BYTES_MAX,
        stdio: ["ignore", "pipe", "ignore"],
      });
      const map = join(tmpdir(), `perf-${pid}.map`);
      const samples = readSamples(stdout, readMap(readFileSync(map, "utf8")));
      rmSync(map);
      return samples;
    },
  };
}

/** The name of the function at an address, if V8 made it. */
export type NameAt = (address: number) => string | undefined;

const PAGE = 4_096;

/** Reads lines of start and size in hexadecimal, and a name (perf.3). */
export function readMap(text: string): NameAt {
  const pages = new Map<number, { start: number; end: number; name: string }[]>();
  for (const line of text.split("\n")) {
    const [, from = "", size = "", name = ""] =
      /^(?:0x)?([\da-f]+) ([\da-f]+) (.*)$/.exec(line) ?? [];
    const start = Number.parseInt(from, 16);
    const end = start + Number.parseInt(size, 16);
    for (let page = Math.floor(start / PAGE); page * PAGE < end; page++) {
      const known = pages.get(page);
      if (known === undefined) pages.set(page, [{ start, end, name }]);
      else known.push({ start, end, name });
    }
  }
  return (address) =>
    pages
      .get(Math.floor(address / PAGE))
      ?.findLast(({ start, end }) => start <= address && address < end)?.name;
}

/** Reads what `perf script -F comm,tid,ip,sym,dso` prints: a block of lines for each sample. */
export function readSamples(text: string, nameAt: NameAt): Sample[] {
  const samples: Sample[] = [];
  for (const block of text.split(/\n\s*\n/)) {
    const [head = "", ...lines] = block.split("\n").filter((line) => line.trim() !== "");
    if (lines.length === 0) continue;
    const stack = lines.flatMap((line) => {
      const [, at = "", name = "", object = ""] = /^\s*([\da-f]+) (.*) \((.*)\)$/.exec(line) ?? [];
      if (at === "") return [];
      const symbol = nameAt(Number.parseInt(at, 16)) ?? name.replace(/\+0x[\da-f]+$/, "");
      return [{ symbol, object }];
    });
    samples.push({ thread: head.trim().replace(/ +\d+$/, ""), stack });
  }
  return samples;
}

/** The tree of frames: threads, and above them the functions. */
export function framesOf(samples: readonly Sample[]): Frame {
  const root: Frame = { name: "(process)", place: "", selfUs: 0, totalUs: 0, children: [] };
  for (const { thread, stack } of samples) {
    root.totalUs += PERIOD_US;
    let at = childOf(root, `(${thread})`, "");
    at.totalUs += PERIOD_US;
    for (const { name, place } of namesOf(stack)) {
      at = childOf(at, name, place);
      at.totalUs += PERIOD_US;
    }
    at.selfUs += PERIOD_US;
  }
  return root;
}

/** The share of the CPU time in the kernel, in collections, in JavaScript, and in other code. */
export function sharesOf(samples: readonly Sample[]): Readonly<Record<string, number>> {
  const shares = { kernel: 0, collection: 0, JavaScript: 0, native: 0 };
  for (const { stack } of samples) {
    const [leaf] = stack;
    if (leaf === undefined) shares.native++;
    else if (isKernel(leaf)) shares.kernel++;
    else if (stack.some(isCollection)) shares.collection++;
    else if (jsName(leaf.symbol) !== undefined) shares.JavaScript++;
    else shares.native++;
  }
  const all = Math.max(1, samples.length);
  return Object.fromEntries(Object.entries(shares).map(([name, n]) => [name, n / all]));
}

/**
 * The CPU time of the longest collection on the main thread in ms: its consecutive samples. Waits
 * for a core, which a wall clock would add, do not count.
 */
export function longestCollectionMs(samples: readonly Sample[]): number {
  let longest = 0;
  let run = 0;
  for (const { thread, stack } of samples) {
    if (thread !== MAIN) continue;
    run = stack.some(isCollection) ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return (longest * PERIOD_US) / 1_000;
}

/**
 * JavaScript functions by their CPU time with the native code and the kernel that they call, but
 * without other JavaScript functions.
 */
export function byFunction(
  samples: readonly Sample[],
): { readonly where: string; readonly share: number; readonly kernel: number }[] {
  const found = new Map<string, { count: number; inKernel: number }>();
  for (const { thread, stack } of samples) {
    let where = `(${thread}, no function)`;
    if (stack.some(isCollection)) where = COLLECTION;
    else {
      const script = stack.find(({ symbol }) => jsName(symbol) !== undefined);
      const named = script === undefined ? undefined : jsName(script.symbol);
      if (named !== undefined) where = `${named.name} ${named.place}`;
    }
    const counts = found.get(where) ?? { count: 0, inKernel: 0 };
    counts.count++;
    if (stack[0] !== undefined && isKernel(stack[0])) counts.inKernel++;
    found.set(where, counts);
  }
  const all = Math.max(1, samples.length);
  return [...found]
    .map(([where, { count, inKernel }]) => ({
      where,
      share: count / all,
      kernel: inKernel / all,
    }))
    .sort((a, b) => b.share - a.share);
}

/** As Node names it. */
const MAIN = "MainThread";
const COLLECTION = "(garbage collector)";
const COLLECTS =
  /^v8::internal::(?:Heap::(?:CollectGarbage|PerformGarbageCollection|Scavenge|MarkCompact)|Scaveng|MarkCompact|MainMarkingVisitor|Concurrent(?:Marking|Sweep)|Sweeper|IncrementalMarking|ArrayBufferSweeper|.*::(?:Scavenge|Pointers?Updat|Evacuat))/;

/** The functions from the root to the leaf (perf.2). */
function namesOf(stack: readonly Called[]): { readonly name: string; readonly place: string }[] {
  const names: { readonly name: string; readonly place: string }[] = [];
  for (const called of stack.toReversed()) {
    if (isKernel(called)) {
      if (isEntry(called.symbol)) continue;
      names.push({ name: `(kernel) ${called.symbol}`, place: "" });
      break;
    }
    if (isCollection(called)) {
      names.push({ name: COLLECTION, place: "" });
      break;
    }
    names.push(jsName(called.symbol) ?? { name: called.symbol, place: "" });
  }
  return names;
}

function isKernel({ object }: Called): boolean {
  return object.startsWith("[kernel") || object === "[guest.kernel.kallsyms]";
}

/** What every system call and every interrupt passes through. */
function isEntry(symbol: string): boolean {
  return /^(?:entry_SYSCALL|do_syscall|x64_sys_call|asm_)/.test(symbol);
}

function isCollection({ symbol }: Called): boolean {
  return COLLECTS.test(symbol);
}

/** A function of the map of V8: "JS:*name file:///a/b.ts:12:7". The sign names the compiler. */
function jsName(symbol: string): { readonly name: string; readonly place: string } | undefined {
  const form =
    /^(?:JS|Function|LazyCompile|Script|Eval|RegExp):([*~^+'o-]*)(.*?) ?(\S*):(\d+):\d+$/;
  const [, , name = "", url = "", line = ""] = form.exec(symbol) ?? [];
  if (url === "") return undefined;
  return { name: name === "" ? "(anonymous)" : name, place: `${shortUrl(url)}:${line}` };
}

function childOf(parent: Frame, name: string, place: string): Frame {
  const found = parent.children.find((child) => child.name === name && child.place === place);
  if (found !== undefined) return found;
  const child: Frame = { name, place, selfUs: 0, totalUs: 0, children: [] };
  parent.children.push(child);
  return child;
}
