// Lab: Debian hosts with their own systemd, in containers of systemd-nspawn, on one bridge.
//
// Owns: the network namespaces, the root folders, the containers. Does not own: what is installed
// on the hosts. The bridge is in a namespace of its own, and a program that talks to the hosts runs
// in it (`enterLab`).
//
//   lab.1. `close` removes containers, mounts, namespaces and cgroups. The next `open` removes what
//        a killed run left.
//   lab.2. The hosts share one folder, as they would share a network file system: it is mounted at
//        SHARED_FOLDER of each before its systemd starts.
//   lab.3. Each host has a cgroup of its own in every hierarchy; with cgroup v1 its systemd may
//        write to the hierarchies that limit memory and processes.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "#shared/testing/wait.ts";

const NAME = "parley-hosts";
const INSIDE = "PARLEY_HOSTS_NAMESPACE";
const CGROUPS = "/sys/fs/cgroup";
/** The hierarchies of cgroup v1 that a systemd needs for its limits. */
const WRITABLE = ["memory", "pids", "cpu", "cpuacct", "devices"];
export const GATEWAY_ADDRESS = "10.61.61.1";
/** lab.2. The default of parley_attachments_dir. */
const SHARED_FOLDER = "/var/lib/parley-attachments";
/** The number of the group that writes there. No program of a host has it. */
export const SHARED_GROUP = 600;
const BOOTED_WITHIN_MS = 180_000;
const STOPPED_WITHIN_MS = 120_000;
const TUNNELLED_WITHIN_MS = 60_000;
const TUNNEL_TIMEOUT_MS = 10_000;
const KILL_TRIES = 300;

export interface LabHost {
  readonly name: string;
  readonly address: string;
}

/**
 * Runs this program again in the lab's namespace. Returns true there, and false in the outer
 * process when the inner one has exited.
 */
export function enterLab(): boolean {
  if (process.env[INSIDE] !== undefined) return true;
  sweep();
  ip("netns", "add", NAME);
  try {
    const program = ["--", process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    const { status } = spawnSync("nsenter", [`--net=/run/netns/${NAME}`, ...program], {
      stdio: "inherit",
      env: { ...process.env, [INSIDE]: "1" },
    });
    process.exitCode = status ?? 1;
  } finally {
    sweep();
  }
  return false;
}

/** A port of a host's loopback, at a URL of this program. */
export interface Tunnel extends AsyncDisposable {
  readonly url: string;
}

export class Lab implements AsyncDisposable {
  readonly hosts: readonly LabHost[];
  readonly #dir: string;
  readonly #root: string;

  static open(dir: string, root: string, names: readonly string[]): Lab {
    for (const args of [
      ["link", "set", "lo", "up"],
      ["link", "add", "name", "br0", "type", "bridge"],
      ["addr", "add", `${GATEWAY_ADDRESS}/24`, "dev", "br0"],
      ["link", "set", "br0", "up"],
    ]) {
      ip(...args);
    }
    return new Lab(dir, root, names);
  }

  private constructor(dir: string, root: string, names: readonly string[]) {
    this.#dir = dir;
    this.#root = root;
    this.hosts = names.map((name, index) => ({ name, address: `10.61.61.${index + 11}` }));
    mkdirSync(dir, { recursive: true });
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", this.keyFile]);
    mkdirSync(this.#shared); // lab.2
    chownSync(this.#shared, 0, SHARED_GROUP);
    chmodSync(this.#shared, 0o2770);
    for (const [index, host] of this.hosts.entries()) this.#make(host, index);
  }

  get keyFile(): string {
    return join(this.#dir, "key");
  }

  /** The options with which ssh knows the hosts. */
  get sshOptions(): string[] {
    const known = join(this.#dir, "known_hosts");
    return ["-o", `UserKnownHostsFile=${known}`, "-o", "StrictHostKeyChecking=accept-new"];
  }

  async boot({ name, address }: LabHost): Promise<void> {
    const cgroups = cgroupsOf(name);
    for (const folder of cgroups) mkdirSync(folder, { recursive: true });
    const nspawn = [
      "systemd-nspawn",
      "--quiet",
      "--boot",
      `--directory=${this.#rootOf(name)}`,
      `--bind=${this.#shared}:${SHARED_FOLDER}`,
      `--network-namespace-path=/run/netns/${NAME}-${name}`,
      `--machine=${NAME}-${name}`,
      `--hostname=${name}`,
      "--register=no",
      "--keep-unit",
      "--resolv-conf=off",
      "--console=pipe",
    ];
    const join_ = `for group in "$@"; do echo $$ > "$group/cgroup.procs"; done; exec ${nspawn.join(" ")}`;
    const log = openSync(join(this.#dir, `${name}.log`), "a");
    const child = spawn("sh", ["-c", join_, "sh", ...cgroups], {
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: isUnified() ? "1" : "0" },
    });
    child.unref();
    writeFileSync(pidFile(name), String(child.pid));
    await until(() => this.run({ name, address }, "systemctl is-system-running --wait").ok, {
      withinMs: BOOTED_WITHIN_MS,
      what: `${name} to boot`,
    });
    this.#allowLimits({ name, address });
  }

  /** lab.3: with cgroup v1 nspawn mounts these hierarchies read-only. */
  #allowLimits(host: LabHost): void {
    if (isUnified()) return;
    const init = initOf(host.name);
    for (const hierarchy of WRITABLE) {
      const remount = ["mount", "-o", "remount,rw,bind", `${CGROUPS}/${hierarchy}`];
      spawnSync("nsenter", ["--target", String(init), "--mount", ...remount]);
    }
    this.run(host, "systemctl daemon-reexec");
  }

  /** Stops a host as its operator would. Its data stay. */
  async powerOff(host: LabHost): Promise<void> {
    const pid = pidOf(host.name);
    this.run(host, "systemctl poweroff");
    await until(() => !isAlive(pid), {
      withinMs: STOPPED_WITHIN_MS,
      what: `${host.name} to be off`,
    });
  }

  /** Runs a command on a host by SSH. */
  run(host: LabHost, command: string): { readonly ok: boolean; readonly output: string } {
    const { status, stdout, stderr } = spawnSync("ssh", [...this.#sshWords(host), command], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    return { ok: status === 0, output: `${stdout}${stderr}`.trim() };
  }

  /** `ssh -L`, as an operator reaches what listens on loopback only. Resolves when it answers. */
  async tunnel(host: LabHost, port: number): Promise<Tunnel> {
    const forward = [
      "-N",
      "-o",
      "ExitOnForwardFailure=yes",
      `-L127.0.0.1:${port}:127.0.0.1:${port}`,
    ];
    const child = spawn("ssh", [...forward, ...this.#sshWords(host)], { stdio: "ignore" });
    const ended = once(child, "close");
    const stop = async (): Promise<void> => {
      child.kill();
      await ended;
    };
    const url = `http://127.0.0.1:${port}`;
    const answers = (): Promise<boolean> =>
      fetch(url, { signal: AbortSignal.timeout(TUNNEL_TIMEOUT_MS) }).then(
        ({ ok }) => ok,
        () => false,
      );
    try {
      await until(answers, {
        withinMs: TUNNELLED_WITHIN_MS,
        everyMs: 500,
        what: `port ${port} of ${host.name} to answer through SSH`,
      });
    } catch (error: unknown) {
      await stop();
      throw error;
    }
    return { url, [Symbol.asyncDispose]: stop };
  }

  #sshWords(host: LabHost): string[] {
    const options = ["-q", "-i", this.keyFile, ...this.sshOptions, "-o", "ConnectTimeout=5"];
    return [...options, `root@${host.address}`];
  }

  /** Returns the output. Throws when the command fails. */
  ask(host: LabHost, command: string): string {
    const { ok, output } = this.run(host, command);
    if (!ok) throw new Error(`${host.name}: ${command}: ${output}`);
    return output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { name } of this.hosts) await end(pidOf(name));
  }

  get #shared(): string {
    return join(this.#dir, "shared");
  }

  #rootOf(name: string): string {
    return join(this.#dir, name, "root");
  }

  #make({ name, address }: LabHost, index: number): void {
    const folder = (part: string): string => join(this.#dir, name, part);
    for (const part of ["upper", "work", "root"]) mkdirSync(folder(part), { recursive: true });
    const layers = `lowerdir=${this.#root},upperdir=${folder("upper")},workdir=${folder("work")}`;
    execFileSync("mount", ["-t", "overlay", "overlay", "-o", layers, this.#rootOf(name)]);
    const space = `${NAME}-${name}`;
    ip("netns", "add", space);
    ip("link", "add", `host${index}`, "type", "veth", "peer", "name", "eth0", "netns", space);
    ip("link", "set", `host${index}`, "master", "br0", "up");
    for (const args of [
      ["link", "set", "lo", "up"],
      ["addr", "add", `${address}/24`, "dev", "eth0"],
      ["link", "set", "eth0", "up"],
    ]) {
      execFileSync("nsenter", [`--net=/run/netns/${space}`, "ip", ...args]);
    }
    const ssh = join(this.#rootOf(name), "root/.ssh");
    mkdirSync(ssh, { recursive: true, mode: 0o700 });
    copyFileSync(`${this.keyFile}.pub`, join(ssh, "authorized_keys"));
    chmodSync(ssh, 0o700);
    writeFileSync(join(this.#rootOf(name), "etc/hostname"), `${name}\n`);
    // A host whose file is empty makes an id of its own.
    writeFileSync(join(this.#rootOf(name), "etc/machine-id"), "");
  }
}

function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}

function isUnified(): boolean {
  return existsSync(join(CGROUPS, "cgroup.controllers"));
}

/** lab.3: the cgroup of a host in each hierarchy. */
function cgroupsOf(name: string): string[] {
  if (isUnified()) return [join(CGROUPS, NAME, name)];
  const hierarchies = readdirSync(CGROUPS).filter((hierarchy) =>
    existsSync(join(CGROUPS, hierarchy, "cgroup.procs")),
  );
  return hierarchies.map((hierarchy) => {
    if (hierarchy === "cpuset") copyCpus(join(CGROUPS, hierarchy), [NAME, name]);
    return join(CGROUPS, hierarchy, NAME, name);
  });
}

/** A cpuset takes no process before its processors are set. */
function copyCpus(folder: string, path: readonly string[]): void {
  const [next, ...rest] = path;
  if (next === undefined) return;
  const below = join(folder, next);
  mkdirSync(below, { recursive: true });
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    writeFileSync(join(below, file), readFileSync(join(folder, file)));
  }
  copyCpus(below, rest);
}

function pidFile(name: string): string {
  return `/run/${NAME}-${name}.pid`;
}

function pidOf(name: string): number {
  return existsSync(pidFile(name)) ? Number(readFileSync(pidFile(name), "utf8")) : 0;
}

/** The pid of the host's systemd, as this machine sees it. */
function initOf(name: string): number {
  const pid = pidOf(name);
  const threads = readdirSync(`/proc/${pid}/task`);
  const children = threads.map((id) => readFileSync(`/proc/${pid}/task/${id}/children`, "utf8"));
  return Number(children.join(" ").trim().split(" ")[0]);
}

function isAlive(pid: number): boolean {
  if (pid === 0 || !existsSync(`/proc/${pid}/stat`)) return false;
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(NAME);
}

async function end(pid: number): Promise<void> {
  if (!isAlive(pid)) return;
  process.kill(pid, "SIGTERM"); // systemd-nspawn then ends the container in order.
  for (let tries = 0; tries < 100 && isAlive(pid); tries++) await sleep(100);
  if (isAlive(pid)) process.kill(pid, "SIGKILL");
}

/** lab.1 */
function sweep(): void {
  killProcesses();
  const names = spawnSync("ip", ["netns", "list"], { encoding: "utf8" })
    .stdout.split("\n")
    .map((line) => line.split(" ")[0] ?? "")
    .filter((name) => name === NAME || name.startsWith(`${NAME}-`));
  for (const space of names.filter((name) => name !== NAME)) {
    rmSync(pidFile(space.slice(NAME.length + 1)), { force: true });
  }
  for (const line of readFileSync("/proc/mounts", "utf8").split("\n")) {
    const [, target = ""] = line.split(" ");
    if (target.includes("/.parley/hosts-lab/")) spawnSync("umount", ["--lazy", target]);
  }
  for (const name of names) spawnSync("ip", ["netns", "del", name]);
  for (const group of groupsOf()) removeCgroups(group);
}

/** The cgroup of all hosts in each hierarchy, where it exists. */
function groupsOf(): string[] {
  const hierarchies = [CGROUPS, ...readdirSync(CGROUPS).map((part) => join(CGROUPS, part))];
  return hierarchies.map((part) => join(part, NAME)).filter((group) => existsSync(group));
}

/**
 * The processes of a host survive a SIGKILL of its systemd-nspawn, so they are killed by their
 * cgroups. Without that, two servers would write to the same files.
 */
function killProcesses(): void {
  for (let tries = 0; tries < KILL_TRIES; tries++) {
    const pids = new Set(groupsOf().flatMap(processesBelow));
    if (pids.size === 0) return;
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has exited.
      }
    }
    spawnSync("sleep", ["0.1"]);
  }
  throw new Error("processes of an earlier lab do not end");
}

function processesBelow(folder: string): number[] {
  const own = readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean);
  const below = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => processesBelow(join(folder, entry.name)));
  return [...own.map(Number), ...below];
}

function removeCgroups(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroups(join(folder, entry.name));
  }
  try {
    rmdirSync(folder);
  } catch {
    // The kernel has not released it yet; the next run removes it.
  }
}
