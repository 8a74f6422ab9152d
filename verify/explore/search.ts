// Search: visits every state that a model can reach, each once, nearest first.
//
// Breadth first, so that the run that leads to a broken rule is a shortest one. A state is known by a
// hash of its fingerprint; two states with one hash of 128 bits would be taken for one.
// Does not own: what a state is (model.ts) and what must hold (invariants.ts).
//
//   1. Bounded by `statesMax`: memory holds a hash for each state and the states of two levels.

import { hash } from "node:crypto";
import { copyGraph, fingerprint } from "./object-graph.ts";
import type { Model } from "./model.ts";

export interface Found {
  readonly states: number;
  /** Steps taken, those into a state that was known included. */
  readonly steps: number;
  /** The longest of the shortest ways to a state. */
  readonly depth: number;
  /** No state is left out: the bound was not reached. */
  readonly isWhole: boolean;
  /** A shortest run that breaks a rule. */
  readonly broken?: { readonly rule: string; readonly run: readonly string[] };
}

interface Way {
  readonly choice: string;
  readonly before: Way | undefined;
}

interface Reached {
  readonly model: Model;
  readonly way: Way | undefined;
}

export function search(start: Model, statesMax: number): Found {
  const known = new Set([keyOf(start)]);
  let level: Reached[] = [{ model: start, way: undefined }];
  let steps = 0;
  for (let depth = 0; ; depth++) {
    const next: Reached[] = [];
    for (const { model, way } of level) {
      const choices = model.choices();
      for (const choice of choices) {
        steps++;
        const copy = copyGraph(model);
        copy.take(choice);
        const reached = { model: copy, way: { choice, before: way } };
        if (copy.broken !== undefined) {
          const broken = { rule: copy.broken, run: runOf(reached.way) };
          return { states: known.size, steps, depth: depth + 1, isWhole: false, broken };
        }
        const key = keyOf(copy);
        if (known.has(key)) continue;
        known.add(key);
        next.push(reached);
      }
      if (known.size >= statesMax) return { states: known.size, steps, depth, isWhole: false };
    }
    if (next.length === 0) return { states: known.size, steps, depth, isWhole: true };
    level = next;
  }
}

function keyOf(model: Model): string {
  return hash("md5", fingerprint(model), "base64");
}

function runOf(way: Way | undefined): string[] {
  const run: string[] = [];
  for (let at = way; at !== undefined; at = at.before) run.unshift(at.choice);
  return run;
}
