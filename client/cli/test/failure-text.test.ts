// What the command prints when it fails: the flag, the variable or the file to change; never a
// stack.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { NatsUnreachable } from "#shared/adapters/nats-unreachable.ts";
import { SETTINGS } from "#shared/protocol/settings.ts";
import { DevTokenError } from "../../sdk/dev-token.ts";
import { CliError } from "../cli-error.ts";
import { failureText } from "../failure-text.ts";
import { runProgram } from "../program.ts";
import { setSetting, unsetSetting } from "../settings.ts";
import { readTarget } from "../target.ts";

const ID = "0199f000-0000-7000-8000-000000000001";
/** Nothing listens there. */
const CLOSED = "127.0.0.1:1";

describe("parley: the texts of failures", () => {
  let data: string;
  const environment = { ...process.env };

  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), "parley-cli-"));
    process.env["DATA"] = data;
  });
  afterEach(() => {
    process.env = { ...environment };
    rmSync(data, { recursive: true, force: true });
  });

  /** The one line with which the command fails. */
  async function failure(args: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
    Object.assign(process.env, env);
    const lines: string[] = [];
    const code = await runProgram(args.split(" "), (line) => lines.push(line));
    expect(code, args).to.equal(1);
    expect(lines, args).to.have.length(1);
    return lines.join("");
  }

  const cases: readonly {
    readonly args: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly names: readonly string[];
  }[] = [
    { args: "status", names: ["nats://127.0.0.1:4222", "make start", "--nats <url>", "NATS_URL"] },
    { args: `--nats ${CLOSED} log 0`, names: [CLOSED, "The address comes from --nats"] },
    { args: "rooms", env: { NATS_URL: CLOSED }, names: ["The address comes from NATS_URL"] },
    { args: "rooms", env: { NATS_URL: "http://x" }, names: ["NATS_URL", "nats://host:port"] },
    { args: "--nats-nkey nowhere status", names: ["nowhere", "--nats-nkey", "no such file"] },
    { args: `--url http://${CLOSED} send general hi`, names: [CLOSED, "--url"] },
    { args: "--url localhost:8080 token ada", names: ["--url", "expected http://host:port"] },
    { args: `--jaeger http://${CLOSED} trace ${ID}`, names: [CLOSED, "--jaeger <url>"] },
    { args: "trace hello", names: ["'id'", "Expected a message id: a lower-case UUIDv7"] },
    { args: "send b@d hi", names: ["'room'", "Expected a room id: 1 to 64 characters"] },
    { args: "history general --limit 1000", names: ["--limit", "whole number from 1 to 200"] },
    { args: "history general --after 1 --before 2", names: ["--before", "--after"] },
    { args: "log two", names: ["'partition'", "Expected a whole number from 0"] },
    { args: "restore logs", names: ["--database <url>", "DATABASE_URL"] },
    { args: "--database foo restore logs", names: ["--database", "postgres://host:port"] },
    {
      args: "restore logs",
      env: { DATABASE_URL: "postgres://a@b/c", DATABASE_PASSWORD_FILE: "nowhere" },
      names: ["nowhere", "DATABASE_PASSWORD_FILE", "no such file"],
    },
    { args: "restore logs --lost ../x", names: ["--lost", "Expected none, all, or room ids"] },
    { args: "config set volume 11", names: ["volume", "log.level", "limits.send"] },
    { args: "config set log.level debug --service web", names: ["--service", "gateway, room"] },
  ];
  for (const { args, env, names } of cases) {
    it(`failure-text.1: \`parley ${args}\`${env ? ` with ${Object.keys(env).join(", ")}` : ""} fails and names ${names.join(", ")}`, async () => {
      const line = await failure(args, env);
      for (const name of names) expect(line).to.contain(name);
    });
  }

  it("failure-text.1: a cluster's file that is not valid is named, with DATA", async () => {
    writeFileSync(join(data, "cluster.json"), "{oops");
    expect(await failure("status"))
      .to.contain(join(data, "cluster.json"))
      .and.to.contain("DATA");
  });

  it("failure-text.1: an address from a cluster's file names the file", async () => {
    writeFileSync(join(data, "cluster.json"), JSON.stringify({ nats: [{ url: CLOSED }] }));
    expect(await failure("status")).to.contain(`from ${join(data, "cluster.json")}: start that`);
  });

  it("failure-text.1: names the cause of a refused NATS user and of a gateway without dev tokens", () => {
    const target = readTarget({});
    const text = (error: Error): string => failureText(error, target);
    expect(text(new NatsUnreachable("Authorization Violation"))).to.contain("--nats-nkey");
    expect(text(new DevTokenError("no-dev-auth", "none"))).to.contain("needs a dev token");
    expect(text(new DevTokenError("bad-user", "refused"))).to.contain("--user");
    expect(text(new DevTokenError("refused", "none now: 429"))).to.equal("none now: 429");
    expect(text(new DevTokenError("not-parley", "other"))).to.contain("--url <url>");
    const refused = Object.assign(new Error("password failed"), { code: "28P01" });
    expect(text(refused)).to.contain("PostgreSQL").and.to.contain("password failed");
    const unreachable = Object.assign(new AggregateError([]), { code: "ECONNREFUSED" });
    expect(text(unreachable)).to.contain("PostgreSQL cannot be used: ECONNREFUSED");
    expect(text(new CliError("as it is"))).to.equal("as it is");
  });

  it("failure-text.2: prints no password of an address", async () => {
    const nats = await failure(`--nats nats://ada:secret@${CLOSED} status`);
    const database = await failure(`--database postgres://ada:secret@${CLOSED}/x restore logs`);
    expect(`${nats}${database}`).to.not.contain("secret");
  });

  it("target.1: a value that is not valid fails only when a command uses it", () => {
    const target = readTarget({ database: "foo", natsNkey: "nowhere", url: "http://gw:1/" });
    expect(target.url).to.equal("http://gw:1");
    expect(() => target.database).to.throw(CliError, "--database");
    expect(() => target.nats).to.throw(CliError, "--nats-nkey");
  });

  it("settings.1: a refused value of each setting names what was expected, in plain words", async () => {
    for (const name of Object.keys(SETTINGS)) {
      for (const value of ["loud", "-1", "100000"]) {
        const refusal = await setSetting({ url: CLOSED }, { name, value }).catch(String);
        expect(refusal).to.match(/^BadSetting: [a-z.]+: expected /, `${name} ${value}`);
      }
    }
  });

  it("P31: a change of partitions.count names the command that splits", async () => {
    const name = "partitions.count";
    const set = await setSetting({ url: CLOSED }, { name, value: "32" }).catch(String);
    const unset = await unsetSetting({ url: CLOSED }, { name }).catch(String);
    for (const refusal of [set, unset]) expect(refusal).to.contain("parley partitions split");
  });
});
