// Column: a growing array of 32-bit integers. An index that was never set reads 0.
//
// The checker keeps millions of small facts. As objects they would need twenty times the memory.

const FIRST_LENGTH = 64;

export class Column {
  #values = new Uint32Array(FIRST_LENGTH);
  #length = 0;

  /** The highest index that was set, plus one. */
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

/** Numbers the names from 1 on, in the order of their first use. */
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

  /** 0 for an unknown name. */
  known(name: string): number {
    return this.#numbers.get(name) ?? 0;
  }

  name(number: number): string {
    return this.#names[number] ?? "";
  }
}
