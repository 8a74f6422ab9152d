// UserNames: what a gateway hands on to the archive, and what it does not.

import { expect } from "chai";
import type { UserId } from "#shared/protocol/ids.ts";
import { PartitionMap } from "#shared/protocol/partition-map.ts";
import { UserNames } from "../runtime/user-names.ts";
import { OwnerModel } from "./owner-model.ts";
import { ScriptedArchive } from "./scripted-owner.ts";

const ADA = "ada" as UserId;

describe("UserNames", () => {
  const open = (): { archive: ScriptedArchive; names: UserNames } => {
    const archive = new ScriptedArchive(new OwnerModel());
    const map = new PartitionMap(2);
    return { archive, names: new UserNames({ archive, map, clock: { now: () => 50 } }) };
  };
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it("user-names.1: a name is handed on once for each token, and again when it was lost", async () => {
    const { archive, names } = open();
    archive.isDown = true;
    names.say({ user: ADA, name: "Ada", at: 5 });
    await settled();
    archive.isDown = false;
    for (const at of [5, 5, 4]) {
      names.say({ user: ADA, name: "Ada", at });
      await settled();
    }
    names.say({ user: ADA, name: "Ada L.", at: 6 });
    await settled();
    expect(archive.said.map(({ name, at }) => [name, at])).to.deep.equal([
      ["Ada", 5],
      ["Ada L.", 6],
    ]);
  });

  it("DN3: a name is removed as of now, and its next token says it again", async () => {
    const { archive, names } = open();
    names.say({ user: ADA, name: "Ada", at: 5 });
    await settled();
    expect(await names.forget(ADA, ADA)).to.deep.equal({ kind: "forgotten" });
    names.say({ user: ADA, name: "Ada", at: 60 });
    await settled();
    expect(archive.said.map(({ name, at }) => [name, at])).to.deep.equal([
      ["Ada", 5],
      ["", 50],
      ["Ada", 60],
    ]);
  });

  it("user-names.2: a user with too many requests gets busy, and a silent archive unavailable", async () => {
    const { archive, names } = open();
    archive.names = () => new Promise(() => undefined);
    const asked = Array.from({ length: 40 }, () => names.names(ADA, [ADA]));
    expect(await Promise.race(asked)).to.deep.equal({ kind: "refused", error: "busy" });
    archive.isDown = true;
    const other = await names.forget("ben" as UserId, ADA);
    expect(other).to.deep.equal({ kind: "refused", error: "unavailable" });
  });
});
