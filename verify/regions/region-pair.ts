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
  /**
   * What an operator reads who promotes a region while the other one holds the term. Undefined: the
   * region was promoted. Left out where regions have no term.
   */
  promoteByHand?(region: RegionName): Promise<string | undefined>;
  /** After the cables are whole again: `lost` follows the other region. Resolves when it does. */
  rejoin(lost: RegionName): Promise<void>;
}
