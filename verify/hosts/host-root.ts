// Host root: the files of a plain Debian host, made once with debootstrap into the ignored folder
// .tools. Every host of a lab is an overlay on it.
//
// The hosts of a lab reach no mirror. So the packages that the playbook installs are in the cache
// of apt, and apt on a host installs them from there.
//
//   host-root.1. The folder appears complete or not at all.

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { ensureDebianPrograms } from "#tools/programs/debian.ts";
import { ToolMissing } from "#tools/programs/programs.ts";

const SUITE = "bookworm";
const FOLDER = join(REPOSITORY, `.tools/host-root-${SUITE}`);
/** DEBIAN_MIRROR, else the default mirror of debootstrap. */
const MIRROR = (process.env["DEBIAN_MIRROR"] ?? "").split(" ").filter((url) => url !== "");
/** What a plain host with SSH and Python has. */
const PACKAGES = [
  "systemd",
  "systemd-sysv",
  "dbus",
  "openssh-server",
  "python3",
  "python3-apt",
  "ca-certificates",
  "iproute2",
  "procps",
];
/** What the playbook installs. */
const CACHED = ["postgresql-15", "postgresql-common"];
/** Packages are installed while three hosts share one disk: no flush per file, no manuals. */
const DPKG = "force-unsafe-io\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/doc/*\n";
/** Program → the package that holds it. */
const PROGRAMS = {
  debootstrap: "debootstrap",
  "systemd-nspawn": "systemd-container",
  ip: "iproute2",
  nsenter: "util-linux",
  mount: "mount",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
};

/** Installs what is missing. Throws ToolMissing when this machine cannot run hosts. */
export async function ensureMachine(): Promise<void> {
  if (process.getuid?.() !== 0) throw new ToolMissing("the hosts need root");
  // Debian's programs for root, such as debootstrap, are not in the PATH of every shell.
  process.env["PATH"] = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  await ensureDebianPrograms(PROGRAMS);
}

/** The folder of the root. The first call takes several minutes. */
export function ensureHostRoot(say: (line: string) => void): string {
  if (existsSync(FOLDER)) return FOLDER;
  say("installing a Debian root (debootstrap), once; this takes several minutes …");
  const partial = mkdtempSync(`${FOLDER}.partial-`);
  try {
    const include = `--include=${PACKAGES.join(",")}`;
    run("debootstrap", "--variant=minbase", include, SUITE, partial, ...MIRROR);
    copyFileSync("/etc/resolv.conf", join(partial, "etc/resolv.conf"));
    const download = ["-y", "-qq", "--download-only", "--no-install-recommends", ...CACHED];
    run("chroot", partial, "apt-get", "clean");
    run("chroot", partial, "apt-get", "update", "-qq");
    run("chroot", partial, "apt-get", "install", ...download);
    writeFileSync(join(partial, "etc/hostname"), "host\n");
    writeFileSync(join(partial, "etc/dpkg/dpkg.cfg.d/lab"), DPKG);
    renameSync(partial, FOLDER); // host-root.1
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return FOLDER;
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
}
