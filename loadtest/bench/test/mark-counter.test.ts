import { expect } from "chai";
import * as fc from "fast-check";
import { MarkCounter } from "../mark-counter.ts";

describe("MarkCounter", () => {
  it("mark-counter.1: counts independently of the boundaries of the pieces", () => {
    const piece = fc.constantFrom("^^", `"t":"ack"`, `"t":"a`, "^x", "ck", "plain");
    const cuts = fc.array(fc.nat(40), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), cuts, (pieces, at) => {
        const bytes = Buffer.from(pieces.join("|"));
        const ends = [...new Set(at.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
        for (const mark of ["^^", `"t":"ack"`]) {
          const counter = new MarkCounter(mark);
          let count = 0;
          let from = 0;
          for (const end of [...ends, bytes.length]) {
            count += counter.count(bytes.subarray(from, end));
            from = end;
          }
          expect(count).to.equal(bytes.toString().split(mark).length - 1);
        }
      }),
    );
  });
});
