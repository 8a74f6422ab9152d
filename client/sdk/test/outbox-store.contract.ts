// OutboxStore: the contract of every store.

import { expect } from "chai";
import type { OutboxStore, StoredSend } from "../kept-sends.ts";

export const send = (n: number): StoredSend => ({
  id: `0199f000-0000-7000-8000-${String(n).padStart(12, "0")}`,
  room: "general",
  text: `{"t":"send","n":${n}}`,
  at: 1_000 + n,
});

const never = (): void => undefined;

/** `open` creates a store on the same data. `crash` ends the last one, as a crash would. */
export function outboxStoreContract(
  name: string,
  open: () => OutboxStore,
  crash: () => Promise<void>,
): void {
  describe(`OutboxStore contract: ${name}`, () => {
    it("kept-sends.4: sends survive a crash, in their order, until they are deleted", async () => {
      const store = open();
      expect(await store.open(never)).to.deep.equal([]);
      await Promise.all([1, 2, 3, 4].map((n) => store.put(send(n))));
      await store.delete(send(2).id);
      await store.delete("unknown");
      await crash();
      const next = open();
      expect((await next.open(never)).map(({ text }) => text)).to.deep.equal(
        [1, 3, 4].map((n) => send(n).text),
      );
      await next.delete(send(1).id);
      await next.put(send(5));
      await crash();
      const ids = (await open().open(never)).map(({ id }) => id);
      expect(ids).to.deep.equal([3, 4, 5].map((n) => send(n).id));
      await crash();
    });

    it("kept-sends.4: a put and its delete at once leave nothing", async () => {
      const store = open();
      const before = await store.open(never);
      const changes = [store.put(send(9)), store.delete(send(9).id)];
      for (const { id } of before) changes.push(store.delete(id));
      await Promise.all(changes);
      await crash();
      expect(await open().open(never)).to.deep.equal([]);
      await crash();
    });
  });
}
