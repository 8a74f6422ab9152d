// The contract suite of the port AttachmentStore (shared/ports/attachment-store.ts).

import { expect } from "chai";
import { objectName } from "../ports/attachment-store.ts";
import type { AttachmentStore, BytePart, ObjectName } from "../ports/attachment-store.ts";

const MIB = 1024 * 1024;

export interface AttachmentStoreUnderTest extends AsyncDisposable {
  readonly store: AttachmentStore;
}

let made = 0;

function newName(): ObjectName {
  return objectName(`01890000-0000-7000-8000-${String(++made).padStart(12, "0")}`);
}

async function* parts(...texts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  for (const text of texts) yield Buffer.from(text);
}

async function bytesOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Undefined: there is no such object. */
async function read(
  store: AttachmentStore,
  name: ObjectName,
  part?: BytePart,
): Promise<{ readonly bytes: number; readonly text: string } | undefined> {
  const object = await store.get(name, part);
  if (object === undefined) return undefined;
  try {
    return { bytes: object.bytes, text: await bytesOf(object.content) };
  } finally {
    await object.close();
  }
}

export function attachmentStoreContract(
  name: string,
  open: () => Promise<AttachmentStoreUnderTest>,
): void {
  describe(`AttachmentStore contract: ${name}`, function () {
    this.timeout(60_000);

    it("attachment-store.1: an object has its whole content, and each part of it", async () => {
      await using under = await open();
      const { store } = under;
      const one = newName();
      expect(await read(store, one)).to.equal(undefined);
      expect(await store.put(one, parts("the ", "content"), 11)).to.equal("stored");
      expect(await read(store, one)).to.deep.equal({ bytes: 11, text: "the content" });
      const part = await read(store, one, { first: 4, last: 6 });
      expect(part).to.deep.equal({ bytes: 11, text: "con" });
      expect(await read(store, newName())).to.equal(undefined);
    });

    it("attachment-store.1: content that breaks off, is too short or too long leaves no object", async () => {
      await using under = await open();
      const { store } = under;
      const broken = (async function* () {
        yield* parts("begun");
        throw new Error("the client left");
      })();
      const names = [newName(), newName(), newName()] as const;
      const failures = await Promise.all([
        store.put(names[0], broken, 100).catch((error: unknown) => error),
        store.put(names[1], parts("short"), 6).catch((error: unknown) => error),
        store.put(names[2], parts("longer"), 5).catch((error: unknown) => error),
      ]);
      for (const failure of failures) expect(failure).to.be.instanceOf(Error);
      for (const one of names) expect(await read(store, one)).to.equal(undefined);
      expect(await store.put(names[0], parts("whole"), 5)).to.equal("stored");
    });

    it("attachment-store.2: an object never changes, also when two put it at once", async () => {
      await using under = await open();
      const { store } = under;
      const one = newName();
      await store.put(one, parts("first"), 5);
      expect(await store.put(one, parts("other"), 5)).to.equal("exists");
      expect((await read(store, one))?.text).to.equal("first");
      const two = newName();
      const texts = ["one", "two", "six"];
      const both = await Promise.all(texts.map((text) => store.put(two, parts(text), 3)));
      expect(both.filter((outcome) => outcome === "stored")).to.have.length(1);
      expect((await read(store, two))?.text).to.equal(texts[both.indexOf("stored")]);
    });

    it("attachment-store.3: a put reads its content no faster than it stores it", async () => {
      await using under = await open();
      const { store } = under;
      const chunk = new Uint8Array(64 * 1024);
      const count = (128 * MIB) / chunk.length;
      const many = (async function* () {
        for (let n = 0; n < count; n++) yield await Promise.resolve(chunk);
      })();
      const before = process.memoryUsage().arrayBuffers;
      let most = 0;
      const watched = (async function* () {
        for await (const one of many) {
          most = Math.max(most, process.memoryUsage().arrayBuffers - before);
          yield one;
        }
      })();
      expect(await store.put(newName(), watched, count * chunk.length)).to.equal("stored");
      expect(most).to.be.below(64 * MIB); // Garbage counts, too.
    });

    it("attachment-store.4: removes objects, and a second time changes nothing", async () => {
      await using under = await open();
      const { store } = under;
      const [one, two] = [newName(), newName()];
      await store.put(one, parts("1"), 1);
      await store.put(two, parts("2"), 1);
      await store.remove([one, newName()]);
      await store.remove([one]);
      expect(await read(store, one)).to.equal(undefined);
      expect((await read(store, two))?.text).to.equal("2");
    });

    it("closes an object that was not read, or not to its end", async () => {
      await using under = await open();
      const { store } = under;
      const one = newName();
      await store.put(one, parts(new Uint8Array(4 * MIB)), 4 * MIB);
      const unread = await store.get(one);
      await unread?.close();
      const begun = await store.get(one);
      await begun?.content[Symbol.asyncIterator]().next();
      await begun?.close();
      expect((await read(store, one))?.bytes).to.equal(4 * MIB);
    });
  });
}
