// Peer: a system under a shape, and its wire protocol.

import { spawnSync } from "node:child_process";
import { COMPILED } from "#infra/embedded/service-process.ts";

/** A text frame that a socket sends, and the text that it then waits for; "" means none. */
export interface Step {
  readonly say: string;
  readonly until: string;
}

/** The contents of a frame that a probe reads. */
export type Received =
  | { readonly kind: "event"; readonly text: string; readonly seq?: number | undefined }
  | { readonly kind: "ack"; readonly id: string }
  | { readonly kind: "error"; readonly name: string };

export interface Peer {
  readonly name: string;
  readonly port: number;
  /** Every server process, by its role. */
  readonly pids: ReadonlyMap<string, number>;
  /** The folder for the results of inside/in-process.ts, if its Node processes load it. */
  readonly probeDir?: string;
  readonly protocol?: string;
  path(room: string): string;
  /** The frames that make a socket a member of the room after the upgrade. */
  enter(room: string): Promise<readonly Step[]>;
  message(room: string, id: string, text: string): string;
  /** True when several messages may share a frame, one on each line. */
  readonly joinsLines: boolean;
  /** Text that every ack contains once and no other frame contains; undefined without acks. */
  readonly ackMark?: string;
  read(frame: string): readonly Received[];
}

export interface RunningPeer extends Peer, AsyncDisposable {}
export type StartPeer = () => Promise<RunningPeer>;

/** Peers use the compile cache of Node, as the services do: type stripping costs 30 MB. */
export function peerEnv(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_COMPILE_CACHE: COMPILED };
}

const SERVER_CORE = "0";
const GENERATOR_CORE = "1";

/**
 * Servers run on one core and the generator on the other, so that they do not affect each other.
 */
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
