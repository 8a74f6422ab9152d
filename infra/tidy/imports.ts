// Imports: which part of the tree may know which other one.
//
//   IM1. A service imports no other service; what two need lives in shared/.
//   IM2. shared/ imports no service, no client and no infra.
//   IM3. A core imports its own core, the types of its service's ports.ts, shared/protocol,
//        shared/ports and shared/kit: nothing else.
//   IM4. The client imports no service, no infra and nothing of shared/ that needs Node.

import { posix } from "node:path";
import { isCode, isTest, lineAt } from "./tree.ts";
import type { Complaint, SourceFile } from "./tree.ts";

interface Import {
  /** Within the tree: from its root. A package: its name. */
  readonly target: string;
  readonly isOwn: boolean;
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

const RULES: readonly Rule[] = [
  {
    applies: (path) => path.startsWith("services/"),
    allows: (path, { target }) =>
      !target.startsWith("services/") || serviceOf(target) === serviceOf(path),
    instead: "what two services need lives in shared/ (IM1)",
  },
  {
    // A test of an adapter or a contract may start the real thing.
    applies: (path) => path.startsWith("shared/") && !isTest(path),
    allows: (_, { target }) => !/^(?:services|client|infra|loadtest)\//.test(target),
    instead: "shared/ knows nobody; turn the dependency around (IM2)",
  },
  {
    applies: (path) => CORE.test(path),
    allows: (path, { target, isOwn, isType }) =>
      isOwn &&
      (PURE.test(target) ||
        posix.dirname(target) === posix.dirname(path) ||
        // Between the parts of one service there are ports too; a type brings nothing with it.
        (isType && target === posix.join(posix.dirname(path), "../ports.ts"))),
    instead: "a core gets the world through its inputs and ports (IM3)",
  },
  {
    applies: (path) => PURE.test(path) && !isTest(path),
    // The one decoder of client frames is made of zod schemas; cores import its types alone.
    allows: (_, { target, isOwn }) => (isOwn ? PURE.test(target) : target === "zod"),
    instead: "protocol, ports and kit are pure and run in a browser (IM3)",
  },
  {
    applies: (path) => /^client\/(?:sdk|web)\//.test(path) && !isTest(path),
    allows: (_, { target, isOwn }) =>
      isOwn ? target.startsWith("client/") || PURE.test(target) : !target.startsWith("node:"),
    instead: "the client runs in a browser: client/, or the pure parts of shared/ (IM4)",
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

function importsOf(path: string, text: string): Import[] {
  return [...text.matchAll(SPECIFIER)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? "";
    const isType = /^(?:import|export) type\b/.test(match[0]);
    const found = { line: lineAt(text, match.index), isType };
    if (specifier.startsWith("#")) return { ...found, target: specifier.slice(1), isOwn: true };
    if (!specifier.startsWith(".")) return { ...found, target: specifier, isOwn: false };
    return { ...found, target: posix.join(posix.dirname(path), specifier), isOwn: true };
  });
}

function serviceOf(path: string): string | undefined {
  return path.split("/")[1];
}
