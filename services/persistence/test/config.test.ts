import { expect } from "chai";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, readConfig } from "#shared/process/config.ts";
import { databaseUrls, withPassword } from "#shared/process/database-config.ts";
import { configSchema, migrateConfigSchema } from "../config.ts";

const DATABASE_URL = "postgres://parley@db:5432/parley";

function complaints(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(configSchema, env);
  } catch (error: unknown) {
    if (error instanceof ConfigError) return error.complaints;
    throw error;
  }
  return [];
}

describe("Config of persistence", () => {
  it("process/config.1: reads the password from its file; a file that cannot be read is a complaint", () => {
    const dir = mkdtempSync(join(tmpdir(), "parley-config-"));
    const file = join(dir, "password");
    writeFileSync(file, "s3cret/\n");
    const config = readConfig(configSchema, { DATABASE_URL, DATABASE_PASSWORD_FILE: file });
    expect(databaseUrls(config)).to.deep.equal(["postgres://parley:s3cret%2F@db:5432/parley"]);
    rmSync(dir, { recursive: true });
    expect(complaints({ DATABASE_URL, DATABASE_PASSWORD_FILE: file })).to.deep.equal([
      "DATABASE_PASSWORD_FILE: a file that can be read",
    ]);
  });

  it("process/config.1, X6: the migrate job reads the owner's URL and the serving role with its password", () => {
    const dir = mkdtempSync(join(tmpdir(), "parley-config-"));
    const file = join(dir, "password");
    writeFileSync(file, "s3cret\n");
    const env = { DATABASE_URL, DATABASE_SERVING_ROLE: "serving" };
    expect(readConfig(migrateConfigSchema, { DATABASE_URL })).to.deep.equal({ DATABASE_URL });
    expect(
      readConfig(migrateConfigSchema, { ...env, DATABASE_SERVING_PASSWORD_FILE: file }),
    ).to.deep.equal({ ...env, DATABASE_SERVING_PASSWORD_FILE: "s3cret" });
    rmSync(dir, { recursive: true });
  });

  it("D14: DATABASE_URL names one server or several, which share user, password and database", () => {
    const urls = (url: string): readonly string[] => databaseUrls({ DATABASE_URL: url });
    expect(urls("postgres://parley:x@a:5432,b:5433,[::1]/parley?sslmode=disable")).to.deep.equal([
      "postgres://parley:x@a:5432/parley?sslmode=disable",
      "postgres://parley:x@b:5433/parley?sslmode=disable",
      "postgres://parley:x@[::1]/parley?sslmode=disable",
    ]);
    expect(urls(DATABASE_URL)).to.deep.equal([DATABASE_URL]);
    expect(
      databaseUrls({
        DATABASE_URL: "postgres://parley@a,b/parley",
        DATABASE_PASSWORD_FILE: "y/",
      }),
    ).to.deep.equal(["postgres://parley:y%2F@a/parley", "postgres://parley:y%2F@b/parley"]);
  });

  it("RR1: DATABASE_REPLICA_URL names one server, and gets the password of the file", () => {
    for (const url of ["db", "postgres://a,b/parley"]) {
      expect(complaints({ DATABASE_URL, DATABASE_REPLICA_URL: url })).to.deep.equal([
        "DATABASE_REPLICA_URL: one PostgreSQL that streams from DATABASE_URL, as postgres://…",
      ]);
    }
    const replica = "postgres://parley@b/parley";
    expect(complaints({ DATABASE_URL, DATABASE_REPLICA_URL: replica })).to.deep.equal([]);
    expect(complaints({ DATABASE_URL, DATABASE_REPLICA_URL: "" })).to.deep.equal([]);
    expect(withPassword(replica, undefined)).to.equal(replica);
    expect(withPassword(replica, "y/")).to.equal("postgres://parley:y%2F@b/parley");
  });

  it("process/config.1: an invalid URL is a complaint, not an error at connect time", () => {
    const many = Array.from({ length: 9 }, (_, n) => `db-${n}`).join(",");
    for (const url of [
      undefined,
      "db",
      "http://db/parley",
      "postgres://db:0x/parley",
      "postgres://a,,b/parley",
      `postgres://${many}/parley`,
    ]) {
      expect(complaints({ DATABASE_URL: url })).to.deep.equal([
        "DATABASE_URL: the PostgreSQL of the archive, as postgres://…",
      ]);
    }
    expect(complaints({ DATABASE_URL })).to.deep.equal([]);
  });
});
