// RoomLists port: the rooms of a user and the searches for rooms and messages, for a caller without
// a session, such as an HTTP request.
//
// Each call resolves and never rejects: a failure is a row of the error table.

import type { FindQuery, FoundRooms, RoomsPage, RoomsQuery } from "#shared/protocol/room-list.ts";
import type { FoundMessages, SearchQuery } from "#shared/protocol/search.ts";
import type { Refused } from "./room-api-port.ts";

export type RoomsOutcome = { readonly kind: "rooms"; readonly page: RoomsPage } | Refused;
export type FindOutcome = { readonly kind: "found"; readonly found: FoundRooms } | Refused;

export type SearchOutcome = { readonly kind: "messages"; readonly found: FoundMessages } | Refused;

export interface RoomListsApi {
  rooms(query: RoomsQuery): Promise<RoomsOutcome>;
  find(query: FindQuery): Promise<FindOutcome>;
  /** With `room`, the caller has asked the owner. */
  search(query: SearchQuery): Promise<SearchOutcome>;
}
