// Fill the compile cache: a step of the image's build. Node stores the code that it compiled, and
// the JavaScript that is left when it has removed the types, in the folder NODE_COMPILE_CACHE.
//
// A service loads all its modules before it reads its configuration. So this program starts each
// service with a configuration that the service refuses. Then the cache holds all its modules.
//
//   fill-compile-cache.1. The build fails when a program ends in another way than expected: the
//        cache would miss its modules.

import { spawnSync } from "node:child_process";

interface Program {
  readonly words: readonly string[];
  readonly status: number;
  /** A part of its output. */
  readonly output: string;
}

const REFUSED = { status: 1, output: "the environment is not valid" } as const;
/** Services load this only when a collector is configured. */
const TELEMETRY = 'await import("@opentelemetry/sdk-node");';

const PROGRAMS: readonly Program[] = [
  { words: ["services/gateway/dist/main.js"], ...REFUSED },
  { words: ["services/room/dist/main.js"], ...REFUSED },
  { words: ["services/persistence/dist/main.js"], ...REFUSED },
  { words: ["services/persistence/dist/migrate-main.js"], ...REFUSED },
  { words: ["services/webhooks/dist/main.js"], ...REFUSED },
  { words: ["services/operator/dist/main.js"], ...REFUSED },
  { words: ["services/region/dist/main.js"], ...REFUSED },
  { words: ["client/cli/parley.ts", "--help"], status: 0, output: "Usage: parley" },
  { words: ["--input-type=module", "--eval", TELEMETRY], status: 0, output: "" },
];

for (const { words, status, output } of PROGRAMS) {
  const ended = spawnSync(process.execPath, words, {
    encoding: "utf8",
    // A service refuses this number.
    env: { ...process.env, PARTITIONS: "0" },
  });
  if (ended.status === status && ended.stdout.includes(output)) continue;
  // fill-compile-cache.1
  throw new Error(
    `${words.join(" ")}: expected status ${status} and "${output}", but it printed\n` +
      `${ended.stdout}${ended.stderr}and ended with ${ended.status}`,
  );
}
console.log(`compiled ${PROGRAMS.length} programs`);
