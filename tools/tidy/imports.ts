// Imports: which part of the tree may import which other part.
//
//   imports.1. A top folder imports only the folders that its row of REACHES names. A test may
//              also start what is deployed (TESTS_REACH).
//   imports.2. A service imports no other service; shared code lives in shared/.
//   imports.3. A core imports its own core, shared/protocol, shared/ports and shared/kit: nothing
//        else.
//   imports.4. The SDK, the web client and the admin page import nothing that needs Node, except
//              the outbox in a file and the configuration of the builds.
//   imports.5. The checker imports its own files, shared/kit and types of shared/protocol: it
//              shares no code with the services, and it reads no live system.

import { posix } from "node:path";
import { isCode, isTest, lineAt } from "./tree.ts";
import type { Complaint, SourceFile } from "./tree.ts";

interface Import {
  /** Within the tree: from its root. A package: its name. */
  readonly target: string;
  readonly isOwn: boolean;
  /** Whether the import disappears when Node strips the types. */
  readonly isType: boolean;
  readonly line: number;
}

interface Rule {
  readonly applies: (path: string) => boolean;
  readonly allows: (path: string, target: Import) => boolean;
  readonly instead: string;
}

const SPECIFIER =
  /^(?:import|export)\b[^;]*?from "([^"]+)"|\bimport\("([^"]+)"\)|^import "([^"]+)"/gm;
const PURE = /^shared\/(?:protocol|ports|kit)\//;
const CORE = /^(?:services\/[^/]+|client\/sdk)\/core\//;

/** What only the entry `./node` of the SDK's package reaches, and what runs while Vite builds. */
const NODE_ENTRY = /^client\/(?:sdk\/outbox\/file|(?:web|operator)\/vite\.config)\.ts$/;
/** For each top folder: the folders that it may import beside itself. */
const REACHES: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  services: ["shared"],
  client: ["shared", "services"], // `parley restore` uses the archive's own code.
  infra: ["shared", "services", "tools"],
  tools: ["shared"],
  verify: ["shared", "services", "client", "infra", "tools", "loadtest"],
  loadtest: ["shared", "services", "client", "infra", "tools", "verify"],
};
/** What a test may start beside that. */
const TESTS_REACH = ["services", "client", "infra", "tools"];

const RULES: readonly Rule[] = [
  {
    applies: (path) => topOf(path) in REACHES,
    allows: (path, { target, isOwn }) => {
      const [from, to] = [topOf(path), topOf(target)];
      if (!isOwn || from === to) return true;
      return (REACHES[from] ?? []).includes(to) || (isTest(path) && TESTS_REACH.includes(to));
    },
    instead: "the table REACHES of tools/tidy/imports.ts does not allow it (imports.1)",
  },
  {
    applies: (path) => path.startsWith("services/"),
    allows: (path, { target }) =>
      !target.startsWith("services/") || serviceOf(target) === serviceOf(path),
    instead: "what two services need lives in shared/ (imports.2)",
  },
  {
    applies: (path) => CORE.test(path),
    allows: (path, { target, isOwn }) =>
      isOwn && (PURE.test(target) || posix.dirname(target) === posix.dirname(path)),
    instead: "a core receives the rest through its inputs and ports (imports.3)",
  },
  {
    applies: (path) => PURE.test(path) && !isTest(path),
    // The one decoder of client frames is made of zod schemas; cores import its types alone.
    allows: (_, { target, isOwn }) => (isOwn ? PURE.test(target) : target === "zod"),
    instead: "protocol, ports and kit are pure and run in a browser (imports.3)",
  },
  {
    applies: (path) => /^client\/(?:sdk|web|operator)\//.test(path) && !isTest(path),
    allows: (path, { target, isOwn }) => {
      if (!isOwn) return !target.startsWith("node:") || NODE_ENTRY.test(path);
      return target.startsWith("client/") || PURE.test(target);
    },
    instead: "the client runs in a browser: client/, or the pure parts of shared/ (imports.4)",
  },
  {
    applies: (path) => path.startsWith("verify/checker/"),
    allows: (path, { target, isOwn, isType }) => {
      if (!isOwn) return target.startsWith("node:") || isTest(path);
      if (/^(?:verify\/checker|shared\/kit)\//.test(target)) return true;
      return PURE.test(target) && (isType || isTest(path));
    },
    instead:
      "the checker knows records and dumps: shared/kit and types of shared/protocol (imports.5)",
  },
];

export function checkImports(files: readonly SourceFile[]): Complaint[] {
  return files
    .filter(({ path }) => isCode(path))
    .flatMap(({ path, text }) =>
      importsOf(path, text).flatMap((found) =>
        RULES.filter((rule) => rule.applies(path) && !rule.allows(path, found)).map(
          ({ instead }) => ({ path, line: found.line, what: `"${found.target}": ${instead}` }),
        ),
      ),
    );
}

export function importsOf(path: string, text: string): Import[] {
  return [...text.matchAll(SPECIFIER)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? "";
    const found = {
      line: lineAt(text, match.index),
      isType: /^(?:import|export) type\b/.test(match[0]),
    };
    if (specifier.startsWith("#")) return { ...found, target: specifier.slice(1), isOwn: true };
    if (!specifier.startsWith(".")) return { ...found, target: specifier, isOwn: false };
    return { ...found, target: posix.join(posix.dirname(path), specifier), isOwn: true };
  });
}

function topOf(path: string): string {
  return path.split("/")[0] ?? "";
}

function serviceOf(path: string): string | undefined {
  return path.split("/")[1];
}
