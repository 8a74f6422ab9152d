// Folders: the cores that `make mutants` tests, and the tests that must detect a change of each.
//
// The list contains only tests on memory adapters and a fake clock, because many mutants run each
// second. Fast tests come first: the first failing test ends the run of a mutant.

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
    tests: ["services/room/test/!(*-property).test.ts", "services/room/test/*-property.test.ts"],
    without: [
      "services/room/test/{fence,room-node,room-memory-heap,dedupe-property,look-ups-property,release-property}.test.ts",
    ],
  },
  {
    name: "gateway",
    path: "services/gateway/core",
    tests: [
      // Tests that drive a core directly come before tests with a whole gateway.
      "services/gateway/test/{admission,bounds,fair-line,fetches,frame-limit,frame-queue}.test.ts",
      "services/gateway/test/{feed,presence-filter,reorder-buffer,pacing,readers,ring,sampling,send-order}.test.ts",
      "services/gateway/test/{feed-steps,session,session-frames,socket-turns}.test.ts",
      "services/gateway/test/lane?(-address|-entry|-epoch|-incarnation|-sync|-wake).test.ts",
      "services/gateway/test/!(*-property|delivery|recreated-room).test.ts",
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
