// Sandbox: network, mount and process namespaces of its own, in which a cluster and its tests run.
//
// Owns: the namespaces, the address of the node, the cgroup of the pods, the folder. Does not own:
// the programs in it (cluster.ts). The sandbox has no way to other networks, so several sandboxes
// use the same addresses at the same time.
//
//   sandbox.1. When the first process of the namespaces ends, the kernel ends all others and
//        removes their mounts and network devices. So `close` needs one pid.
//   sandbox.2. No setting of the machine changes. kubelet would set three sysctls of the machine;
//        here it finds its own values in files that are mounted over them.
//   sandbox.3. A sandbox that a killed run left is closed before a new one opens.

import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseObject } from "#shared/kit/json.ts";
import { until } from "#shared/testing/wait.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";

const run = promisify(execFile);

export const NODE_ADDRESS = "10.90.0.1";
/** The variable that holds the sandbox's folder for the programs in it. */
export const SANDBOX = "PARLEY_SANDBOX";

export const FOLDER = join(REPOSITORY, ".parley/kubernetes");
const STATE = "sandbox.json";
const OPEN_WITHIN_MS = 30_000;
const CLOSE_WITHIN_MS = 30_000;
const CGROUPS = "/sys/fs/cgroup";
/** As much as 16 processes. By default all pods together get as much time as one process. */
const CPU_SHARES = 16 * 1_024;
/** What kubelet would write into /proc/sys (sandbox.2). */
const SYSCTLS: Readonly<Record<string, number>> = {
  "vm/overcommit_memory": 1,
  "vm/panic_on_oom": 0,
  "kernel/panic": 10,
  "kernel/panic_on_oops": 1,
  "kernel/keys/root_maxkeys": 1_000_000,
  "kernel/keys/root_maxbytes": 25_000_000,
};
/** Folders outside the sandbox's own that containerd, CNI plug-ins and kubelet write to. */
const HIDDEN = ["/run/netns", "/run/containerd", "/var/lib/cni", "/var/log/containers"];

/** What a sandbox saves about itself, for a later run. */
interface Saved {
  /** The first process of the namespaces, as the machine numbers it. */
  readonly pid: number;
  /** Its start time in clock ticks, because a pid can be used again. */
  readonly startedAt: string;
}

export interface SandboxOptions {
  readonly keeps: boolean;
  readonly folder?: string;
}

export class SandboxError extends Error {
  override readonly name = "SandboxError";
}

export class Sandbox implements AsyncDisposable {
  readonly folder: string;
  readonly #saved: Saved;

  private constructor(folder: string, saved: Saved) {
    this.folder = folder;
    this.#saved = saved;
  }

  /**
   * `keeps`: uses the sandbox of an earlier run in the folder, if it was kept. Throws SandboxError.
   */
  static async open({ keeps, folder = FOLDER }: SandboxOptions): Promise<Sandbox> {
    if (process.getuid?.() !== 0) throw new SandboxError("a cluster needs root");
    if (!existsSync(join(CGROUPS, "cpuset"))) {
      throw new SandboxError("a cluster needs cgroup v1: it was not tried with cgroup v2");
    }
    const left = readSaved(folder);
    if (left !== undefined && keeps) return new Sandbox(folder, left);
    if (left !== undefined) await new Sandbox(folder, left)[Symbol.asyncDispose](); // sandbox.3
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const sandbox = new Sandbox(folder, await start(folder));
    writeFileSync(join(folder, STATE), JSON.stringify(sandbox.#saved));
    makeCgroup(folder);
    return sandbox;
  }

  /** The words that run a command in the sandbox, in this folder of the repository. */
  get words(): readonly string[] {
    const target = String(this.#saved.pid);
    return ["nsenter", "--target", target, "--net", "--mount", "--pid", `--wd=${REPOSITORY}`, "--"];
  }

  /** Runs a command on this terminal. Resolves with its exit code. */
  async run(command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
    const [program = "", ...words] = [...this.words, ...command];
    const child = spawn(program, words, {
      stdio: "inherit",
      env: { ...process.env, ...env, [SANDBOX]: this.folder },
    });
    const [code] = (await once(child, "exit")) as [number | null];
    return code ?? 1;
  }

  /** sandbox.1. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (isAlive(this.#saved)) process.kill(this.#saved.pid, "SIGKILL");
    await until(() => !isAlive(this.#saved) && isEmptyCgroup(this.folder), {
      withinMs: CLOSE_WITHIN_MS,
      what: "all processes of the sandbox to end",
    });
    removeCgroup(this.folder);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The folder of the sandbox that this process runs in. Throws SandboxError outside of one. */
export function sandboxFolder(): string {
  const folder = process.env[SANDBOX];
  if (folder === undefined) {
    throw new SandboxError("this runs in a sandbox only: use node verify/kubernetes/main.ts");
  }
  return folder;
}

async function start(folder: string): Promise<Saved> {
  const log = openSync(join(folder, "sandbox.log"), "w");
  writeFileSync(join(folder, "first-process.sh"), firstProcess(folder));
  const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const child = spawn(
    "unshare",
    [...namespaces, "--propagation", "private", "sh", "-eu", join(folder, "first-process.sh")],
    { stdio: ["ignore", log, log], detached: true },
  );
  child.unref();
  const isReady = (): boolean => {
    if (child.exitCode !== null) {
      throw new SandboxError(readFileSync(join(folder, "sandbox.log"), "utf8").trim());
    }
    return existsSync(join(folder, "ready"));
  };
  await until(isReady, { withinMs: OPEN_WITHIN_MS, what: "the sandbox to be ready" });
  const { stdout } = await run("cat", [`/proc/${child.pid}/task/${child.pid}/children`]);
  const pid = Number(stdout.trim());
  return { pid, startedAt: startTimeOf(pid) ?? "" };
}

/**
 * The shell script of the first process: it prepares mounts and network, then waits. While a shell
 * waits, it also collects the processes whose parent has ended.
 */
function firstProcess(folder: string): string {
  return `
mount --make-rshared /
for hidden in ${HIDDEN.join(" ")}; do mkdir -p $hidden; mount -t tmpfs tmpfs $hidden; done
cd "${folder}"
mkdir sysctl
${Object.entries(SYSCTLS)
  .map(([name, value]) => {
    const file = `sysctl/${name.replaceAll("/", ".")}`;
    return `echo ${value} > ${file}; mount --bind ${file} /proc/sys/${name}`;
  })
  .join("\n")}
echo "nameserver ${NODE_ADDRESS}" > resolv.conf
mount --bind resolv.conf /etc/resolv.conf
ip link set lo up
ip link add node0 type veth peer name node1
ip addr add ${NODE_ADDRESS}/24 dev node0
ip link set node0 up; ip link set node1 up
ip route add default dev node0
sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
touch ready
while :; do sleep 86400; done
`;
}

function readSaved(folder: string): Saved | undefined {
  const path = join(folder, STATE);
  if (!existsSync(path)) return undefined;
  const saved = parseObject(readFileSync(path, "utf8")) as Saved | undefined;
  return saved !== undefined && isAlive(saved) ? saved : undefined;
}

function isAlive({ pid, startedAt }: Saved): boolean {
  return startTimeOf(pid) === startedAt;
}

/** Undefined for a process that ended. */
function startTimeOf(pid: number): string | undefined {
  try {
    const [, afterName = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
    const fields = afterName.split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined; // There is no such process.
  }
}

/** The cgroup of all pods of a sandbox, which differs from that of another one. */
export function cgroupName(folder: string): string {
  return `parley${folder.replaceAll(/[^a-z0-9]+/gi, "-")}`;
}

function cgroupFolders(sandbox: string): string[] {
  return readdirSync(CGROUPS).map((hierarchy) => join(CGROUPS, hierarchy, cgroupName(sandbox)));
}

function makeCgroup(sandbox: string): void {
  for (const folder of cgroupFolders(sandbox)) {
    if (folder.startsWith(`${CGROUPS}/unified/`)) continue; // runc makes it.
    mkdirSync(folder, { recursive: true });
    if (existsSync(join(folder, "cpu.shares"))) {
      writeFileSync(join(folder, "cpu.shares"), String(CPU_SHARES));
    }
    if (!folder.startsWith(`${CGROUPS}/cpuset/`)) continue;
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      writeFileSync(join(folder, file), readFileSync(join(folder, "..", file)));
    }
  }
}

function isEmptyCgroup(sandbox: string): boolean {
  return cgroupFolders(sandbox)
    .filter((folder) => existsSync(folder))
    .every((folder) => processesBelow(folder) === "");
}

function processesBelow(folder: string): string {
  const words = [folder, "-name", "cgroup.procs", "-exec", "cat", "{}", "+"];
  return execFileSync("find", words, { encoding: "utf8" });
}

function removeCgroup(sandbox: string): void {
  for (const folder of cgroupFolders(sandbox)) {
    if (!existsSync(folder)) continue;
    const inner = execFileSync("find", [folder, "-depth", "-type", "d"], { encoding: "utf8" });
    for (const path of inner.trim().split("\n")) rmdirSync(path);
  }
}
