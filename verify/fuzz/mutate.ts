// Mutate: makes broken messages from good ones and a seed.
//
// Owns: changes of JSON values and of text. Does not own: the good messages (targets.ts).
//
//   mutate.1. The same seed makes the same messages.

import { below } from "#shared/kit/random.ts";
import type { Random } from "#shared/ports/clock.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Values that a field does not expect. Each use makes a new one. */
const HOSTILE: readonly (() => Json)[] = [
  () => null,
  () => true,
  () => false,
  () => 0,
  () => -1,
  () => 1.5,
  () => 2 ** 31,
  () => 2 ** 53,
  () => 2 ** 53 - 1,
  () => 1e308,
  () => "",
  () => "a",
  () => "*",
  () => "a.b.>",
  () => "__proto__",
  () => "constructor",
  () => "1",
  () => "\u0000",
  () => "\ud800",
  () => "\n",
  () => "\r\n{}",
  () => "x".repeat(129),
  () => "é".repeat(65),
  () => [],
  () => ({}),
  () => [null],
  () => [[[[[[[[[[]]]]]]]]]],
  () => JSON.parse('{"__proto__":{"isAdmin":true},"toString":1,"length":-1}') as Json,
];
/** Each costs as much as a hundred of the others. */
const HEAVY: readonly (() => Json)[] = [
  () => "y".repeat(20_000),
  () => Array.from({ length: 1_200 }, () => 0),
  () => nested(40),
];
const KEYS = ["__proto__", "constructor", "toString", "length", "v", "t", "c", "room", "extra"];
const PIECES = ["{", "}", "[", "]", '"', ",", ":", "\n", "\u0000", "\ud800", "\\u0000", "1e999"];
/** Too deep for a recursive function; JSON.parse reads it. */
const DEPTH = 20_000;

function nested(depth: number): Json {
  let value: Json = {};
  for (let i = 0; i < depth; i++) value = { value };
  return value;
}

/**
 * Returns a changed copy of `seed`, which is JSON, or JSON and lines. The copy may still be valid.
 */
export function mutate(seed: string, random: Random): string {
  const kind = below(random, 10);
  if (kind === 0) return mutateText(seed, random);
  if (kind === 1) return noise(random);
  const end = seed.indexOf("\n");
  const header = end < 0 ? seed : seed.slice(0, end);
  const rest = end < 0 ? "" : seed.slice(end);
  if (!header.startsWith("{")) return mutateText(seed, random);
  let value = JSON.parse(header) as Json;
  for (let n = below(random, 4); n >= 0; n -= 3) value = mutateValue(value, random);
  const text = JSON.stringify(value);
  return (below(random, 1_000) === 0 ? deepen(text, random) : text) + rest;
}

/** Changes one node of the value. */
function mutateValue(root: Json, random: Random): Json {
  let node: Json = root;
  let put = (value: Json): void => void (root = value);
  while (typeof node === "object" && node !== null && below(random, 4) > 0) {
    const parent: Json[] | { [key: string]: Json } = node;
    const keys = Object.keys(parent);
    const key = keys[below(random, keys.length)];
    if (key === undefined) break;
    if (below(random, 8) === 0) {
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
      return root;
    }
    node = Reflect.get(parent, key) as Json;
    put = (value) => define(parent, key, value);
  }
  put(changed(node, random));
  return root;
}

function changed(node: Json, random: Random): Json {
  const choice = below(random, 6);
  if (choice === 0 && typeof node === "number") return node + pick([1, -1, 0.5, 2 ** 32], random);
  if (choice === 0 && typeof node === "string") return node + pick(PIECES, random);
  if (choice === 1 && Array.isArray(node)) return [...node, ...node];
  if (choice === 2) return below(random, 2) === 0 ? [node] : { value: node };
  if (choice === 3 && typeof node === "object" && node !== null && !Array.isArray(node)) {
    define(node, pick(KEYS, random), hostile(random));
    return node;
  }
  return hostile(random);
}

function hostile(random: Random): Json {
  return pick(below(random, 50) === 0 ? HEAVY : HOSTILE, random)();
}

/** Defines also an own key `__proto__`, which an assignment does not. */
function define(parent: object, key: string, value: Json): void {
  Object.defineProperty(parent, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function mutateText(text: string, random: Random): string {
  const at = below(random, text.length + 1);
  const other = below(random, text.length + 1);
  const [from, to] = [Math.min(at, other), Math.max(at, other)];
  switch (below(random, 4)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, from) + text.slice(to);
    case 2:
      return text.slice(0, to) + text.slice(from);
    default:
      return text.slice(0, at) + pick(PIECES, random) + text.slice(at);
  }
}

function deepen(text: string, random: Random): string {
  const [open, close] = pick([["[", "]"] as const, ['{"a":', "}"] as const], random);
  const deep = `${open.repeat(DEPTH)}1${close.repeat(DEPTH)}`;
  const values = [...text.matchAll(/:("[^"\\]*"|\d+|null|true|false)/g)];
  const found = values[below(random, values.length)];
  if (found === undefined) return deep;
  return `${text.slice(0, found.index + 1)}${deep}${text.slice(found.index + found[0].length)}`;
}

function noise(random: Random): string {
  let text = "";
  for (let n = below(random, 40); n > 0; n--) {
    text +=
      below(random, 3) === 0 ? pick(PIECES, random) : String.fromCharCode(below(random, 0x10000));
  }
  return text;
}

function pick<T>(items: readonly T[], random: Random): T {
  return items[below(random, items.length)] as T;
}
