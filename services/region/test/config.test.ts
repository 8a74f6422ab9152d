import { expect } from "chai";
import { ConfigError, readConfig } from "#shared/process/config.ts";
import { configSchema } from "../config.ts";

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
});
