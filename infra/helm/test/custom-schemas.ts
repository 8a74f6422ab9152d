// Custom schemas: JSON schemas for kubeconform from the definitions of custom kinds.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

interface Definition {
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: object } }[];
  };
}

/** Writes a schema for each kind that the file defines, as `<kind>.json`. */
export function writeCustomSchemas(definitions: string, folder: string): void {
  for (const document of parseAllDocuments(readFileSync(definitions, "utf8"))) {
    const { spec } = document.toJSON() as Definition;
    const schema = strict(spec.versions[0]!.schema.openAPIV3Schema);
    writeFileSync(join(folder, `${spec.names.kind.toLowerCase()}.json`), JSON.stringify(schema));
  }
}

/** Refuses the properties that the definition does not name. */
function strict(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strict);
  if (typeof node !== "object" || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, strict(value)]));
  if ("properties" in copy) copy["additionalProperties"] ??= false;
  return copy;
}
