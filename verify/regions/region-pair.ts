// RegionPair: what the region drill needs of two regions, whatever joins them.

import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import type { RegionName, RegionNetwork } from "./region-network.ts";

export interface PairOptions {
  readonly network: RegionNetwork;
  /** All data of the pair. */
  readonly dir: string;
  /** The region that serves first. */
  readonly first: RegionName;
  readonly partitions: number;
  readonly say: (line: string) => void;
}

export interface RegionPair extends AsyncDisposable {
  /** Partition logs. */
  readonly partitions: number;
  /** Whether both regions serve clients, or only the one that holds the term. */
  readonly servesBoth: boolean;
  /** Whether a promotion may lose acknowledged messages. Then rooms must get a new birth. */
  readonly mayLose: boolean;
  /** The `http://…` URL of the gateway of a region. */
  gateway(region: RegionName): string;
  /** Access to the logs in a region that can serve. */
  nats(region: RegionName): NatsAccess;
  databaseUrl(region: RegionName): string;
  /**
   * Called before the cables of `lost` are cut. Resolves when the other region is promoted:
   * something inside the regions or the witness must detect the cut.
   */
  failOver(lost: RegionName): Promise<void>;
  /** The steps of an operator; left out where regions have no term. */
  readonly byHand?: PromotionByHand;
  /** After the cables are whole again: `lost` follows the other region. Resolves when it does. */
  rejoin(lost: RegionName): Promise<void>;
}

/** Each resolves with the refusal, or with undefined when the region holds the term. */
export interface PromotionByHand {
  /** `parley region promote`. The command needs seconds on a busy machine. */
  command(region: RegionName): Promise<string | undefined>;
  /** The request of that command. */
  request(region: RegionName): Promise<string | undefined>;
  /** Nothing may take the term over before it ends. */
  readonly leaseMs: number;
}
