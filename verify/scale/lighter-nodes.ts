// Lighter nodes: spares the room nodes of a simulation work that has no effect, in its process
// alone.
//
// On every tick a room node computes the owner of every partition of the cluster and steps every
// partition, its own and all others. A simulation runs all room nodes in one process: for 50 nodes
// and 1,024 partitions this is more work than everything else together.
//
//   lighter-nodes.1. No trace changes: a run with it and a run without it are equal, byte for byte.
//   lighter-nodes.2. A remembered owner is the one that `ownerOf` would return: another revision of
//        the placement forgets all owners, and so does the time in which it is frozen.
//   lighter-nodes.3. A partition that is idle ignores a tick and the epochs of others, so it
//        receives none of them.

import { Placement } from "../../services/room/core/placement.ts";
import { PartitionRunner } from "../../services/room/runtime/partition-runner.ts";
import type { Partition, ProcessId } from "#shared/protocol/ids.ts";

const OWNERS = Symbol("owners");
const REVISION = Symbol("revision");

interface Remembering {
  [OWNERS]?: (ProcessId | undefined)[] | undefined;
  /** The revision of the placement that the owners belong to. */
  [REVISION]?: number;
}

/** Until the returned function is called. */
export function lightenNodes(): () => void {
  const undo = [rememberOwners(), skipIdle()];
  return () => {
    for (const one of undo) one();
  };
}

/** lighter-nodes.2. */
function rememberOwners(): () => void {
  const { prototype } = Placement;
  const onTick = methodOf(prototype, "onTick");
  const ownerOf = methodOf(prototype, "ownerOf");
  const forget = (placement: Placement & Remembering): void => {
    placement[OWNERS] = undefined;
  };

  prototype.ownerOf = function remembering(this: Placement & Remembering, p: Partition) {
    if (this[REVISION] !== this.revision) forget(this);
    this[REVISION] = this.revision;
    const owners = (this[OWNERS] ??= []);
    if (p in owners) return owners[p];
    const owner = ownerOf.call(this, p);
    owners[p] = owner;
    return owner;
  };
  prototype.onTick = function forgetting(now) {
    const wasFrozen = this.isFrozen;
    const isLate = onTick.call(this, now);
    if (wasFrozen || this.isFrozen) forget(this);
    return isLate;
  };
  return () => {
    Object.assign(prototype, { onTick, ownerOf });
  };
}

/** lighter-nodes.3. */
function skipIdle(): () => void {
  const { prototype } = PartitionRunner;
  const step = methodOf(prototype, "step");
  prototype.step = function skipping(input) {
    const isSpared = input.kind === "tick" || input.kind === "superseded";
    if (isSpared && this.core.state === "idle") return;
    step.call(this, input);
  };
  return () => void (prototype.step = step);
}

/** A method without its object; the caller passes `this`. */
function methodOf<T, K extends keyof T>(prototype: T, name: K): T[K] {
  return prototype[name];
}
