// Alternate: a shape against several peers by turns (A B C, C B A, A B C, …), so that a busy
// neighbour, a warmer CPU and a colder cache hurt all alike. Every leg has processes of its own.

import { isVoid } from "./figures.ts";
import type { Leg } from "./figures.ts";
import type { Peer, RunningPeer, StartPeer } from "./peer.ts";

/** A void leg is played again so often; a machine that stays busy gives a void shape. */
const TRIES_MAX = 2;

/** The peers that are being played; whoever ends a bench early stops them. */
const running = new Set<RunningPeer>();

/** Idempotent. Its processes are not ours in the terminal's eyes, so Ctrl-C alone would leave them. */
export async function stopRunning(): Promise<void> {
  const peers = [...running];
  running.clear();
  for (const peer of peers) await peer[Symbol.asyncDispose]();
}

/** A peer that `stopRunning` knows. */
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
