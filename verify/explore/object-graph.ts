// Graph: copies and recognises whole object graphs, the cores with their private fields included.
//
//   1. Two graphs have one fingerprint exactly when they have the same shape, the same values and the
//      same order of their maps and sets, because a core may depend on that order.
//   2. A function inside a state would be shared by its copies, so it is refused.
//   3. An iterator over a map restarts in a copy. A core may use one only for work that it repeats.

type Class = { readonly [name: string]: unknown };

/** A copy that shares no object with `root`. */
export function copyGraph<T>(root: T): T {
  return copy(root, new Map()) as T;
}

function copy(value: unknown, done: Map<object, object>): unknown {
  if (typeof value === "function") throw new Error("a state must not hold a function"); // 2
  if (typeof value !== "object" || value === null) return value;
  const known = done.get(value);
  if (known !== undefined) return known;
  if (value instanceof Map) {
    const made = new Map<unknown, unknown>();
    done.set(value, made);
    for (const [key, item] of value) made.set(copy(key, done), copy(item, done));
    return made;
  }
  if (value instanceof Set) {
    const made = new Set<unknown>();
    done.set(value, made);
    for (const item of value) made.add(copy(item, done));
    return made;
  }
  if (isIterator(value)) return new Map().values(); // 3
  if (Array.isArray(value)) {
    const made: unknown[] = [];
    done.set(value, made);
    for (const item of value as unknown[]) made.push(copy(item, done));
    return made;
  }
  const made = Object.create(Object.getPrototypeOf(value) as object | null) as Class;
  done.set(value, made);
  for (const name of Object.keys(value)) {
    (made as Record<string, unknown>)[name] = copy((value as Class)[name], done);
  }
  return made;
}

/** A text that is equal for equal graphs only. */
export function fingerprint(root: unknown): string {
  return new Writing().write(root).text;
}

class Writing {
  readonly #known = new Map<object, number>();
  text = "";

  write(value: unknown): this {
    if (typeof value === "string") this.text += `${JSON.stringify(value)},`;
    else if (typeof value !== "object" || value === null) this.text += `${String(value)},`;
    else this.#writeObject(value);
    return this;
  }

  #writeObject(value: object): void {
    const known = this.#known.get(value);
    if (known !== undefined) {
      this.text += `^${known},`;
      return;
    }
    this.#known.set(value, this.#known.size);
    if (Array.isArray(value) || value instanceof Set) {
      this.text += "[";
      for (const item of value as Iterable<unknown>) this.write(item);
    } else if (value instanceof Map) {
      this.text += "<";
      for (const [key, item] of value) this.write(key).write(item);
    } else if (!isIterator(value)) {
      this.text += "{";
      for (const name in value) {
        this.text += `${name}:`;
        this.write((value as Class)[name]);
      }
    }
    this.text += "]";
  }
}

function isIterator(value: object): boolean {
  return Object.prototype.toString.call(value).endsWith("Iterator]");
}
