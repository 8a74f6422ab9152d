// Assert messages: excludes the texts of assertions from mutation. No test needs to detect a change
// of such a text.
//
// Owns: which mutants StrykerJS excludes. It never excludes the condition of an assertion.

import { PluginKind } from "@stryker-mutator/api/plugin";
import type { Ignorer } from "@stryker-mutator/api/ignore";

/** The part of a Babel path that this plugin reads. */
interface Path {
  readonly node: object;
  readonly parentPath: { readonly node: CallLike } | null;
}

interface CallLike {
  readonly type: string;
  readonly callee?: { readonly type: string; readonly name?: string };
  readonly arguments?: readonly object[];
}

class AssertMessages implements Ignorer {
  shouldIgnore(path: unknown): string | undefined {
    const { node, parentPath } = path as Path;
    if (parentPath?.node.type !== "CallExpression") return undefined;
    const { callee, arguments: given } = parentPath.node;
    const isMessage = callee?.name === "assert" && given?.[1] === node;
    return isMessage ? "a message of an assertion" : undefined;
  }
}

function createAssertMessages(): Ignorer {
  return new AssertMessages();
}

export const strykerPlugins = [
  { kind: PluginKind.Ignore, name: "assert-messages", factory: createAssertMessages },
];
