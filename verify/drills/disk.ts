// `make drill-disk`: row F10 of the fault table, with a real disk that is full and one whose fsync
// fails.
//
//   node verify/drills/disk.ts [full|fsync]
//
// One NATS server keeps its data on a tmpfs of DISK_MIB. `full`: a file takes all that is left of
// it; `fsync`: strace has every fsync of the server fail with EIO. Writers go on through HOLD_MS of
// it. Measured: from the fault to the first typed refusal, the longest wait for any answer, from
// the heal to the first acknowledgement of every room. Judged: what writers recorded against log,
// archive and pages, after the server was killed with -9 and started again.

import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync } from "node:fs";
import { mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RoomId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import type { ClientRecord } from "../checker/record.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { WriterLoad } from "./writer-load.ts";

const DISK_MIB = 96;
const PARTITIONS = 2;
const ROOMS = Array.from({ length: 6 }, (_, i) => `drill-${i}` as RoomId);
const HOLD_MS = 20_000;
const BETWEEN = 200;
const AGAIN_WITHIN_MS = 60_000;
/**
 * From the fault to the first typed refusal. NATS does not answer an append that it cannot store,
 * so its outcome is unknown, and the lane answers after ten seconds (L2). F10 asks for five.
 */
const REFUSED_MS = 12_000;
/** From the heal. */
const BACK_MS = 10_000;
/**
 * A stream whose write failed refuses all others until its server starts again; the runbook says
 * so.
 */
const RESTART_AFTER_MS = 12_000;

interface Fault {
  readonly name: string;
  readonly what: string;
  readonly needs: string;
  /** Returns what undoes it. */
  strike(cluster: Cluster, disk: string): Promise<() => Promise<void>>;
}

const FAULTS: readonly Fault[] = [
  {
    name: "full",
    what: "the disk of NATS is full",
    needs: "mount",
    async strike(_, disk) {
      const balloon = join(disk, "balloon");
      const { bavail, bsize } = await statfs(disk);
      // What is left may be less by the time that it is taken; the rest of the write then fails.
      await writeFile(balloon, Buffer.alloc(bavail * bsize)).catch(() => undefined);
      return () => rm(balloon);
    },
  },
  {
    name: "fsync",
    what: "every fsync of NATS fails",
    needs: "strace",
    async strike(cluster) {
      const pid = String(cluster.pid("nats-1"));
      const calls = "fsync,fdatasync";
      const words = ["-f", "-qq", "-p", pid, "-e", `trace=${calls}`, "-o", "/dev/null"];
      const strace = spawn("strace", [...words, "-e", `inject=${calls}:error=EIO`], {
        stdio: "ignore",
      });
      await sleep(500); // It attaches to every thread; nothing tells when it has.
      return () => ended(strace);
    },
  },
];

const only = process.argv[2];
let isPassed = true;
for (const fault of FAULTS) {
  if (only !== undefined && only !== fault.name) continue;
  const reason = whatIsMissing(fault.needs);
  if (reason === undefined) isPassed = (await play(fault)) && isPassed;
  else console.log(`F10 ${fault.what}: left out (${reason})`);
}
process.exitCode = isPassed ? 0 : 1;

async function play(fault: Fault): Promise<boolean> {
  const dataDir = await mkdtemp(join(tmpdir(), "parley-disk-"));
  const disk = join(dataDir, "nats");
  mkdirSync(disk);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MIB}m`, "parley-disk", disk]);
  const unmount = (): void => void execFileSync("umount", ["-l", disk]);
  process.once("exit", unmount);
  try {
    return await playOn(fault, dataDir, disk);
  } finally {
    process.off("exit", unmount);
    unmount();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function playOn(fault: Fault, dataDir: string, disk: string): Promise<boolean> {
  const cluster = await startCluster({
    dataDir,
    port: 0,
    partitions: PARTITIONS,
    limits: "off",
    env: { LOG_KEEP_ENTRIES: "1000000" }, // The whole log stays, so that all of it can be compared.
    say: (line) => console.error(`  ${line}`),
  });
  try {
    const options = { cluster, partitions: PARTITIONS, rooms: ROOMS };
    const waits = newWaits();
    using load = await WriterLoad.open({ ...options, pendingMax: 2, onRecord: waits.take });
    await load.ackedMore(BETWEEN);
    const began = performance.now();
    load.acks.begin(began);
    const undo = await fault.strike(cluster, disk);
    await sleep(HOLD_MS);
    await undo();
    const healed = performance.now();
    load.acks.begin(healed);
    const isBack = (): boolean => load.acks.back.size > 0;
    await Promise.race([
      until(isBack, { withinMs: AGAIN_WITHIN_MS, what: "an acknowledgement" }).catch(() => {}),
      sleep(RESTART_AFTER_MS),
    ]);
    const isRestarted = !isBack();
    if (isRestarted) await cluster.terminate("nats-1");
    const back = Math.max(...(await load.back())) - (isRestarted ? RESTART_AFTER_MS : 0);
    const { refusals } = waits;
    const refused = refusals.find(({ at }) => at >= began);
    const names = [...new Set(refusals.map(({ err }) => err))].join(", ");
    const firstMs = refused && refused.at - began;
    console.log(
      `F10 ${fault.what}: first refusal after ${round(firstMs)} ms (${names}); longest wait for an ` +
        `answer ${round(waits.longestMs())} ms; back ${round(back)} ms after the heal` +
        (isRestarted ? " and a restart of the server" : ""),
    );
    await load.drain();
    await cluster.kill("nats-1");
    const isUp = (): boolean => cluster.pid("nats-1") !== undefined;
    await until(isUp, { withinMs: AGAIN_WITHIN_MS, what: "the server to run again" });
    const { counts, violations } = await load.judge();
    console.log(`F10 ${JSON.stringify(counts)}; ${violations.length} violations`);
    for (const violation of violations.slice(0, 10)) console.log(JSON.stringify(violation));
    const isTyped = firstMs === undefined || firstMs <= REFUSED_MS;
    if (!isTyped) console.log(`F10 the first refusal came later than ${REFUSED_MS} ms`);
    return violations.length === 0 && isTyped && back <= BACK_MS;
  } finally {
    await cluster.stop();
  }
}

interface Waits {
  readonly refusals: readonly { readonly at: number; readonly err: string }[];
  take(this: void, record: ClientRecord): void;
  longestMs(): number;
}

/** How long each send waited for an answer of any kind, and which were refused when. */
function newWaits(): Waits {
  const asked: Map<string, number> = new Map();
  const refusals: { at: number; err: string }[] = [];
  let longest = 0;
  return {
    refusals,
    longestMs: () => longest,
    take(record) {
      if (record.op !== "send") return;
      if (record.phase === "invoke") {
        asked.set(record.id, record.t);
        return;
      }
      longest = Math.max(longest, record.t - (asked.get(record.id) ?? record.t));
      asked.delete(record.id);
      if (record.phase !== "ok") refusals.push({ at: record.t, err: record.err });
    },
  };
}

function whatIsMissing(program: string): string | undefined {
  if (process.getuid?.() !== 0) return "it needs root";
  try {
    execFileSync("which", [program], { stdio: "ignore" });
    return undefined;
  } catch {
    return `there is no ${program}`;
  }
}

/** SIGTERM lets the traced process go. */
async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  await gone;
}

function round(ms: number | undefined): string {
  return ms === undefined ? "–" : String(Math.round(ms));
}
