import { expect } from "chai";
import { toFrames } from "../profile/flame.ts";
import {
  byFunction,
  framesOf,
  longestCollectionMs,
  readMap,
  readSamples,
  sharesOf,
} from "../profile/perf.ts";

const MAP = [
  "7f00 40 JS:~old file:///x/services/gateway/old.ts:1:1",
  "7f10 40 JS:*write file:///x/services/gateway/a.ts:7:3",
  "8f10 40 JS:^ node:net:9:3",
].join("\n");

const TEXT = `MainThread 7
\tffffffff8158 skb_copy ([kernel.kallsyms])
\tffffffff8159 ksys_write ([kernel.kallsyms])
\tffffffff81aa do_syscall_64 ([kernel.kallsyms])
\t  f838f __GI___libc_write (/usr/lib/libc.so.6)
\t   7f20 JS:~old file:///x/services/gateway/old.ts:1:1 (perf-7.map)
\t 1632 Builtins_JSEntry+0x12 (/bin/node)

MainThread 7
\t   7f20 JS:~old file:///x/services/gateway/old.ts:1:1 (perf-7.map)
\t   8f20 [unknown] (perf-7.map)

MainThread 7
\t   99 v8::internal::Scavenger::Process (/bin/node)
\t   7f20 [unknown] (perf-7.map)

V8Worker 8
\t   98 start_thread (/usr/lib/libc.so.6)
`;

describe("Profile", () => {
  const samples = readSamples(TEXT, readMap(MAP));

  it("perf.1: a sample counts for its leaf, and for the function that called the leaf", () => {
    expect(sharesOf(samples)).to.deep.equal({
      kernel: 0.25,
      collection: 0.25,
      JavaScript: 0.25,
      native: 0.25,
    });
    expect(byFunction(samples)).to.deep.equal([
      { where: "write services/gateway/a.ts:7", share: 0.5, kernel: 0.25 },
      { where: "(garbage collector)", share: 0.25, kernel: 0 },
      { where: "(V8Worker, no function)", share: 0.25, kernel: 0 },
    ]);
  });

  it("perf.1: the longest collection is the longest run of samples of the main thread in it", () => {
    const [, running, collecting, worker] = samples;
    const order = [collecting, running, collecting, worker, collecting, running];
    const found = longestCollectionMs(order.flatMap((sample) => sample ?? []));
    expect(found).to.be.closeTo(1, 0.01); // Two samples of half a millisecond.
  });

  it("perf.2: a system call and a collection are one frame each", () => {
    const [main] = framesOf(samples).children;
    const writes = main?.children.flatMap(({ children }) => children) ?? [];
    expect(main?.children.map(({ name }) => name)).to.deep.equal([
      "Builtins_JSEntry",
      "(anonymous)",
      "write",
    ]);
    const [call] = writes[0]?.children ?? [];
    expect(call?.children.map(({ name }) => name)).to.deep.equal(["(kernel) ksys_write"]);
    expect(call?.children[0]?.children).to.deep.equal([]);
    expect(main?.children[2]?.children[0]?.name).to.equal("(garbage collector)");
  });

  it("perf.3: the newest function at an address counts", () => {
    expect(samples[0]?.stack[4]?.symbol).to.include("write");
    expect(readMap(MAP)(0x7f05)).to.include("old");
    expect(readMap(MAP)(0x7f60)).to.equal(undefined);
  });

  it("flame.1: a sample of V8 that came late counts one interval", () => {
    const callFrame = { functionName: "f", url: "", lineNumber: 0 };
    const nodes = [{ id: 1, callFrame }];
    const frames = toFrames({ nodes, samples: [1, 1], timeDeltas: [400, 9_000] }, 500);
    expect(frames.selfUs).to.equal(900);
  });
});
