// Search: visits every state that a model can reach, each state once, in breadth-first order.
//
// Because of that order, the run that it reports for a violation is a shortest one. A state is
// known by the 128-bit hash of its fingerprint. Does not own: the state (model.ts), the rules
// (invariants.ts).
//
//   search.1. `statesMax` bounds the search. Memory holds one hash for each state, and the states
//             of two levels.

import { hash } from "node:crypto";
import { copyGraph, fingerprint } from "./object-graph.ts";
import type { Model } from "./model.ts";

export interface SearchResult {
  readonly states: number;
  /** The number of steps taken, including those into known states. */
  readonly steps: number;
  /** The length of the longest path; each path to a state is a shortest one. */
  readonly depth: number;
  /** All states were visited: the bound was not reached. */
  readonly isComplete: boolean;
  /** A shortest run that violates a rule. */
  readonly violation?: { readonly rule: string; readonly run: readonly string[] };
}

interface Path {
  readonly choice: string;
  readonly before: Path | undefined;
}

interface ReachedState {
  readonly model: Model;
  readonly path: Path | undefined;
}

export function search(start: Model, statesMax: number): SearchResult {
  const known = new Set([keyOf(start)]);
  let level: ReachedState[] = [{ model: start, path: undefined }];
  let steps = 0;
  for (let depth = 0; ; depth++) {
    const next: ReachedState[] = [];
    for (const { model, path } of level) {
      const choices = model.choices();
      for (const choice of choices) {
        steps++;
        const copy = copyGraph(model);
        copy.take(choice);
        const reached = { model: copy, path: { choice, before: path } };
        if (copy.violation !== undefined) {
          const violation = { rule: copy.violation, run: runOf(reached.path) };
          return { states: known.size, steps, depth: depth + 1, isComplete: false, violation };
        }
        const key = keyOf(copy);
        if (known.has(key)) continue;
        known.add(key);
        next.push(reached);
      }
      if (known.size >= statesMax) return { states: known.size, steps, depth, isComplete: false };
    }
    if (next.length === 0) return { states: known.size, steps, depth, isComplete: true };
    level = next;
  }
}

function keyOf(model: Model): string {
  return hash("md5", fingerprint(model), "base64");
}

function runOf(path: Path | undefined): string[] {
  const run: string[] = [];
  for (let at = path; at !== undefined; at = at.before) run.unshift(at.choice);
  return run;
}
