// Dev tokens: with AUTH=dev the gateway signs a token for every request. The secret is made at the
// first start and kept in a file. For development and tests only, never for production.
//
//   dev-token.1. The file appears complete or not at all, so two gateways that start together use
//        one secret.
//   dev-token.2. A file that other users of the machine can read is refused, as ssh refuses such a
//        key.
//   dev-token.3. No default secret exists, so there is none to guess.

import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, stat, unlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { SignJWT } from "jose";

export const DEV_ISSUER = "parley-dev";
export const DEV_AUDIENCE = "parley";
/** 256 bits, the key size of HS256. */
const SECRET_BYTES = 32;

export class DevSecretError extends Error {
  override readonly name = "DevSecretError";
  readonly code: "unusable" | "too_open";

  constructor(code: "unusable" | "too_open", message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Reads the secret, and creates it first when the file does not exist. Throws DevSecretError. */
export async function openDevSecret(file: string): Promise<Uint8Array> {
  try {
    if (!(await exists(file))) await createSecret(file);
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0) {
      throw new DevSecretError(
        "too_open",
        `other users can read the dev secret ${file}: run chmod 600 ${file}`,
      );
    }
    const secret = Buffer.from((await readFile(file, "utf8")).trim(), "base64url");
    if (secret.length < SECRET_BYTES) {
      throw new DevSecretError(
        "unusable",
        `the file ${file} does not hold a dev secret: remove it, the next start creates one`,
      );
    }
    return secret;
  } catch (error: unknown) {
    if (error instanceof DevSecretError) throw error;
    throw new DevSecretError(
      "unusable",
      `the dev secret ${file} cannot be read or created: check its folder and DEV_SECRET_FILE`,
      error,
    );
  }
}

export interface DevClaims {
  readonly user: string;
  readonly name?: string | undefined;
  readonly rooms?: Readonly<Record<string, string>> | undefined;
  readonly admin?: boolean | undefined;
  readonly svc?: boolean | undefined;
}

/** A token that `openAuthenticator({ auth: "dev" })` with the same secret accepts. */
export function mintDevToken(
  secret: Uint8Array,
  claims: DevClaims,
  ttlSeconds: number,
  nowMs: number = Date.now(),
): Promise<string> {
  const { user, name, rooms, admin, svc } = claims;
  const issuedAt = Math.floor(nowMs / 1_000);
  return new SignJWT({
    ...(name !== undefined && { name }),
    ...(rooms !== undefined && { rooms }),
    ...(admin !== undefined && { admin }),
    ...(svc !== undefined && { svc }),
  })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(user)
    .setIssuer(DEV_ISSUER)
    .setAudience(DEV_AUDIENCE)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ttlSeconds)
    .sign(secret);
}

/**
 * With an exclusive create and a later write, the other gateway could read an incomplete file. A
 * link of a complete file is exclusive and complete at once (dev-token.1).
 */
async function createSecret(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  await writeFile(draft, `${secret}\n`, { mode: 0o600, flag: "wx" });
  try {
    await link(draft, file);
  } catch (error: unknown) {
    // Another gateway created it first; its secret counts.
    if (!isCode(error, "EEXIST")) throw error;
  } finally {
    await unlink(draft);
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error: unknown) {
    if (isCode(error, "ENOENT")) return false;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
