// LazyMap against a Map.

import { expect } from "chai";
import * as fc from "fast-check";
import { LazyMap } from "../lazy-map.ts";

const step = fc.record({
  op: fc.constantFrom("set", "delete", "get", "clear"),
  key: fc.nat(3),
});

describe("LazyMap", () => {
  it("lazy-map.1: answers as a Map does, before its first entry and after it", () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const [lazy, map] = [new LazyMap<number, number>(), new Map<number, number>()];
        for (const [n, { op, key }] of steps.entries()) {
          if (op === "set") {
            lazy.set(key, n);
            map.set(key, n);
          } else if (op === "delete") expect(lazy.delete(key)).to.equal(map.delete(key));
          else if (op === "get") expect(lazy.get(key)).to.equal(map.get(key));
          else {
            lazy.clear();
            map.clear();
          }
          expect(lazy.has(key)).to.equal(map.has(key));
          expect(lazy.size).to.equal(map.size);
          expect([...lazy]).to.deep.equal([...map]);
          expect([...lazy.keys()]).to.deep.equal([...map.keys()]);
          expect([...lazy.values()]).to.deep.equal([...map.values()]);
        }
      }),
    );
  });

  it("lazy-map.2: a loop may delete the entries that it has visited", () => {
    for (const keys of [[], [1], [1, 2, 3]]) {
      const map = new LazyMap<number, string>();
      for (const key of keys) map.set(key, "");
      const visited: number[] = [];
      for (const [key] of map) {
        map.delete(key);
        visited.push(key);
      }
      expect(visited).to.deep.equal(keys);
      expect(map.size).to.equal(0);
    }
  });
});
