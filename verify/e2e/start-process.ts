// StartProcess: `make start` as a child process of a test, with a process group of its own.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { isSame } from "#shared/process/identity.ts";
import type { Identity } from "#shared/process/identity.ts";
import { freePort } from "#shared/testing/ports.ts";
import { until, within } from "#shared/testing/wait.ts";
import type { ClusterInfo } from "#infra/embedded/cluster.ts";
import type { RunRecord } from "#infra/embedded/leftovers.ts";
import { isFree } from "#infra/embedded/ports.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";

const READY_WITHIN_MS = 90_000;
/** More than the deadlines of three services and two servers, one after the other. */
const EXITS_WITHIN_MS = 150_000;

/** One listener for all: each test starts several, and Node warns above ten listeners. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGTERM");
});

export class StartProcess {
  readonly output: string[] = [];
  readonly #child: ChildProcess;
  readonly #dataDir: string;

  constructor(dataDir: string, env: NodeJS.ProcessEnv) {
    this.#dataDir = dataDir;
    this.#child = spawn(process.execPath, [join(REPOSITORY, "infra/embedded/start.ts")], {
      env: { ...process.env, ...env, DATA: dataDir },
      stdio: ["ignore", "pipe", "pipe"],
      // A process group of its own, as under a shell: signals to it do not hit the test.
      detached: true,
    });
    const child = this.#child;
    running.add(child);
    child.once("exit", () => running.delete(child));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) createInterface(stream).on("line", (line) => this.output.push(line));
    }
  }

  /** Resolves with the URL of the line `ready http://…`. */
  async ready(): Promise<string> {
    const readyLine = (): string | undefined =>
      this.output.find((line) => line.startsWith("ready "));
    await until(() => readyLine() !== undefined || this.#child.exitCode !== null, {
      withinMs: READY_WITHIN_MS,
      what: "make start to be ready",
    });
    const line = readyLine();
    if (line === undefined) throw new Error(`make start exited:\n${this.output.join("\n")}`);
    return line.replace("ready ", "");
  }

  info(): ClusterInfo {
    return JSON.parse(readFileSync(join(this.#dataDir, "cluster.json"), "utf8")) as ClusterInfo;
  }

  /** Every running process, the supervisor included. */
  processes(): Identity[] {
    const { supervisor, processes } = this.#record();
    return [supervisor, ...processes].filter(isSame);
  }

  /** The running gateways, room nodes and persistence processes. */
  services(): Identity[] {
    const { processes } = this.#record();
    return processes.filter((one) => !/^(nats-\d|postgres)$/.test(one.name) && isSame(one));
  }

  #record(): RunRecord {
    return JSON.parse(readFileSync(join(this.#dataDir, "processes.json"), "utf8")) as RunRecord;
  }

  /** Sends SIGKILL to every process. Resolves when all have exited. */
  async killEverything(): Promise<Identity[]> {
    const all = this.processes();
    for (const { pid } of all) process.kill(pid, "SIGKILL");
    await until(() => !all.some(isSame), { withinMs: 10_000, what: "all processes to exit" });
    return all;
  }

  /** Signals the whole process group. Does nothing after the exit. */
  signalGroup(signal: NodeJS.Signals): void {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    process.kill(-(this.#child.pid ?? 0), signal);
  }

  /** Resolves with the exit code; null after a signal. */
  async exited(): Promise<number | null> {
    const hasExited = (): boolean =>
      this.#child.exitCode !== null || this.#child.signalCode !== null;
    await until(hasExited, { withinMs: EXITS_WITHIN_MS, what: "make start to exit" });
    return this.#child.exitCode;
  }

  /**
   * `kill -9` of the supervisor alone: the services lose it and the reader of their logs at once.
   */
  killSupervisor(): void {
    this.#child.kill("SIGKILL");
  }

  /** Sends SIGINT, like Ctrl-C. Resolves with the exit code. */
  async interrupt(): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      return this.#child.exitCode;
    }
    const exit = once(this.#child, "exit") as Promise<[number | null]>;
    this.#child.kill("SIGINT");
    const [code] = await within(exit, { withinMs: 60_000, what: "make start to stop" });
    return code;
  }
}

/** The first of two consecutive free ports. */
export async function twoFreePorts(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (await isFree(port + 1)) return port;
  }
}
