// InviteKey: reads the key from which the gateways derive the secrets of invites.
//
//   invite-key.1. A file without a key of enough characters ends the start: a gateway with another
//        key than its peers would answer their repeated requests with `conflict`.

import { readFile } from "node:fs/promises";

/** The characters of a key: 32 of base64url are 192 bits. */
export const INVITE_KEY_MIN = 32;

export class InviteKeyError extends Error {
  override readonly name = "InviteKeyError";
  readonly code = "unusable";
}

/** Undefined without a key. Throws InviteKeyError. */
export async function openInviteKey(config: {
  readonly INVITE_KEY?: string | undefined;
  readonly INVITE_KEY_FILE?: string | undefined;
}): Promise<string | undefined> {
  const { INVITE_KEY: key, INVITE_KEY_FILE: file } = config;
  if (file === undefined) return key;
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new InviteKeyError(`the key of invites ${file} cannot be read`, { cause });
  });
  const trimmed = text.trim();
  if (trimmed.length >= INVITE_KEY_MIN) return trimmed;
  throw new InviteKeyError(
    `the file ${file} does not hold a key of ${INVITE_KEY_MIN} characters or more`,
  );
}
