// Folders: the cores that `make mutants` tests, and the tests that must detect a change of each.
//
// The list contains tests that drive a core directly, because many mutants run each second. A test
// with sockets, a cluster or a real server costs a mutant more than all others together, and waits
// on a busy machine until the mutant counts as an endless loop. Fast tests come first: the first
// failing test ends the run of a mutant.

export interface CoreFolder {
  /** Its name for ONLY=. */
  readonly name: string;
  /** The folder of the mutated files, from the root. */
  readonly path: string;
  /** Patterns of test files, from the root, in the order in which they run. A file runs once. */
  readonly tests: readonly string[];
  /** Patterns of excluded test files: they need a real server or several seconds. */
  readonly without: readonly string[];
}

export const FOLDERS: readonly CoreFolder[] = [
  {
    name: "room",
    path: "services/room/core",
    tests: [
      "services/room/test/!(*-property|*-model).test.ts",
      "services/room/test/*-{model,property}.test.ts",
    ],
    without: [
      "services/room/test/{fence,room-memory-heap}.test.ts",
      // A whole node on memory adapters.
      "services/room/test/{hostile-batches,node-load,process-load,regional-log}.test.ts",
      "services/room/test/room-{node,node-split}.test.ts",
      // Many thousands of steps.
      "services/room/test/{balance,dedupe,look-ups,release}-property.test.ts",
    ],
  },
  {
    name: "gateway",
    path: "services/gateway/core",
    tests: [
      "services/gateway/test/{admission,bounds,erased-messages,fair-line,fetches,frame-limit,frame-queue,in-flight}.test.ts",
      "services/gateway/test/{feed,presence-filter,reorder-buffer,pacing,read-positions,readers,removals,ring}.test.ts",
      "services/gateway/test/{sampling,send-order,session-register,session-rights,shedding}.test.ts",
      "services/gateway/test/{feed-steps,session,session-frames,socket-turns}.test.ts",
      "services/gateway/test/lane?(-address|-entry|-epoch|-incarnation|-split|-sync|-wake).test.ts",
      "services/gateway/test/*-property.test.ts",
    ],
    without: [],
  },
  {
    name: "persistence",
    path: "services/persistence/core",
    tests: [
      "services/persistence/test/{trim,assignment,backlog,primary-choice,restore-plan,room-uses}.test.ts",
      "services/persistence/test/{projection,search-backlog,archiver,archiver-split}.test.ts",
      "services/persistence/test/{newer-entries,settled}.test.ts",
    ],
    without: [],
  },
  {
    name: "region",
    path: "services/region/core",
    tests: ["services/region/test/{promotion-plan,term,term-effects}.test.ts"],
    without: [],
  },
  {
    name: "webhooks",
    path: "services/webhooks/core",
    tests: ["services/webhooks/test/{chunk,preview-text,link-previews}.test.ts"],
    without: [],
  },
  {
    name: "operator",
    path: "services/operator/core",
    tests: ["services/operator/test/{sign-ins,cluster-watch}.test.ts"],
    without: [],
  },
  {
    name: "sdk",
    path: "client/sdk/core",
    tests: ["client/sdk/test/!(*.property).test.ts", "client/sdk/test/*.property.test.ts"],
    without: [
      // They need files, sockets, programs or a built package.
      "client/sdk/test/{contract,dev-token,file-outbox,generated,kept-sends,package}.test.ts",
      "client/sdk/test/{server-client,sessions,token-signer,urls,waiting}.test.ts",
    ],
  },
];
