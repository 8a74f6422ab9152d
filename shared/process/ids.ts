// Process ids: a new id at every start. A restarted process has a new lane incarnation, inbox and
// beat, so no other process confuses it with the one that exited.

import { randomBytes } from "node:crypto";
import type { ProcessId } from "../protocol/ids.ts";

/** 48 random bits: two processes of one cluster never have the same id. */
export function newProcessId(kind: "gw" | "room" | "pers" | "region" | "hook" | "op"): ProcessId {
  return `${kind}-${randomBytes(6).toString("hex")}` as ProcessId;
}
