// Service counters: what the logs of a run count as.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { countServices } from "../service-counters.ts";

describe("Service counters", () => {
  it("run.4: counts a foretold leak, and no forecast of the log or the archive", () => {
    const logs = mkdtempSync(join(tmpdir(), "parley-service-counters-"));
    try {
      const lines = (resources: readonly string[]): string =>
        resources.map((resource) => `${line({ resource, msg: "exhaustion foretold" })}\n`).join("");
      writeFileSync(join(logs, "room-1.log"), lines(["heap", "log", "files"]));
      writeFileSync(join(logs, "gateway-1.log"), lines(["rss", "archive", "event-loop"]));
      expect(countServices(logs).falseAlarms).to.equal(3);
    } finally {
      rmSync(logs, { recursive: true, force: true });
    }
  });

  it("run.4: counts fences, refused appends and dropped lines over all processes", () => {
    const logs = mkdtempSync(join(tmpdir(), "parley-service-counters-"));
    try {
      const conflict = { msg: "tenure ended", outcome: { kind: "conflict" } };
      const room = [line({ msg: "partition fenced" }), line(conflict), "no JSON"];
      writeFileSync(join(logs, "room-1.log"), `${room.join("\n")}\n`);
      const dropped = line({ msg: "log lines were dropped", lines: 7 });
      writeFileSync(join(logs, "gateway-1.log"), `${dropped}\n${dropped}\n`);
      expect(countServices(logs)).to.deep.equal({
        staleRefused: 1,
        fenced: 1,
        linesDropped: 14,
        falseAlarms: 0,
      });
    } finally {
      rmSync(logs, { recursive: true, force: true });
    }
  });
});

function line(record: object): string {
  return JSON.stringify(record);
}
