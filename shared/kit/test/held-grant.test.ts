import { expect } from "chai";
import type { Grant } from "#shared/protocol/regions.ts";
import { HeldGrant } from "../held-grant.ts";

const NONE = { term: 0, for: "nothing", leftMs: 0, mirror: null } as const;

describe("HeldGrant", () => {
  it("held-grant.1, held-grant.2: counts from the request, and only the newest answer", () => {
    const held = new HeldGrant();
    const grant = { v: 1, term: 3, for: "everything", leftMs: 100, mirror: null } as const;
    const old = held.onSent(0);
    const n = held.onSent(50);
    held.onAnswer({ ...grant, n: old });
    expect(held.allows(0, 60)).to.equal("nothing");
    held.onAnswer({ ...grant, n });
    expect(held.allows(7, 149)).to.equal("everything");
    expect(held.takesClients(149)).to.equal(true);
    expect(held.allows(7, 150)).to.equal("nothing");
    expect(held.takesClients(150)).to.equal(false);
  });

  it("T11, held-grant.3: a partition has the right of its home alone", () => {
    const held = new HeldGrant();
    const grant: Grant = {
      v: 1,
      n: held.onSent(0),
      ...NONE,
      homes: [
        {
          home: "east",
          partitions: [0, 2],
          term: 3,
          for: "everything",
          leftMs: 100,
          mirror: "west",
        },
        { home: "west", partitions: [1], term: 5, for: "follow", leftMs: 50, mirror: null },
      ],
      clientsMs: 80,
    };
    held.onAnswer(grant);
    const at = (now: number): string[] => [0, 1, 2, 3].map((p) => held.allows(p, now));
    expect(at(49)).to.deep.equal(["everything", "follow", "everything", "nothing"]);
    expect(at(50)).to.deep.equal(["everything", "nothing", "everything", "nothing"]);
    expect(at(100)).to.deep.equal(["nothing", "nothing", "nothing", "nothing"]);
    expect(held.rightOf(2)).to.include({ term: 3, mirror: "west" });
    expect(held.rightOf(3)).to.equal(undefined);
    expect([79, 80].map((now) => held.takesClients(now))).to.deep.equal([true, false]);
  });

  it("T11: a grant with homes allows a process without homes nothing", () => {
    // An older version reads the outer fields alone.
    const {
      homes: _homes,
      clientsMs: _clients,
      ...outer
    } = {
      v: 1 as const,
      n: 1,
      ...NONE,
      homes: [],
      clientsMs: 9,
    };
    const held = new HeldGrant();
    held.onSent(0);
    held.onAnswer(outer);
    expect(held.allows(0, 0)).to.equal("nothing");
  });
});
