// ObservedStore: it is a store like the one below it, and it counts the failures of the store only.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { FolderStore } from "../../adapters/attachment-folder.ts";
import { systemClock } from "../../adapters/clock-system.ts";
import { objectName, ofLength } from "../../ports/attachment-store.ts";
import type { AttachmentStore, StoredObject } from "../../ports/attachment-store.ts";
import { attachmentStoreContract } from "../../testing/attachment-store.contract.ts";
import { FakeClock } from "../../testing/fake-clock.ts";
import { Metrics } from "../metrics.ts";
import { ObservedStore, registerStore } from "../observed-store.ts";

const NAME = objectName("01890000-0000-7000-8000-000000000001");

attachmentStoreContract("observed", async () => {
  const dir = await mkdtemp(join(tmpdir(), "parley-observed-"));
  return {
    store: new ObservedStore(await FolderStore.open(dir, Date.now()), systemClock),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
});

/** Takes `storeMs` for each part, and does what `then` says after the last one. */
function scripted(clock: FakeClock, storeMs: number, then: () => Promise<unknown>) {
  const store = {
    put: async (_name, content, bytes) => {
      for await (const _ of ofLength(content, bytes)) clock.advance(storeMs);
      await then();
      return "stored";
    },
    get: async () => (await then()) as StoredObject,
    remove: async () => void (await then()),
  } satisfies AttachmentStore;
  return new ObservedStore(store, clock);
}

/** Each part comes `waitMs` after it was asked for; `end` follows the last one. */
async function* client(
  clock: FakeClock,
  waitMs: number,
  end: () => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  for (const part of ["ab", "cd"]) {
    clock.advance(waitMs);
    yield await Promise.resolve(Buffer.from(part));
  }
  end();
}

const away = (): Promise<never> => Promise.reject(new Error("no answer"));
const failed = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );
const errorsOf = (store: ObservedStore): object =>
  Object.fromEntries([...store.errors].filter(([, count]) => count > 0));

describe("ObservedStore", () => {
  it("E14: the time of a put is without the waits for the client", async () => {
    const clock = new FakeClock();
    const store = scripted(clock, 20, () => Promise.resolve());
    await store.put(NAME, client(clock, 5_000), 4);
    expect(store.seconds.put.sum).to.be.closeTo(0.04, 1e-9);
    expect(errorsOf(store)).to.deep.equal({});
  });

  it("E14: a failure of each operation counts, and has a time", async () => {
    const clock = new FakeClock();
    const store = scripted(clock, 0, away);
    expect(await failed(store.put(NAME, client(clock, 0), 4))).to.be.instanceOf(Error);
    expect(await failed(store.get(NAME))).to.be.instanceOf(Error);
    expect(await failed(store.remove([NAME]))).to.be.instanceOf(Error);
    expect(errorsOf(store)).to.deep.equal({ put: 1, get: 1, remove: 1 });
    for (const { counts } of Object.values(store.seconds)) {
      expect(counts.reduce((sum, count) => sum + count, 0)).to.equal(1);
    }
  });

  it("E14: a client that leaves, or sends another length, is no failure of the store", async () => {
    const clock = new FakeClock();
    const store = scripted(clock, 0, () => Promise.resolve());
    const leaves = client(clock, 0, () => {
      throw new Error("aborted");
    });
    expect(await failed(store.put(NAME, leaves, 6))).to.be.instanceOf(Error);
    expect(await failed(store.put(NAME, client(clock, 0), 3))).to.be.instanceOf(Error);
    expect(await failed(store.put(NAME, client(clock, 0), 5))).to.be.instanceOf(Error);
    expect(errorsOf(store)).to.deep.equal({});
  });

  it("E14: content that breaks counts as a read, unless its reader closed it", async () => {
    const clock = new FakeClock();
    const broken = (): Promise<StoredObject> =>
      Promise.resolve({
        bytes: 4,
        content: client(clock, 0, () => {
          throw new Error("no answer");
        }),
        close: () => Promise.resolve(),
      });
    const read = async (store: ObservedStore, isClosed: boolean): Promise<void> => {
      const object = await store.get(NAME);
      for await (const _ of object?.content ?? []) if (isClosed) await object?.close();
    };
    const store = scripted(clock, 0, broken);
    expect(await failed(read(store, false))).to.be.instanceOf(Error);
    expect(await failed(read(store, true))).to.be.instanceOf(Error);
    expect(errorsOf(store)).to.deep.equal({ read: 1 });
  });

  it("E14: the metrics have every operation from the start", async () => {
    const metrics = new Metrics({ service: "gateway", version: "1" });
    registerStore(metrics, scripted(new FakeClock(), 0, away));
    const text = await metrics.render();
    for (const op of ["put", "get", "read", "remove"]) {
      expect(text).to.contain(`parley_attachment_store_errors_total{op="${op}"} 0\n`);
    }
    expect(text).to.contain('parley_attachment_store_seconds_count{op="put"} 0\n');
  });
});
