// `parley export`: whole and continued files, from a gateway that breaks off.

import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { encodeExportEnd, encodeExportError, encodeExportHead } from "#shared/protocol/export.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import { runProgram } from "../program.ts";

const HEAD = 6;
const room = "plans" as never;

function eventLine(seq: number): string {
  const id = `0199f000-0000-7000-8000-${String(seq).padStart(12, "0")}` as never;
  return encodeEvent({
    t: "msg",
    room,
    seq,
    id,
    from: "ada" as never,
    at: seq,
    body: { text: "é" },
  });
}

describe("parley export", () => {
  let server: Server;
  let url = "";
  let dir = "";
  const asked: string[] = [];
  /** What each answer has; then the connection breaks, when it has no end. */
  let answers: ((after: number) => string)[] = [];

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "parley-export-"));
    server = createServer((request, response) => {
      const after = Number(new URL(request.url ?? "", "http://x").searchParams.get("after"));
      asked.push(`${request.headers.authorization} ${request.url}`);
      const text = (answers.shift() ?? whole)(after);
      if (text.endsWith("}\n")) response.end(text);
      else response.write(text, () => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.close();
    rmSync(dir, { recursive: true });
  });

  const head = (after: number): string => encodeExportHead({ room, born: "b", after, head: HEAD });
  const lines = (after: number, to: number): string[] => [
    head(after),
    ...Array.from({ length: Math.max(0, to - after) }, (_, i) => eventLine(after + i + 1)),
  ];
  const whole = (after: number): string =>
    `${[...lines(after, HEAD), encodeExportEnd(HEAD)].join("\n")}\n`;
  const run = async (...args: string[]): Promise<{ code: number; errors: string }> => {
    asked.length = 0;
    let errors = "";
    const say = (line: string): void => void (errors += line);
    return {
      code: await runProgram(["--url", url, "--token", "t", "export", ...args], say),
      errors,
    };
  };

  it("cli/export.1: continues behind the last whole line after a break and a temporary refusal", async () => {
    const file = join(dir, "one.ndjson");
    answers = [
      () => lines(0, 2).join("\n") + "\n" + eventLine(3).slice(0, 40),
      (after) => `${[...lines(after, 4), encodeExportError("unavailable")].join("\n")}\n`,
    ];
    expect(await run("plans", "--file", file)).to.include({ code: 0 });
    expect(readFileSync(file, "utf8")).to.equal(whole(0));
    expect(asked).to.deep.equal(
      [0, 2, 4].map((after) => `Bearer t /v1/rooms/plans/export?after=${after}`),
    );
  });

  it("cli/export.2: continues a file that a killed command left, and leaves a complete one", async () => {
    const file = join(dir, "two.ndjson");
    writeFileSync(file, `${lines(0, 3).join("\n")}\n${eventLine(4).slice(0, 50)}`);
    expect(await run("plans", "--file", file)).to.include({ code: 0 });
    expect(readFileSync(file, "utf8")).to.equal(whole(0));
    expect(asked).to.have.length(1);
    expect(await run("plans", "--file", file)).to.include({ code: 0 });
    expect(asked).to.have.length(0);
    const other = await run("other", "--file", file);
    expect([other.code, other.errors]).to.deep.equal([1, `parley: ${file} is an export of plans`]);
  });

  it("cli/export.1: a permanent refusal ends it, and so do failures without progress", async () => {
    answers = [() => `${[head(0), encodeExportError("forbidden")].join("\n")}\n`];
    const refused = await run("plans", "--file", join(dir, "three.ndjson"));
    expect([refused.code, asked.length]).to.deep.equal([1, 1]);
    expect(refused.errors).to.contain("forbidden");
    answers = Array.from({ length: 5 }, () => () => "{");
    const broken = await run("plans", "--file", join(dir, "four.ndjson"));
    expect([broken.code, asked.length]).to.deep.equal([1, 5]);
    expect(broken.errors).to.contain("the export ended at 0");
  }).timeout(10_000);
});
