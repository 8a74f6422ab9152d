// FairLine, by example: the next work to begin, and the refused work.

import { expect } from "chai";
import { FairLine } from "../core/fair-line.ts";
import type { LineBounds } from "../core/fair-line.ts";

function bench(bounds: Partial<LineBounds>) {
  const line = new FairLine<number>({
    places: 100,
    perGroup: 100,
    perUser: 100,
    waiting: 100,
    waitingPerUser: 100,
    ...bounds,
  });
  const began: string[] = [];
  const request = (user: string, group: number, name: string, isDone = false): boolean =>
    line.request(user, group, () => {
      began.push(name);
      return !isDone;
    });
  const begun = (): string[] => began.splice(0);
  return { line, request, begun };
}

describe("FairLine", () => {
  it("fair-line.1: waiting users get one place each in turn, and their own work keeps its order", () => {
    const { line, request, begun } = bench({ places: 1 });
    for (const name of ["a1", "a2", "a3", "b1", "b2", "c1"]) request(name[0]!, 0, name);
    expect([begun(), line.waits]).to.deep.equal([["a1"], 5]);
    const order: string[] = [];
    for (let user = "a"; ; user = order.at(-1)![0]!) {
      line.end(user, 0);
      const next = begun();
      if (next.length === 0) break;
      expect(next).to.have.length(1);
      order.push(...next);
    }
    expect(order).to.deep.equal(["a2", "b1", "c1", "a3", "b2"]);
    expect(line.waits).to.equal(0);
    request("d", 0, "d1");
    expect(begun()).to.deep.equal(["d1"]);
  });

  it("fair-line.1: work of a group without a place is skipped, within a user and between users", () => {
    const { line, request, begun } = bench({ places: 2, perGroup: 1 });
    request("a", 1, "a-hangs");
    request("b", 2, "b-runs");
    request("a", 1, "a-waits-for-1");
    request("a", 1, "a-waits-for-1-too");
    request("a", 2, "a-waits-for-2");
    request("c", 1, "c-waits-for-1");
    expect([begun(), line.waits]).to.deep.equal([["a-hangs", "b-runs"], 4]);
    line.end("b", 2);
    expect([begun(), line.waits]).to.deep.equal([["a-waits-for-2"], 3]);
    line.end("a", 2);
    expect(begun()).to.deep.equal([]);
    line.end("a", 1);
    expect(begun(), "a's last request came after c's").to.deep.equal(["c-waits-for-1"]);
    line.end("c", 1);
    line.end("a", 1);
    expect([begun(), line.waits]).to.deep.equal([["a-waits-for-1", "a-waits-for-1-too"], 0]);
  });

  it("fair-line.2: exactly the bounded number is in progress: in total, per group and per user", () => {
    const all = bench({ places: 2 });
    for (const user of ["a", "b", "c"]) all.request(user, 0, user);
    expect(all.begun()).to.deep.equal(["a", "b"]);
    const group = bench({ perGroup: 2 });
    for (const user of ["a", "b", "c"]) group.request(user, 0, user);
    group.request("d", 1, "d");
    expect(group.begun()).to.deep.equal(["a", "b", "d"]);
    const user = bench({ perUser: 2 });
    for (const name of ["a1", "a2", "a3"]) user.request("a", Number(name[1]), name);
    user.request("b", 1, "b1");
    expect(user.begun()).to.deep.equal(["a1", "a2", "b1"]);
    user.line.end("b", 1);
    expect(user.begun(), "the end of another group's work gives a no place").to.deep.equal([]);
    user.line.end("a", 1);
    expect(user.begun()).to.deep.equal(["a3"]);
  });

  it("fair-line.2: work that began for another user takes no place, and the next one follows at once", () => {
    const { line, request, begun } = bench({ places: 1, perUser: 1, perGroup: 1 });
    request("a", 0, "shared", true);
    request("a", 0, "a1");
    request("b", 0, "shared-too", true);
    request("c", 0, "c1");
    request("d", 0, "d1");
    expect(begun()).to.deep.equal(["shared", "a1"]);
    line.end("a", 0);
    expect([begun(), line.waits]).to.deep.equal([["shared-too", "c1"], 1]);
  });

  it("fair-line.3: exactly the bounded number waits, in total and per user; refused work takes no place", () => {
    const { line, request, begun } = bench({ places: 1, waiting: 3, waitingPerUser: 2 });
    const taken = ["x1", "a1", "a2", "a3", "b1", "b2", "c1"].map((name) =>
      request(name[0]!, 0, name),
    );
    expect(taken).to.deep.equal([true, true, true, false, true, false, false]);
    expect([line.waits, begun()]).to.deep.equal([3, ["x1"]]);
    line.end("x", 0);
    expect(begun()).to.deep.equal(["a1"]);
    expect(request("a", 1, "a4")).to.equal(true);
    expect(request("a", 1, "a5")).to.equal(false);
    expect(line.waits).to.equal(3);
  });

  it("fair-line.2: an end frees one place of its user and of its group", () => {
    const { line, request, begun } = bench({ perUser: 2, perGroup: 3 });
    for (const name of ["a1", "a2", "a3", "a4"]) request("a", 0, name);
    line.end("a", 0);
    expect(begun()).to.deep.equal(["a1", "a2", "a3"]);
    for (const name of ["b1", "b2"]) request("b", 0, name);
    line.end("a", 0);
    expect(begun(), "the group has three").to.deep.equal(["b1", "a4"]);
    line.end("b", 0);
    expect(begun()).to.deep.equal(["b2"]);
    line.end("a", 0);
    request("c", 0, "c1");
    request("c", 0, "c2");
    expect([begun(), line.waits]).to.deep.equal([["c1"], 1]);
  });

  it("fair-line.1: a user whose work has all begun goes behind the others with its next request", () => {
    const { line, request, begun } = bench({ places: 1 });
    for (const name of ["x", "a1", "b1"]) request(name[0]!, 0, name);
    line.end("x", 0);
    request("c", 0, "c1");
    request("a", 0, "a2");
    for (const user of ["a", "b", "c"]) line.end(user, 0);
    expect(begun()).to.deep.equal(["x", "a1", "b1", "c1", "a2"]);
  });
});
