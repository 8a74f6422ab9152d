// Folders: the cores that `make mutants` judges, and the tests that must notice a change of each.
//
// Only tests that run on memory adapters and a fake clock stand here: a mutant is run many times a
// second. Quick tests stand first, because the first failing test ends a mutant's run.

export interface CoreFolder {
  /** As ONLY= names it. */
  readonly name: string;
  /** The folder whose files are mutated, from the root. */
  readonly path: string;
  /** Patterns of test files, from the root, in the order in which they run. A file runs once. */
  readonly tests: readonly string[];
  /** Patterns of test files that are left out: they need a real server or seconds. */
  readonly without: readonly string[];
}

export const FOLDERS: readonly CoreFolder[] = [
  {
    name: "room",
    path: "services/room/core",
    tests: ["services/room/test/!(*-property).test.ts", "services/room/test/*-property.test.ts"],
    without: [
      "services/room/test/{fence,node,room-memory-heap,dedupe-property,look-ups-property,release-property}.test.ts",
    ],
  },
  {
    name: "gateway",
    path: "services/gateway/core",
    tests: [
      // Those that drive the core by hand, before those with a gateway around it.
      "services/gateway/test/{admission,bounds,fair-line,fetches,frame-limit,frame-queue}.test.ts",
      "services/gateway/test/{feed,held,here,pacing,readers,ring,sampling,send-order}.test.ts",
      "services/gateway/test/{feed-steps,session,session-frames,socket-turns}.test.ts",
      "services/gateway/test/lane?(-address|-entry|-epoch|-incarnation|-sync|-wake).test.ts",
      "services/gateway/test/!(*-property|delivery|reborn).test.ts",
      "services/gateway/test/*-property.test.ts",
    ],
    without: [
      "services/gateway/test/{auth,cost,dev-token,frame-writer,gateway-wire,jwks,openapi}.test.ts",
      "services/gateway/test/{http*,websocket*}.test.ts",
    ],
  },
  {
    name: "persistence",
    path: "services/persistence/core",
    tests: ["services/persistence/test/*.test.ts"],
    without: [
      "services/persistence/test/{archive-postgres,migrate,serving-role,slow-postgres}.test.ts",
      "services/persistence/test/trim-real.test.ts",
    ],
  },
  {
    name: "sdk",
    path: "client/sdk/core",
    tests: ["client/sdk/test/!(*.property).test.ts", "client/sdk/test/*.property.test.ts"],
    without: [],
  },
];
