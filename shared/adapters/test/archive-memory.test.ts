import { archiveContract } from "#shared/testing/archive.contract.ts";
import { archiveMessagesContract } from "#shared/testing/archive-messages.contract.ts";
import { namesContract } from "#shared/testing/names.contract.ts";
import { roomListsContract } from "#shared/testing/room-lists.contract.ts";
import { searchContract } from "#shared/testing/search.contract.ts";
import { archiveStatesContract } from "#shared/testing/archive-states.contract.ts";
import type { ArchiveUnderTest } from "#shared/testing/archive.contract.ts";
import { MemoryArchive } from "../archive-memory.ts";

function open(): Promise<ArchiveUnderTest> {
  const refused = new Set<string>();
  const store = new MemoryArchive({
    refuse: ({ sender }) => (refused.has(sender) ? "planted" : undefined),
  });
  return Promise.resolve({
    store,
    other: store,
    refuse: (sender) => Promise.resolve(void refused.add(sender)),
    quarantine: () => Promise.resolve(store.quarantine),
    [Symbol.asyncDispose]: () => store.close(),
  });
}

archiveContract("memory", open);
archiveStatesContract("memory", open);
archiveMessagesContract("memory", open);
roomListsContract("memory", open);
namesContract("memory", open);
searchContract("memory", () => {
  const store = new MemoryArchive();
  const indexed = (): Promise<void> => Promise.resolve();
  return Promise.resolve({ store, indexed, [Symbol.asyncDispose]: () => store.close() });
});
