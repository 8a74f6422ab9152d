// Two versions: the oldest supported version and this one in one cluster, while a room node is
// killed and every service is restarted in turn. Every restart changes the version of its process.
//
// Skipped, with the reason, when the history of this clone lacks that version. It takes about 50 s,
// and longer once, when the packages of that version must be installed.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { skipTest } from "#tools/test-run/skip.ts";
import { printFigure } from "#tools/test-run/figure.ts";
import { checkOut, MissingVersion, OLDEST } from "../../versions/checkout.ts";
import type { Checkout } from "../../versions/checkout.ts";
import { rowsNamed } from "../plan.ts";
import type { Row } from "../plan.ts";
import { TwoVersions } from "../two-versions.ts";
import { expectClean, runShort } from "./short-run.ts";

const FAULTS = ["F2", "F22"];

/** F22 counts errors of clients, and the older version may cause some: D13 came after it. */
function shortAndLoud(row: Row): Row {
  const { name, what, since, backMs, holdMs } = row;
  return { name, what, since, backMs, holdMs, costMs: 3_000 };
}

async function oldest(): Promise<Checkout | MissingVersion> {
  try {
    return await checkOut(OLDEST, (line) => printFigure(line));
  } catch (error: unknown) {
    if (error instanceof MissingVersion) return error;
    throw error;
  }
}

describe("Two versions", () => {
  let dir = "";
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "parley-versions-"));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it("N7: with the oldest supported version beside this one, no invariant breaks, and partitions pass both ways", async function () {
    this.timeout(600_000); // The packages of that version may have to be installed first.
    const previous = await oldest();
    if (previous instanceof MissingVersion) skipTest(this, previous.message);
    const rows = rowsNamed(FAULTS).map(shortAndLoud);
    const run = await runShort({ seconds: 14, rows, dir, previous }); // Each fault once.
    const { counts, faults } = run.report;
    printFigure(JSON.stringify(counts));
    printFigure(run.versions ?? "");
    expectClean(run);
    expect(new Set(faults.map(({ fault }) => fault))).to.deep.equal(new Set(FAULTS));
  });

  it("two-versions.1: services of one kind begin with different versions, and each restart changes its version", () => {
    const [ours, other] = ["this", "old"].map((version) => ({ version, folder: `/${version}` }));
    const versions = new TwoVersions(ours!, other!);
    const next = (service: string): string => versions.next(service).version;
    expect(["room-1", "room-2", "room-1", "room-1", "room-2"].map(next)).to.deep.equal([
      "this",
      "old",
      "old",
      "this",
      "this",
    ]);
    versions.passed("this", "old");
    versions.passed("old", "old");
    expect(versions.complaints()).to.deep.equal([
      "no partition passed from one version to the other: old → this",
    ]);
    versions.passed("old", "this");
    expect(versions.complaints()).to.deep.equal([]);
  });
});
