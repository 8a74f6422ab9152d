// `make drill-disk`: row F10 of the fault table, with a full disk and with a disk whose fsync
// fails.
//
//   node verify/drills/disk.ts [full|fsync]
//
// One NATS server keeps its data on a tmpfs of DISK_MIB. `full`: a file fills the disk. `fsync`:
// strace makes every fsync of the server fail with EIO. The writers send during the fault, for
// HOLD_MS. Measured: from the fault to the first typed refusal, the longest wait for any answer,
// from the heal to the first acknowledgement of every room. Judged: the records of the writers
// against log, archive and pages, after a kill -9 and a restart of the server.

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
const RECOVERED_WITHIN_MS = 60_000;
/**
 * From the fault to the first typed refusal. NATS does not answer an append that it cannot store,
 * so its outcome is uncertain, and the lane answers after ten seconds (L2). F10 asks for five.
 */
const REFUSED_MS = 12_000;
/** From the heal. */
const BACK_MS = 10_000;
/** After a failed write a stream refuses all others until its server restarts (see the runbook). */
const RESTART_AFTER_MS = 12_000;

interface Fault {
  readonly name: string;
  readonly what: string;
  readonly needs: string;
  /** Injects the fault. Returns the function that heals it. */
  strike(cluster: Cluster, disk: string): Promise<() => Promise<void>>;
}

const FAULTS: readonly Fault[] = [
  {
    name: "full",
    what: "the disk of NATS is full",
    needs: "mount",
    async strike(_, disk) {
      const filler = join(disk, "filler");
      const { bavail, bsize } = await statfs(disk);
      // The free space may have shrunk meanwhile. Then the rest of the write fails.
      await writeFile(filler, Buffer.alloc(bavail * bsize)).catch(() => undefined);
      return () => rm(filler);
    },
  },
  {
    name: "fsync",
    what: "every fsync of NATS fails",
    needs: "strace",
    async strike(cluster) {
      const pid = String(cluster.pid("nats-1"));
      const calls = "fsync,fdatasync";
      const options = ["-f", "-qq", "-p", pid, "-e", `trace=${calls}`, "-o", "/dev/null"];
      const strace = spawn("strace", [...options, "-e", `inject=${calls}:error=EIO`], {
        stdio: "ignore",
      });
      await sleep(500); // strace attaches to every thread and does not report when it has.
      return () => terminate(strace);
    },
  },
];

const only = process.argv[2];
let isPassed = true;
for (const fault of FAULTS) {
  if (only !== undefined && only !== fault.name) continue;
  const reason = missing(fault.needs);
  if (reason === undefined) isPassed = (await onSmallDisk(fault)) && isPassed;
  else console.log(`F10 ${fault.what}: left out (${reason})`);
}
process.exitCode = isPassed ? 0 : 1;

async function onSmallDisk(fault: Fault): Promise<boolean> {
  const dataDir = await mkdtemp(join(tmpdir(), "parley-disk-"));
  const disk = join(dataDir, "nats");
  mkdirSync(disk);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MIB}m`, "parley-disk", disk]);
  const unmount = (): void => void execFileSync("umount", ["-l", disk]);
  process.once("exit", unmount);
  try {
    return await strikeAndJudge(fault, dataDir, disk);
  } finally {
    process.off("exit", unmount);
    unmount();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function strikeAndJudge(fault: Fault, dataDir: string, disk: string): Promise<boolean> {
  const cluster = await startCluster({
    dataDir,
    port: 0,
    partitions: PARTITIONS,
    limits: "off",
    env: { LOG_KEEP_ENTRIES: "1000000" }, // Keeps the whole log for the comparison.
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
      until(isBack, { withinMs: RECOVERED_WITHIN_MS, what: "an acknowledgement" }).catch(() => {}),
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
    await until(isUp, { withinMs: RECOVERED_WITHIN_MS, what: "the server to run again" });
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

/** Measures how long each send waits for any answer, and keeps the refusals with their times. */
function newWaits(): Waits {
  const sentAt: Map<string, number> = new Map();
  const refusals: { at: number; err: string }[] = [];
  let longest = 0;
  return {
    refusals,
    longestMs: () => longest,
    take(record) {
      if (record.op !== "send") return;
      if (record.phase === "invoke") {
        sentAt.set(record.id, record.t);
        return;
      }
      longest = Math.max(longest, record.t - (sentAt.get(record.id) ?? record.t));
      sentAt.delete(record.id);
      if (record.phase !== "ok") refusals.push({ at: record.t, err: record.err });
    },
  };
}

function missing(program: string): string | undefined {
  if (process.getuid?.() !== 0) return "it needs root";
  try {
    execFileSync("which", [program], { stdio: "ignore" });
    return undefined;
  } catch {
    return `${program} is not installed`;
  }
}

/** After SIGTERM strace detaches from its process. */
async function terminate(child: ChildProcess): Promise<void> {
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  await exited;
}

function round(ms: number | undefined): string {
  return ms === undefined ? "–" : String(Math.round(ms));
}
