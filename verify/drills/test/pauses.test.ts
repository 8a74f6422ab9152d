import { expect } from "chai";
import { pausesOf, recordsIn } from "../pauses.ts";

function line(phase: "invoke" | "ok", t: number, id: string, room = "general"): string {
  const answer = phase === "ok" ? { seq: 1, at: 1, via: "gateway-1" } : { body: {} };
  return JSON.stringify({ t, client: "c", conn: 1, op: "send", phase, room, id, ...answer });
}

describe("Pauses", () => {
  it("pauses.1: a message that is sent again after its acknowledgement begins a new wait", () => {
    const records = [
      line("invoke", 100, "a"),
      line("ok", 110, "a"),
      line("invoke", 5_000, "a"),
      line("ok", 5_020, "a"),
      line("invoke", 5_100, "b"),
      line("invoke", 5_400, "b"), // Sent again without an answer.
      line("ok", 5_700, "b"),
      line("invoke", 9_000, "c"),
      line("ok", 9_900, "c"),
    ];
    const span = { from: 4_900, to: 6_000 };
    expect([...pausesOf(recordsIn(records.join("\n")), [span]).values()]).to.deep.equal([[600]]);
  });
});
