// InviteKey: from the variable, from a file, and files that hold none.

import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, readConfig } from "#shared/process/config.ts";
import { InviteKeyError, openInviteKey } from "../adapters/invite-key.ts";
import { configSchema } from "../config.ts";

const KEY = "k".repeat(32);

describe("The key of invites", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "parley-key-"));
  });
  after(() => rmSync(folder, { recursive: true }));
  const file = (text: string): string => {
    const path = join(folder, "invite-key");
    writeFileSync(path, text);
    return path;
  };

  it("M11: comes from the variable or from a file, without the end of the line", async () => {
    expect(await openInviteKey({})).to.equal(undefined);
    expect(await openInviteKey({ INVITE_KEY: KEY })).to.equal(KEY);
    expect(await openInviteKey({ INVITE_KEY_FILE: file(`${KEY}\n`) })).to.equal(KEY);
  });

  it("invite-key.1: a file that is missing or too short is an error that names it", async () => {
    for (const path of [join(folder, "missing"), file(KEY.slice(1))]) {
      const error: unknown = await openInviteKey({ INVITE_KEY_FILE: path }).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).to.be.instanceOf(InviteKeyError);
      expect(String(error)).to.contain(path);
    }
  });

  it("refuses both at once", () => {
    const both = { AUTH: "dev", INVITE_KEY: KEY, INVITE_KEY_FILE: "/secrets/invite-key" };
    const env = { NATS_URL: "nats://127.0.0.1:4222", PARTITIONS: "4", ...both };
    expect(() => readConfig(configSchema, env)).to.throw(ConfigError, "exclude each other");
  });
});
