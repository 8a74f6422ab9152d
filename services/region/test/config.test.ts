import { expect } from "chai";
import { ConfigError, readConfig } from "#shared/process/config.ts";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configSchema, peerDatabaseUrl } from "../config.ts";

const GIVEN = {
  REGION: "east",
  PEER_REGION: "west",
  WITNESS_URL: "nats://127.0.0.1:4223",
  DATABASE_URL: "postgres://127.0.0.1/parley",
};

function complaints(more: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(configSchema, { ...GIVEN, ...more });
    return [];
  } catch (error: unknown) {
    if (error instanceof ConfigError) return error.complaints;
    throw error;
  }
}

describe("Config of a region agent", () => {
  it("T11: HOMES=1 needs the other region's archive, and a partition for each home", () => {
    expect(complaints({})).to.deep.equal([]);
    expect(complaints({ HOMES: "1" })).to.deep.equal(["PEER_DATABASE_URL: HOMES=1 needs it"]);
    const both = { HOMES: "1", PEER_DATABASE_URL: "postgres://10.0.0.2/parley" };
    expect(complaints(both)).to.deep.equal([]);
    expect(complaints({ ...both, PARTITIONS: "1" })).to.deep.equal([
      "PARTITIONS: expected at least 2 with HOMES=1",
    ]);
  });

  it("T11: the password of the other region's archive can be in a file", () => {
    const dir = mkdtempSync(join(tmpdir(), "parley-region-"));
    const file = join(dir, "password");
    writeFileSync(file, "s:e/c\n");
    const both = { ...GIVEN, HOMES: "1", PEER_DATABASE_URL: "postgres://parley@10.0.0.2/parley" };
    const urlOf = (more: NodeJS.ProcessEnv): string | undefined =>
      peerDatabaseUrl(readConfig(configSchema, { ...both, ...more }));
    expect(urlOf({})).to.equal(both.PEER_DATABASE_URL);
    expect(urlOf({ PEER_DATABASE_PASSWORD_FILE: file })).to.equal(
      "postgres://parley:s%3Ae%2Fc@10.0.0.2/parley",
    );
    expect(urlOf({ HOMES: "0" })).to.equal(undefined);
    rmSync(dir, { recursive: true });
    expect(complaints({ PEER_DATABASE_PASSWORD_FILE: file })).to.deep.equal([
      "PEER_DATABASE_PASSWORD_FILE: a file that can be read",
    ]);
  });
});
