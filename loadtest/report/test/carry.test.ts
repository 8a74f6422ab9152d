import { expect } from "chai";
import { carry, GAP } from "../carry.ts";

const HEAD = ["| row | what | command |", "|---|---|---|"];

function report(rows: readonly string[], soak: string, machine = "one"): string {
  const preamble = ["# Load report", "", `Machine: ${machine}.`, ""];
  return [...preamble, "## Rows", "", ...HEAD, ...rows, "", "### Soak", "", soak, ""].join("\n");
}

describe("Carry", () => {
  const b1 = ["| B1: large | cost 5 | `a` |", "|  | p99 | |"];
  const b2 = ["| B2: busy | cost 3 | `b` |", "|  | p99 | |"];

  it("carry.1: keeps rows without a new measurement at their place, with the rows that belong to them", () => {
    const again = ["| B1: large, reworded | cost 4 | `c` |"];
    const kept = carry(report([...b1, ...b2], "flat"), report(again, GAP));
    expect(kept).to.equal(report([...again, ...b2], "flat"));
  });

  it("carry.1: a new measurement replaces the old one completely", () => {
    const [last, fresh] = [report([...b1, ...b2], "flat"), report([...b1, ...b2], "flatter")];
    expect(carry(last, fresh)).to.equal(fresh);
    expect(carry("", fresh)).to.equal(fresh);
  });

  it("carry.1: puts new rows behind kept rows", () => {
    const kept = carry(report(b1, "flat"), report(b2, "flat"));
    expect(kept).to.equal(report([...b1, ...b2], "flat"));
  });

  it("carry.1: drops a table with another head, and a section that the new report lacks", () => {
    const last = report(b1, "flat").replace("| row | what |", "| row | which |");
    expect(carry(`${last}## Old\n\nwords\n`, report(b2, "flat"))).to.equal(report(b2, "flat"));
  });

  it("carry.2: keeps the machine of kept rows", () => {
    const kept = carry(report(b1, "flat", "one"), report(b2, "flat", "two"));
    expect(kept).to.contain("Machine: two.\nMachine: one.\n");
  });
});
