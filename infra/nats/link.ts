// Link: the rights of the leaf connection that joins the NATS clusters of two regions.
//
// The accepting cluster (the hub) knows the connecting one as the user `link`. NATS applies these
// rights to both directions of the connection. Pure.
//
//   link.1. Only the API of the other region's JetStream, the deliveries of mirrors and the reports
//        of mirrors cross. Commands, lines, beats and appends stay in their region: an append that
//        crossed would be stored in both logs.
//   link.2. Where both regions serve, what gateways and owners send each other crosses, too, with
//        the beats of both and the reads of history. Grants, watermarks, settings, leases and
//        requests of operators stay.

import type { Permissions } from "./permissions.ts";

/** Deliveries of mirrors, their flow control and acknowledgements, and answers of the API. */
const MIRRORS = ["$JS.M.>", "$JS.FC.>", "$JS.ACK.>", "$JSC.>", "_R_.>"] as const;
const REPORTS = "region.mirrored.*";
/** Inboxes of region agents, which read the first entry of the other region's logs. */
const AGENTS = "_INBOX_region.>";

/** link.2. */
const SERVING = [
  "cmd.*",
  "cmd.*.*",
  "gw.*",
  "out.*",
  "live.*",
  "note.*",
  "hist.*",
  "suspect.*",
  "node.room",
  "node.gateway",
  "_INBOX_gw.>",
] as const;

/** `both`: both regions serve. */
export function linkPermissions(hub: string, leaf: string, { both = false } = {}): Permissions {
  const shared = [...MIRRORS, REPORTS, AGENTS, ...(both ? SERVING : [])];
  return {
    publish: [`$JS.${hub}.API.>`, ...shared],
    subscribe: [`$JS.${leaf}.API.>`, ...shared],
  };
}
