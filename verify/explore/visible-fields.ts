// Visible fields: makes the private fields of the cores ordinary ones, in the explorer's process alone.
//
// The explorer recognises a state that it has visited, and goes on from it many times. For both it
// reads and copies the whole state of the real cores, which private fields hide. This hook renames
// `#name` to `_p_name` while a core file is loaded; nothing else of the file changes.
//
//   1. Only files below a core folder, shared/kit and this folder are renamed. Import it with
//      `node --import`, before any core is loaded.

import { registerHooks } from "node:module";

const CORES = /\/(?:services\/\w+\/core|shared\/kit|verify\/explore)\/[\w-]+\.ts$/;
/** A private name, but no import such as "#shared/…" and nothing inside quotes that begins with #. */
const PRIVATE = /(?<![\w"'`/])#(?=[A-Za-z_])/g;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!CORES.test(url) || loaded.source === undefined || loaded.source === null) return loaded;
    const { source } = loaded;
    const text = typeof source === "string" ? source : new TextDecoder().decode(source);
    return { ...loaded, source: text.replaceAll(PRIVATE, "_p_") };
  },
});
