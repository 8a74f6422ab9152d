// TokenSigner: signs the tokens of users and of the back end itself, for a cluster with AUTH=jwks.
//
// Owns: the claims that a gateway reads, and the reuse of a token. Does not own: the key; the
// cluster reads its public half from the JWKS of the issuer.
//
//   token-signer.1. `service` returns the same token until a quarter of its validity is left, so
//        that a call costs no signature.

import { importJWK, importPKCS8, SignJWT } from "jose";

/** A private key: a JWK, or PEM text of PKCS #8 with its algorithm. */
export type SigningKey =
  | { readonly jwk: Readonly<Record<string, unknown>> }
  | { readonly pem: string; readonly algorithm: string };

export interface TokenSignerOptions {
  readonly key: SigningKey;
  /** The `kid` of the JWKS; default: the one of the JWK. */
  readonly keyId?: string;
  /** `iss`, as the cluster expects it. */
  readonly issuer: string;
  /** `aud`, as the cluster expects it. */
  readonly audience: string;
  /** The validity of a token; default: an hour. The cluster accepts at most 31 days. */
  readonly validSeconds?: number;
}

/** What a token says of its user. */
export interface TokenClaims {
  /** The user id. */
  readonly user: string;
  /** The display name. */
  readonly name?: string;
  /** The roles of the user in rooms, by room id. */
  readonly rooms?: Readonly<Record<string, "reader" | "member" | "moderator" | "owner">>;
  /** The user acts as an owner in every room. */
  readonly admin?: boolean;
  /** A service token, whose holder may act as other users over HTTP (`serviceClient`). */
  readonly svc?: boolean;
}

/** Signs tokens with one key of the issuer. */
export class TokenSigner {
  readonly #options: TokenSignerOptions;
  #key: Promise<{ key: CryptoKey | Uint8Array; algorithm: string }> | undefined;

  constructor(options: TokenSignerOptions) {
    this.#options = options;
  }

  /** A new token. Rejects with TypeError for a key that cannot sign. */
  async sign({ user, name, rooms, admin, svc }: TokenClaims): Promise<string> {
    const { issuer, audience, validSeconds = 3_600, keyId } = this.#options;
    const { key, algorithm } = await (this.#key ??= this.#import());
    const issuedAt = Math.floor(Date.now() / 1_000);
    const kid = keyId ?? this.#ownKeyId();
    return new SignJWT({
      ...(name !== undefined && { name }),
      ...(rooms !== undefined && { rooms }),
      ...(admin !== undefined && { admin }),
      ...(svc !== undefined && { svc }),
    })
      .setProtectedHeader({ alg: algorithm, typ: "JWT", ...(kid !== undefined && { kid }) })
      .setSubject(user)
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + validSeconds)
      .sign(key);
  }

  /** A token function for `Parley` and `createServerClient` (token-signer.1). */
  service(claims: TokenClaims): () => Promise<string> {
    let token: Promise<string> | undefined;
    let until = 0;
    return () => {
      if (token !== undefined && Date.now() < until) return token;
      until = Date.now() + (this.#options.validSeconds ?? 3_600) * 750;
      const signed = this.sign(claims);
      token = signed;
      signed.catch(() => {
        if (token === signed) token = undefined; // A later call tries again.
      });
      return signed;
    };
  }

  #ownKeyId(): string | undefined {
    const { key } = this.#options;
    const kid = "jwk" in key ? key.jwk["kid"] : undefined;
    return typeof kid === "string" ? kid : undefined;
  }

  async #import(): Promise<{ key: CryptoKey | Uint8Array; algorithm: string }> {
    const { key } = this.#options;
    if ("pem" in key) {
      return { key: await importPKCS8(key.pem, key.algorithm), algorithm: key.algorithm };
    }
    const { alg } = key.jwk;
    if (typeof alg !== "string") throw new TypeError("the JWK names no alg");
    return { key: await importJWK(key.jwk, alg), algorithm: alg };
  }
}
