// Bodies: the checks of what a page sends.

import { z } from "zod";
import { isProcessId, isUserId, UUID_V7 } from "#shared/protocol/ids.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import type { OperatorAction } from "#shared/protocol/operator-page.ts";
import { SESSIONS_LIST_MAX } from "#shared/protocol/session-requests.ts";

const TOKEN_LENGTH_MAX = 8_192;
const FIND_LENGTH_MAX = 64;

const user = z.string().refine((text) => isUserId(text));
const actionSchema = z.discriminatedUnion("action", [
  z.strictObject({
    action: z.literal("drain"),
    process: z.string().refine((text) => isProcessId(text)),
  }),
  z.strictObject({ action: z.literal("kick"), user }),
  z.strictObject({ action: z.literal("revoke"), user }),
  z.strictObject({ action: z.literal("end"), user, session: z.string().regex(UUID_V7) }),
]);

/** Undefined unless the value is exactly one action. */
export function readAction(value: unknown): OperatorAction | undefined {
  const parsed = actionSchema.safeParse(value);
  return parsed.success ? (parsed.data as OperatorAction) : undefined;
}

const signInSchema = z.strictObject({ token: z.string().min(1).max(TOKEN_LENGTH_MAX) });

export function readSignInBody(value: unknown): { readonly token: string } | undefined {
  const parsed = signInSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

const roomsSchema = z.strictObject({ find: z.string().max(FIND_LENGTH_MAX).default("") });

export function readRoomsQuery(value: unknown): z.output<typeof roomsSchema> | undefined {
  const parsed = roomsSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

const sessionsSchema = z.strictObject({
  user,
  from: z.coerce.number().int().min(0).max(SESSIONS_LIST_MAX).default(0),
});

export function readSessionsQuery(
  value: unknown,
): { readonly user: UserId; readonly from: number } | undefined {
  const parsed = sessionsSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
