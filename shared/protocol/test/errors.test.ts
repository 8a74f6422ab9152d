// Errors, close codes and result batches: the tables, and the frames made of them.

import { expect } from "chai";
import { CLOSE, nextStep } from "../close-codes.ts";
import type { CloseName, NextStep } from "../close-codes.ts";
import { encodeResults, encodeResync } from "../results.ts";
import { errorFrame, ERRORS } from "../errors.ts";
import type { ErrorName } from "../errors.ts";

describe("Errors", () => {
  it("F6: code, retry and text of an error come from its row of the table", () => {
    for (const [name, row] of Object.entries(ERRORS)) {
      expect(errorFrame(name as ErrorName, { afterMs: 5 })).to.deep.equal({
        t: "error",
        name,
        ...row,
        afterMs: 5,
      });
      expect(row.code).to.be.within(400, 503);
    }
    const temporary = Object.entries(ERRORS).filter(([, row]) => row.retry);
    expect(temporary.map(([name]) => name).sort()).to.deep.equal([
      "busy",
      "internal",
      "rate_limited",
      "unavailable",
    ]);
  });

  it("F6: busy and unavailable always have a wait", () => {
    const names = Object.keys(ERRORS) as ErrorName[];
    const waits = names.filter((name) => errorFrame(name).afterMs !== undefined);
    expect(waits.sort()).to.deep.equal(["busy", "unavailable"]);
    for (const name of ["busy", "unavailable"] as const) {
      expect(errorFrame(name).afterMs, name).to.equal(1_000);
    }
    expect(errorFrame("busy", { afterMs: 70 }).afterMs).to.equal(70);
  });

  it("F6: a detail identifies the request and can replace the message, and nothing else", () => {
    const frame = errorFrame("rate_limited", { id: "x", room: "general", afterMs: 900 });
    expect(frame).to.deep.equal({
      t: "error",
      name: "rate_limited",
      ...ERRORS.rate_limited,
      id: "x",
      room: "general",
      afterMs: 900,
    });
    expect(errorFrame("bad_frame", { ref: 1, message: "ref is not valid" })).to.include({
      message: "ref is not valid",
      code: 400,
    });
    expect(errorFrame("busy", { message: undefined }).message).to.equal(ERRORS.busy.message);
  });

  it("K4: the table of close codes names the client's next step for each row", () => {
    const steps: { readonly [Name in CloseName]: readonly [number, NextStep] } = {
      idle: [1001, "reconnect"],
      noSubprotocol: [1008, "stop"],
      noHello: [1008, "stop"],
      binaryFrame: [1008, "stop"],
      tooManyEarlyFrames: [1008, "stop"],
      tooManyBrokenFrames: [1008, "stop"],
      tooBig: [1009, "stop"],
      restart: [1012, "reconnect"],
      otherGrants: [1012, "reconnect"],
      overload: [1013, "reconnect"],
      tooManyTries: [1013, "reconnect"],
      noKeys: [1013, "reconnect"],
      slow: [4000, "reconnect"],
      sessionMoved: [4001, "reconnect"],
      lateHello: [4002, "reconnect"],
      tokenExpired: [4003, "renew-token"],
      badToken: [4500, "replace-token"],
      revoked: [4501, "stop"],
      kicked: [4501, "stop"],
      sessionEnded: [4501, "stop"],
      banned: [4502, "stop"],
      tooManyConnections: [4503, "reconnect-slowly"],
    };
    for (const [name, { code }] of Object.entries(CLOSE)) {
      expect([code, nextStep(code)], name).to.deep.equal(steps[name as CloseName]);
    }
  });

  it("K4: the range decides about a code that is not in the table", () => {
    for (const code of [1000, 1002, 1005, 1006, 1007, 1011, 4100, 4499]) {
      expect(nextStep(code), String(code)).to.equal("reconnect");
    }
    for (const code of [4504, 4999]) expect(nextStep(code), String(code)).to.equal("stop");
  });

  it("close-codes.1: rows with one code have one next step, and every reason fits a close frame", () => {
    for (const { code, next } of Object.values(CLOSE)) expect(nextStep(code)).to.equal(next);
    for (const { reason } of Object.values(CLOSE)) {
      expect(new TextEncoder().encode(reason).length, "a close frame takes 123").to.be.below(123);
    }
  });
});

describe("Result batches", () => {
  it("O9: the lines of ranges follow the header in the order of their results", () => {
    const text = encodeResults(3, 812, [
      { result: { c: 1, ok: "range", first: 7, count: 2 }, lines: ["{seven}", "{eight}"] },
      { result: { c: 2, ok: "left" } },
      { result: { c: 3, ok: "range", first: 9, count: 0 }, lines: [] },
      { result: { c: 4, ok: "range", first: 1, count: 1 }, lines: ["{one}"] },
    ])[0]!;
    const [header, ...lines] = text.split("\n");
    expect(JSON.parse(header ?? "")).to.deep.equal({
      v: 1,
      p: 3,
      epoch: 812,
      results: [
        { c: 1, ok: "range", first: 7, count: 2 },
        { c: 2, ok: "left" },
        { c: 3, ok: "range", first: 9, count: 0 },
        { c: 4, ok: "range", first: 1, count: 1 },
      ],
    });
    expect(lines).to.deep.equal(["{seven}", "{eight}", "{one}"]);
  });

  it("P8: a resync names the incarnation that is out of step", () => {
    expect(JSON.parse(encodeResync(3, 812, 17))).to.deep.equal({
      v: 1,
      p: 3,
      epoch: 812,
      results: [],
      resync: 17,
    });
  });
});
