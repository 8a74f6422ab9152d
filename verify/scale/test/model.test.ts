// The pure parts of the model: kinds, formulas, capacity, the page.

import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { subjects } from "#shared/protocol/subjects.ts";
import type { ProcessId, RoomId } from "#shared/protocol/ids.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { clusterFor, gatewayUs, loadOf, PLANNED, roomNodeUs, sharesOf } from "../capacity.ts";
import { isWithin } from "../compare.ts";
import type { Row } from "../compare.ts";
import { COSTS } from "../constants.ts";
import { FORMULAS, valuesOf } from "../formulas.ts";
import type { Given } from "../formulas.ts";
import { kindOf } from "../kinds.ts";
import { renderInto, USERS } from "../page.ts";
import type { LargeRun } from "../page.ts";
import { LARGE_RUN } from "../page-file.ts";

const CORE_US = 1_000_000;

describe("Model of scale", () => {
  it("kinds.1: a subject without a kind throws", () => {
    const room = "general" as RoomId;
    const id = "gw-1" as ProcessId;
    expect(kindOf(subjects.beat("room"))).to.equal("room beat");
    expect(kindOf(subjects.ping(id))).to.equal("ping");
    expect(kindOf(subjects.commandsOf(3, 9))).to.equal("command");
    expect(kindOf(subjects.results(id))).to.equal("result");
    expect(kindOf(subjects.out(room))).to.equal("line");
    expect(kindOf("_INBOX room-1 7")).to.equal("answer");
    for (const unknown of ["node.other", "new.3", "cmdx.3", "node.a.b.ping", "log"]) {
      expect(() => kindOf(unknown), unknown).to.throw("no kind");
    }
  });

  it("scale/model.1: a count that differs by more than a tenth is no match", () => {
    const row = (counted: number, computed: number): Row => {
      return { phase: "a chat message", kind: "line", direction: "out", counted, computed };
    };
    expect(isWithin(row(109, 100))).to.equal(true);
    expect(isWithin(row(111, 100))).to.equal(false);
    expect(isWithin(row(89, 100))).to.equal(false);
    expect(isWithin(row(0, 100))).to.equal(false);
    expect(isWithin(row(1, 0))).to.equal(false);
  });

  it("formulas.1: each text on the page has the value of its function", () => {
    for (const users of USERS) {
      for (const roomNodes of [3, 50]) {
        const load = loadOf(users);
        const cluster = { ...clusterFor(load, COSTS), roomNodes, partitions: 256 };
        const given: Given = { cluster, load, costs: COSTS };
        const names = { ...valuesOf(given), ...COSTS, min: Math.min, exp: Math.exp };
        const context = createContext(names);
        for (const { what, text, value } of FORMULAS) {
          const expected = value(given);
          const off =
            Math.abs(Number(runInContext(codeOf(text), context)) - expected) / Math.abs(expected);
          expect(off, `${what}: ${text}`).to.be.below(1e-9);
        }
      }
    }
  });

  it("capacity.1: no share falls when the users of a cluster grow", () => {
    const cluster = clusterFor(loadOf(1_000_000), COSTS);
    let before = sharesOf(cluster, loadOf(1_000), COSTS);
    for (const users of [10_000, 100_000, 1_000_000, 3_000_000]) {
      const now = sharesOf(cluster, loadOf(users), COSTS);
      for (const [index, { name, used }] of now.entries()) {
        expect(used, name).to.be.at.least(before[index]?.used ?? Infinity);
      }
      before = now;
    }
  });

  it("capacity.2: no process of the proposed cluster needs more than its planned share", () => {
    for (const users of USERS) {
      const load = loadOf(users);
      const cluster = clusterFor(load, COSTS);
      expect(roomNodeUs(cluster, load, COSTS)).to.be.at.most(PLANNED * CORE_US);
      expect(gatewayUs(cluster, load, COSTS)).to.be.at.most(PLANNED * CORE_US);
    }
  });

  it("page.1: docs/scale.md has the tables of the model", () => {
    const folder = join(import.meta.dirname, "..");
    const run = JSON.parse(readFileSync(join(folder, LARGE_RUN), "utf8")) as LargeRun;
    const page = readFileSync(join(REPOSITORY, "docs/scale.md"), "utf8");
    expect(page).to.equal(renderInto(page, run));
    expect(page.match(/^<!-- scale: /gm)).to.have.length.above(8);
  });
});

/** A formula of the page as JavaScript. */
function codeOf(text: string): string {
  return text.replaceAll("−", "-").replaceAll("×", "*").replaceAll("^", "**");
}
