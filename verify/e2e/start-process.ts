// `make start` as a child of a test: what a person at a terminal has, to be killed like there.

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
/** The deadlines of three services and two servers, one after the other, are less. */
const ENDS_WITHIN_MS = 150_000;

export class StartProcess {
  readonly said: string[] = [];
  readonly #child: ChildProcess;
  readonly #dataDir: string;

  constructor(dataDir: string, env: NodeJS.ProcessEnv) {
    this.#dataDir = dataDir;
    this.#child = spawn(process.execPath, [join(REPOSITORY, "infra/embedded/start.ts")], {
      env: { ...process.env, ...env, DATA: dataDir },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // A group of its own, as under a shell: signals to the group hit no test.
    });
    process.once("exit", () => void this.#child.kill("SIGTERM"));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) createInterface(stream).on("line", (line) => this.said.push(line));
    }
  }

  /** Resolves with the URL of the line `ready http://…`. */
  async ready(): Promise<string> {
    const readyLine = (): string | undefined => this.said.find((line) => line.startsWith("ready "));
    await until(() => readyLine() !== undefined || this.#child.exitCode !== null, {
      withinMs: READY_WITHIN_MS,
      what: "make start to be ready",
    });
    const line = readyLine();
    if (line === undefined) throw new Error(`make start ended:\n${this.said.join("\n")}`);
    return line.replace("ready ", "");
  }

  info(): ClusterInfo {
    return JSON.parse(readFileSync(join(this.#dataDir, "cluster.json"), "utf8")) as ClusterInfo;
  }

  /** Everything that runs, the supervisor included, as the kernel knows it. */
  processes(): Identity[] {
    const { supervisor, processes } = this.#record();
    return [supervisor, ...processes].filter(isSame);
  }

  /** Gateways, room nodes, persistence. */
  services(): Identity[] {
    const { processes } = this.#record();
    return processes.filter((one) => !/^(nats-\d|postgres)$/.test(one.name) && isSame(one));
  }

  #record(): RunRecord {
    return JSON.parse(readFileSync(join(this.#dataDir, "processes.json"), "utf8")) as RunRecord;
  }

  /** SIGKILL to every process, in one breath; resolves when all are gone. */
  async killEverything(): Promise<Identity[]> {
    const all = this.processes();
    for (const { pid } of all) process.kill(pid, "SIGKILL");
    await until(() => !all.some(isSame), { withinMs: 10_000, what: "all processes to be gone" });
    return all;
  }

  /** To its whole process group; nothing once it has ended. */
  signalGroup(signal: NodeJS.Signals): void {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    process.kill(-(this.#child.pid ?? 0), signal);
  }

  /** Resolves with its exit code, null after a signal. */
  async exited(): Promise<number | null> {
    const isOver = (): boolean => this.#child.exitCode !== null || this.#child.signalCode !== null;
    await until(isOver, { withinMs: ENDS_WITHIN_MS, what: "make start to end" });
    return this.#child.exitCode;
  }

  /**
   * `kill -9` of the supervisor alone: its services lose it and the reader of their logs at once.
   */
  killSupervisor(): void {
    this.#child.kill("SIGKILL");
  }

  /** Ctrl-C; resolves with the exit code. */
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

/** The first of two neighbouring free ports. */
export async function twoFreePorts(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (await isFree(port + 1)) return port;
  }
}
