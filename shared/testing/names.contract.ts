// Names: the contract of shared/ports/names.ts. Each store runs it (ports/names.1).

import { expect } from "chai";
import type { NameStore } from "../ports/names.ts";
import type { UserId } from "../protocol/ids.ts";

const ADA = "ada" as UserId;
const BEN = 'b"e,n\u{1F600}' as UserId;

export interface NamesUnderTest extends AsyncDisposable {
  readonly store: NameStore;
}

export function namesContract(name: string, open: () => Promise<NamesUnderTest>): void {
  describe(`Names contract: ${name}`, () => defineContract(open));
}

function defineContract(open: () => Promise<NamesUnderTest>): void {
  const shown = async (store: NameStore, ...users: UserId[]): Promise<unknown> => {
    const read = await store.names(users);
    return read.kind === "ok" ? Object.fromEntries(read.value) : read;
  };

  it("DN1, ports/names.1: the newest name is in force, whatever order they arrive in", async () => {
    await using archive = await open();
    const { store } = archive;
    expect(await shown(store, ADA, BEN)).to.deep.equal({});
    await store.putName({ user: ADA, name: "Ada", at: 5 });
    await store.putName({ user: ADA, name: "Augusta", at: 4 });
    await store.putName({ user: BEN, name: 'B"e, {n}\u{1F600}', at: 1 });
    expect(await shown(store, ADA, BEN)).to.deep.equal({
      [ADA]: "Ada",
      [BEN]: 'B"e, {n}\u{1F600}',
    });
    await store.putName({ user: ADA, name: "Ada Lovelace", at: 5 });
    expect(await shown(store, ADA)).to.deep.equal({ [ADA]: "Ada Lovelace" });
  });

  it("DN3, ports/names.2: a removed name does not come back with an older token", async () => {
    await using archive = await open();
    const { store } = archive;
    await store.putName({ user: ADA, name: "Ada", at: 5_000 });
    await store.putName({ user: ADA, name: "", at: 9_000 });
    await store.putName({ user: ADA, name: "Ada", at: 8_000 });
    expect(await shown(store, ADA)).to.deep.equal({});
    await store.putName({ user: ADA, name: "Ada B.", at: 9_001 });
    expect(await shown(store, ADA)).to.deep.equal({ [ADA]: "Ada B." });
  });
}
