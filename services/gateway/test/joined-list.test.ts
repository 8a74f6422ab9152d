// Joined list: the names of present users, which the owner sends once for several joins of a step.

import { expect } from "chai";
import type { UserId } from "#shared/protocol/ids.ts";
import { GENERAL, SocketFixture } from "./socket-fixture.ts";

describe("The list of a joined frame", () => {
  // Copies of a command are answered one by one, so the list can be newer than the other answer.
  // The simulation found it with seed 132329: a member kept a count that was too low.
  const lists = [["bob"], ["bob", "eve"]] as UserId[][];
  for (const users of lists)
    it(`A1: a join has the list, ${users.join(" and ")}, when the answer of an ended join carries it`, async () => {
      await using fixture = await SocketFixture.open();
      let listedBy: number | undefined;
      fixture.owner.model.instead = (command) => {
        if (command.op !== "join") return undefined;
        const { c } = command;
        const answer = { c, ok: "joined", head: 0, born: "", here: 1 } as const;
        if (listedBy !== undefined) return { ...answer, listedBy };
        listedBy = c;
        return { ...answer, users, here: users.length };
      };
      fixture.owner.stop(); // The lane resends all three commands in one batch.
      const bob = await fixture.connect("bob");
      const room = GENERAL;
      bob.sendFrames(
        { t: "join", room, ref: 1 },
        { t: "leave", room },
        { t: "join", room, ref: 2 },
      );
      await bob.first(({ ref }) => ref === 1, "the end of the first join");
      fixture.owner.serve();
      const joined = await bob.first(({ ref }) => ref === 2, "the second join");
      expect(listedBy).to.be.a("number");
      const here = users.length;
      expect(joined).to.include({ t: "joined", here });
      const presence = await bob.first(
        ({ t }) => t === "caught-up" || t === "presence",
        "the list",
      );
      expect(presence).to.deep.include({ t: "presence", join: users, here, all: true });
    });
});
