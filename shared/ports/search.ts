// Search: the messages with given words that a user may read. The archive has them; persistence
// answers for it.
//
// The contract (shared/testing/search.contract.ts proves it on memory and on PostgreSQL):
//   ports/search.1. Without `room`, only rooms whose member the user is are searched, as of the
//        moment at which the messages are read. With `room`, the caller has judged the user.
//   ports/search.2. A message is found by its newest text. A deleted one is not found.
//   ports/search.3. The index is behind the archive by a moment.

import type { Partition } from "../protocol/ids.ts";
import type { FoundMessages, SearchQuery } from "../protocol/search.ts";
import type { Read } from "./archive.ts";

/** All methods resolve, never reject. */
export interface SearchStore {
  search(query: SearchQuery): Promise<Read<FoundMessages>>;
}

/** The same over the bus. It is asked of any partition, because every archive has all rooms. */
export interface SearchReader {
  search(p: Partition, query: SearchQuery): Promise<Read<FoundMessages>>;
}
