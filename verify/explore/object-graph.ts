// Object graph: copies whole object graphs and computes their fingerprints, with the private fields
// of the cores (visible-fields.ts).
//
//   object-graph.1. Two graphs have equal fingerprints if and only if they have the same shape, the
//                   same values, and the same order in their maps and sets. A core may depend on
//                   that order.
//   object-graph.2. A state with a function is refused, because copies would share the function.
//   object-graph.3. In a copy, an iterator over a map starts again. A core may keep such an
//                   iterator only for work that it can repeat.

type Class = { readonly [name: string]: unknown };

/** A copy that shares no object with `root`. */
export function copyGraph<T>(root: T): T {
  return copy(root, new Map()) as T;
}

function copy(value: unknown, done: Map<object, object>): unknown {
  // object-graph.2
  if (typeof value === "function") throw new Error("a state must not contain a function");
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
  if (isIterator(value)) return new Map().values(); // object-graph.3
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

/** Equal for equal graphs, and different for different ones (object-graph.1). */
export function fingerprint(root: unknown): string {
  return new FingerprintWriter().write(root).text;
}

class FingerprintWriter {
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
