// Column: whole numbers by index, four bytes each, growing as they come. What was never set is 0.
//
// The checker keeps millions of small facts; as objects they would cost twenty times the memory.

const FIRST_LENGTH = 64;

export class Column {
  #values = new Uint32Array(FIRST_LENGTH);
  #length = 0;

  /** One more than the highest index that was set. */
  get length(): number {
    return this.#length;
  }

  at(index: number): number {
    return this.#values[index] ?? 0;
  }

  set(index: number, value: number): void {
    if (index >= this.#values.length) {
      const grown = new Uint32Array(Math.max(index + 1, this.#values.length * 2));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[index] = value;
    if (index >= this.#length) this.#length = index + 1;
  }
}

/** Names by number, in the order in which they were first seen, from 1 on. */
export class Names {
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [""];

  get size(): number {
    return this.#numbers.size;
  }

  number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#names.push(name) - 1;
    this.#numbers.set(name, number);
    return number;
  }

  /** 0 for one that was never seen. */
  known(name: string): number {
    return this.#numbers.get(name) ?? 0;
  }

  name(number: number): string {
    return this.#names[number] ?? "";
  }
}
