// Visible fields: turns private fields of the cores into ordinary ones, in the explorer's process
// alone.
//
// The explorer recognises states that it has visited, and continues from each of them many times.
// Both require the complete state of the real cores, which private fields hide. This load hook
// renames `#name` to `_p_name` in each core file and changes nothing else. Import this file with
// `node --import`, before any core is loaded.
//
//   visible-fields.1. The hook changes only files in a core folder, in shared/kit and in this
//                     folder.

import { registerHooks } from "node:module";

const CORES = /\/(?:services\/\w+\/core|shared\/kit|verify\/explore)\/[\w-]+\.ts$/;
/** A private name, and neither an import such as "#shared/…" nor another string with #. */
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
