// Process ids: a new name at every start, so that a restarted process is never taken for the one
// that died: its lanes, inbox and beats are all new.

import { randomBytes } from "node:crypto";
import type { ProcessId } from "../protocol/ids.ts";

/** 48 random bits: no two of the processes that a cluster ever starts will share a name. */
export function newProcessId(kind: "gw" | "room" | "pers"): ProcessId {
  return `${kind}-${randomBytes(6).toString("hex")}` as ProcessId;
}
