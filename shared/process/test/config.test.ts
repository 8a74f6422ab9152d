import { expect } from "chai";
import { z } from "zod";
import { ConfigError, readConfig } from "../config.ts";

const schema = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(8_080),
  NATS_URL: z.url({ error: "a nats:// URL" }),
  AUTH: z.enum(["dev", "jwks"]).default("dev"),
});

function complaintsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(schema, env);
    return [];
  } catch (error: unknown) {
    if (error instanceof ConfigError) return error.complaints;
    throw error;
  }
}

describe("readConfig", () => {
  it("process/config.1: returns a frozen object with defaults and parsed numbers", () => {
    const config = readConfig(schema, { PORT: "0", NATS_URL: "nats://127.0.0.1:4222" });
    expect(config).to.deep.equal({ PORT: 0, NATS_URL: "nats://127.0.0.1:4222", AUTH: "dev" });
    expect(Object.isFrozen(config)).to.equal(true);
  });

  it("process/config.1: reports all complaints at once, each with its variable", () => {
    const complaints = complaintsOf({ PORT: "x", NATS_URL: "nowhere", AUTH: "none" });
    expect(complaints.map((line) => line.split(":")[0])).to.have.members([
      "PORT",
      "NATS_URL",
      "AUTH",
    ]);
  });

  it("process/config.3: names the expected value, once for each fault", () => {
    const wide = schema.extend({ NAME: z.string().max(3), SHARE: z.coerce.number().max(1) });
    const env = { PORT: "-1.5", NATS_URL: "x", AUTH: "none", NAME: "long", SHARE: "2" };
    const complaintsIn = (given: NodeJS.ProcessEnv): readonly string[] => {
      try {
        readConfig(wide, given);
        return [];
      } catch (error: unknown) {
        return (error as ConfigError).complaints;
      }
    };
    expect(complaintsIn(env)).to.deep.equal([
      "PORT: expected a whole number",
      "NATS_URL: a nats:// URL",
      "AUTH: expected dev or jwks",
      "NAME: expected at most 3 characters",
      "SHARE: expected at most 1",
    ]);
    expect(complaintsIn({ PORT: "x", NATS_URL: "nats://a", SHARE: "1" })).to.deep.equal([
      "PORT: expected a number",
      "NAME: it is missing",
    ]);
  });

  it("process/config.2: treats an empty variable as not set", () => {
    expect(complaintsOf({ PORT: "", NATS_URL: "nats://a", AUTH: "" })).to.deep.equal([]);
    expect(complaintsOf({ NATS_URL: "" })).to.deep.equal(["NATS_URL: a nats:// URL"]);
  });

  it("process/config.3: does not repeat the value in a complaint", () => {
    const text = complaintsOf({ PORT: "hunter2", NATS_URL: "hunter2", AUTH: "hunter2" }).join("\n");
    expect(text).not.to.contain("hunter2");
  });

  it("E13, process/config.4: a switch of drills needs NODE_ENV=development, which nothing sets by default", () => {
    const switches = z.object({
      DEBUG_LEAK_KIB_S: z.coerce.number().optional(),
      NODE_ENV: z.string().default("development"),
    });
    const read = (env: NodeJS.ProcessEnv): object => readConfig(switches, env);
    for (const NODE_ENV of ["production", "test", undefined]) {
      const env = { DEBUG_LEAK_KIB_S: "5", ...(NODE_ENV !== undefined && { NODE_ENV }) };
      expect(() => read(env), NODE_ENV).to.throw(ConfigError, "DEBUG_LEAK_KIB_S is refused");
    }
    expect(read({ DEBUG_LEAK_KIB_S: "5", NODE_ENV: "development" })).to.include({
      DEBUG_LEAK_KIB_S: 5,
    });
    expect(read({ DEBUG_OTHER: "1" })).to.deep.equal({ NODE_ENV: "development" });
  });
});
