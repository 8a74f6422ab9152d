// Alternate: plays a shape against several peers in turn (A B C, C B A, A B C, …), so that other
// load, CPU temperature and cold caches affect all peers equally. Every leg starts its own
// processes.

import { isVoid } from "./figures.ts";
import type { Leg } from "./figures.ts";
import type { Peer, RunningPeer, StartPeer } from "./peer.ts";

/** Repetitions of a void leg. On a machine that stays busy the whole shape is void. */
const TRIES_MAX = 2;

/** The running peers; an early exit of a bench stops them. */
const running = new Set<RunningPeer>();

/**
 * Idempotent. The processes are in other process groups, so Ctrl-C alone would leave them running.
 */
export async function stopRunning(): Promise<void> {
  const peers = [...running];
  running.clear();
  for (const peer of peers) await peer[Symbol.asyncDispose]();
}

/** Starts a peer that `stopRunning` stops. */
export async function started<P extends RunningPeer>(start: () => Promise<P>): Promise<P> {
  const peer = await start();
  running.add(peer);
  return peer;
}

export type PlayLeg<P extends Peer> = (peer: P) => Promise<Leg>;

export async function alternate(options: {
  readonly peers: readonly StartPeer[];
  readonly rounds: number;
  readonly play: PlayLeg<Peer>;
  readonly say: (leg: Leg) => void;
}): Promise<Leg[]> {
  const { peers, rounds, play, say } = options;
  const legs: Leg[] = [];
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? peers : peers.toReversed();
    for (const start of order) legs.push(await leg(start, play, say));
  }
  return legs;
}

export async function leg<P extends RunningPeer>(
  start: () => Promise<P>,
  play: PlayLeg<P>,
  say: (leg: Leg) => void,
): Promise<Leg> {
  for (let attempt = 1; ; attempt++) {
    const peer = await started(start);
    try {
      const played = await play(peer);
      say(played);
      if (!isVoid(played) || attempt === TRIES_MAX) return played;
    } finally {
      await stopRunning();
    }
  }
}
