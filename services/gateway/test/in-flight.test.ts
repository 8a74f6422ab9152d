// InFlight: the bounds on calls in progress, and what a failed call leaves behind.

import { expect } from "chai";
import { InFlight } from "../core/in-flight.ts";

/** A call that ends when the test says so. */
function openCall() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return { call: () => promise, resolve, reject };
}

describe("InFlight", () => {
  it("in-flight.1: beyond the bound of its key a call does not begin, and calls of other keys do", async () => {
    const inFlight = new InFlight<string>(2, 9);
    const calls = [openCall(), openCall()];
    const ends = calls.map(({ call }) => inFlight.run("ada", call));
    expect(await inFlight.run("ada", () => Promise.reject(new Error("begun")))).to.equal(undefined);
    expect(await inFlight.run("ben", () => Promise.resolve("begun"))).to.equal("begun");
    calls[0]!.resolve("first");
    expect(await ends[0]).to.equal("first");
    const third = openCall();
    const end = inFlight.run("ada", third.call);
    expect(await inFlight.run("ada", () => Promise.reject(new Error("begun")))).to.equal(undefined);
    calls[1]!.resolve("second");
    third.resolve("third");
    expect(await Promise.all([ends[1], end])).to.deep.equal(["second", "third"]);
  });

  it("in-flight.1: beyond the bound of all a call does not begin, whatever its key", async () => {
    const inFlight = new InFlight<string>(2, 2);
    const calls = [openCall(), openCall()];
    const ends = calls.map(({ call }, n) => inFlight.run(`user ${n}`, call));
    expect(await inFlight.run("late", () => Promise.reject(new Error("begun")))).to.equal(
      undefined,
    );
    calls[0]!.resolve("first");
    await ends[0];
    expect(await inFlight.run("late", () => Promise.resolve("begun"))).to.equal("begun");
    calls[1]!.resolve("second");
    await ends[1];
  });

  it("in-flight.1: a call that fails gives its places back", async () => {
    const inFlight = new InFlight<string>(1, 1);
    const failed = await inFlight
      .run("ada", () => Promise.reject(new Error("broken")))
      .catch((error: unknown) => String(error));
    expect(failed).to.equal("Error: broken");
    expect(await inFlight.run("ada", () => Promise.resolve("begun"))).to.equal("begun");
  });
});
