// sha256: SHA-256 of a text, without a package or a promise, because the decision of an owner is
// pure and synchronous. Written after FIPS 180-4; a test compares it with Node's.

import { utf8 } from "./base64url.ts";

const BLOCK = 64;
/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const K = fractions(64, 1 / 3);
/** The same of the square roots of the first 8. */
const START = fractions(8, 1 / 2);

/** The 32 bytes of the hash of the UTF-8 of `text`. */
export function sha256(text: string): Uint8Array {
  const message = padded([...utf8(text)]);
  const state = Uint32Array.from(START);
  const words = new Uint32Array(64);
  for (let at = 0; at < message.length; at += BLOCK) compress(state, message, at, words);
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of state.entries()) view.setUint32(4 * i, word);
  return bytes;
}

/** A bit 1, zeros, and the length in bits as 64 bits. */
function padded(bytes: readonly number[]): DataView & { readonly length: number } {
  const length = Math.ceil((bytes.length + 9) / BLOCK) * BLOCK;
  const data = new Uint8Array(length);
  data.set(bytes);
  data[bytes.length] = 0x80;
  const view = new DataView(data.buffer);
  view.setUint32(length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(length - 4, (bytes.length * 8) >>> 0);
  return Object.assign(view, { length });
}

function compress(state: Uint32Array, message: DataView, at: number, words: Uint32Array): void {
  for (let i = 0; i < 16; i++) words[i] = message.getUint32(at + 4 * i);
  for (let i = 16; i < 64; i++) {
    const [early, late] = [word(words, i - 15), word(words, i - 2)];
    const first = turned(early, 7) ^ turned(early, 18) ^ (early >>> 3);
    const second = turned(late, 17) ^ turned(late, 19) ^ (late >>> 10);
    words[i] = word(words, i - 16) + first + word(words, i - 7) + second;
  }
  let [a, b, c, d, e, f, g, h] = [...state] as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let i = 0; i < 64; i++) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const turnedE = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const turnedA = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
    const first = (h + turnedE + choice + word(K, i) + word(words, i)) >>> 0;
    [h, g, f, e, d, c, b, a] = [
      g,
      f,
      e,
      (d + first) >>> 0,
      c,
      b,
      a,
      (first + turnedA + majority) >>> 0,
    ];
  }
  for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) state[i] = word(state, i) + value;
}

function word(words: Uint32Array, i: number): number {
  return words[i] ?? 0;
}

function turned(value: number, by: number): number {
  return (value >>> by) | (value << (32 - by));
}

/** 32 bits behind the point of the powers of the first `count` primes, in whole numbers. */
function fractions(count: number, power: number): Uint32Array {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) {
    if (found.every((_, i) => n % primeAt(i) !== 0)) found.push(rootBits(BigInt(n), power));
  }
  return Uint32Array.from(found);
}

function primeAt(index: number): number {
  let left = index;
  for (let n = 2; ; n++) {
    let isPrime = true;
    for (let by = 2; by * by <= n; by++) if (n % by === 0) isPrime = false;
    if (isPrime && left-- === 0) return n;
  }
}

/** The largest whole number whose power is at most n × 2^(32 × degree), modulo 2^32. */
function rootBits(n: bigint, power: number): number {
  const degree = Math.round(1 / power);
  const limit = n << BigInt(32 * degree);
  let [low, high] = [0n, 1n << 40n];
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (middle ** BigInt(degree) <= limit) low = middle;
    else high = middle - 1n;
  }
  return Number(BigInt.asUintN(32, low));
}
