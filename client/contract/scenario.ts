// Scenario: one file of scenarios/, and the comparison of a step with what happened.
//
// Owns: the types of the steps, and the values that names stand for. README.md describes each step.
// Does not own: a client, a server.
//
//   scenario.1. The first `$name` of an `expect` takes the value of the client; each later one must
//        equal it, and a frame of the server has it.

import { readdirSync, readFileSync } from "node:fs";
import { isObject } from "#shared/kit/json.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** A call of the SDK, with its arguments. */
export interface CallStep {
  readonly call: string;
  readonly as?: string;
  readonly room?: string;
  readonly body?: { readonly text: string };
  readonly target?: number;
  readonly emoji?: string;
  readonly on?: boolean;
  readonly limit?: number;
  readonly after?: number;
  readonly before?: number;
  readonly replyTo?: number;
  readonly thread?: number;
}

export type Step =
  | CallStep
  | { readonly expect: Fields }
  | { readonly frame: Fields }
  | { readonly text: string }
  | { readonly event: Fields }
  | { readonly result: string }
  | { readonly page: string }
  | { readonly removed: string; readonly reason: string }
  | { readonly reset: string }
  | { readonly state: string }
  | { readonly session: string }
  | { readonly close: number }
  | { readonly quiet: number };

export interface Scenario {
  readonly name: string;
  readonly what: string;
  readonly steps: readonly Step[];
}

export const SCENARIOS = new URL("scenarios/", import.meta.url);

export function readScenarios(): readonly Scenario[] {
  return readdirSync(SCENARIOS)
    .sort()
    .map((file) => {
      const { what, steps } = JSON.parse(readFileSync(new URL(file, SCENARIOS), "utf8")) as {
        what: string;
        steps: Step[];
      };
      return { name: file.replace(".json", ""), what, steps };
    });
}

export class Names {
  readonly #values = new Map<string, unknown>();

  /** The value with every name replaced. */
  fill(value: unknown): unknown {
    if (typeof value === "string" && value.startsWith("$")) return this.#values.get(value) ?? value;
    if (Array.isArray(value)) return value.map((item) => this.fill(item));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.fill(item)]));
  }

  /** Where `actual` lacks what `expected` has; undefined when it has everything (scenario.1). */
  difference(expected: unknown, actual: unknown, place = ""): string | undefined {
    if (typeof expected === "string" && expected.startsWith("$")) {
      if (!this.#values.has(expected)) this.#values.set(expected, actual);
      const known = this.#values.get(expected);
      return known === actual ? undefined : `${place}: ${String(actual)} is not ${String(known)}`;
    }
    if (!isObject(expected)) {
      const [one, other] = [JSON.stringify(expected), JSON.stringify(actual)];
      return one === other ? undefined : `${place}: ${other} is not ${one}`;
    }
    if (!isObject(actual)) return `${place}: ${JSON.stringify(actual)} is no object`;
    for (const [key, item] of Object.entries(expected)) {
      const found = this.difference(item, actual[key], `${place}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
