// Peer: a system that a shape is run against, and how it is spoken to.

import { spawnSync } from "node:child_process";
import { COMPILED } from "#infra/embedded/service-process.ts";

/** A text frame that a socket says, and the text it waits for before it goes on. "" = none. */
export interface Step {
  readonly say: string;
  readonly until: string;
}

/** What a probe reads in a frame. */
export type Heard =
  | { readonly kind: "event"; readonly text: string; readonly seq?: number | undefined }
  | { readonly kind: "ack"; readonly id: string }
  | { readonly kind: "error"; readonly name: string };

export interface Peer {
  readonly name: string;
  readonly port: number;
  /** Every server process, by what it does. */
  readonly pids: ReadonlyMap<string, number>;
  /** The folder into which its Node processes write what inside/in-process.ts saw, if they do. */
  readonly probeDir?: string;
  readonly protocol?: string;
  path(room: string): string;
  /** After the upgrade: what makes a socket a member of the room. */
  enter(room: string): Promise<readonly Step[]>;
  message(room: string, id: string, text: string): string;
  /** True when several messages may share a frame, one to a line. */
  readonly joinsLines: boolean;
  /** Text that is in every ack once and nowhere else; undefined for a system that gives none. */
  readonly ackMark?: string;
  read(frame: string): readonly Heard[];
}

export interface RunningPeer extends Peer, AsyncDisposable {}
export type StartPeer = () => Promise<RunningPeer>;

/** Peers start from what Node compiled before, as our services do: the stripper of types is 30 MB. */
export function peerEnv(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_COMPILE_CACHE: COMPILED };
}

const SERVER_CORE = "0";
const GENERATOR_CORE = "1";

/** Servers on one core and the generator on the other, so that they do not disturb each other. */
export function pinServers(pids: Iterable<number>): void {
  for (const pid of pids) pin(pid, SERVER_CORE);
}

export function pinGenerator(): void {
  pin(process.pid, GENERATOR_CORE);
}

function pin(pid: number, core: string): void {
  const { status } = spawnSync("taskset", ["-acp", core, String(pid)], { stdio: "ignore" });
  if (status !== 0) throw new Error(`taskset could not pin ${pid}; it comes with util-linux`);
}
