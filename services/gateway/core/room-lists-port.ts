// RoomLists port: the rooms of a user and the search for rooms, for a caller without a session,
// such as an HTTP request.
//
// Each call resolves and never rejects: a failure is a row of the error table.

import type { FindQuery, FoundRooms, RoomsPage, RoomsQuery } from "#shared/protocol/room-list.ts";
import type { Refused } from "./room-api-port.ts";

export type RoomsOutcome = { readonly kind: "rooms"; readonly page: RoomsPage } | Refused;
export type FindOutcome = { readonly kind: "found"; readonly found: FoundRooms } | Refused;

export interface RoomListsApi {
  rooms(query: RoomsQuery): Promise<RoomsOutcome>;
  find(query: FindQuery): Promise<FindOutcome>;
}
