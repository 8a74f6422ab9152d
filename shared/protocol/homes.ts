// Homes: the division of the partitions between two regions that both serve, and the key of the
// witness that fixes it.
//
// Owns: the home of a partition, the codec of the key. Does not own: which region serves a home
// (services/region/core/term.ts).
//
//   homes.1. The division depends only on the names of the regions, in any order, and on the number
//        of partitions. All agents that agree on both agree on every partition.
//   homes.2. The key is one of version 2, so an agent without homes, which expects a term of
//        version 1 there, cannot decode it and begins no term.

import { isCount, parseObject } from "../kit/json.ts";
import type { Partition } from "./ids.ts";

/** Each home has the name of a region. */
export interface Homes {
  /** In the order of their names (homes.1). */
  readonly names: readonly string[];
  readonly partitions: number;
}

export function homesOf(regions: readonly string[], partitions: number): Homes {
  return { names: regions.toSorted(), partitions };
}

/** The partitions of one home. */
export function partitionsOfHome({ names, partitions }: Homes, home: string): Partition[] {
  const index = names.indexOf(home);
  return Array.from({ length: partitions }, (_, p) => p).filter((p) => p % names.length === index);
}

/** The home that the settings of the cluster belong to: there an operator changes them. */
export function homeOfSettings({ names }: Homes): string {
  return names[0] ?? "";
}

export function encodeHomes({ names, partitions }: Homes): string {
  return JSON.stringify({ v: 2, homes: names, partitions });
}

/** Whether the text of the key describes exactly these homes. */
export function isHomes(text: string, { names, partitions }: Homes): boolean {
  const value = parseObject(text);
  if (value?.["v"] !== 2 || !isCount(value["partitions"])) return false;
  const { homes } = value;
  return (
    value["partitions"] === partitions &&
    Array.isArray(homes) &&
    homes.length === names.length &&
    homes.every((name, index) => name === names[index])
  );
}
