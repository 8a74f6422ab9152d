// Avatar: the first letter of a name on a colour that the name determines. The name is always
// beside it.

import { fnv1a32 } from "#shared/protocol/ids.ts";
import type { JSX } from "preact";

/** The number of hue classes in styles/tokens.css. */
const HUES = 12;
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

export function Avatar({ name }: { readonly name: string }): JSX.Element {
  return (
    <span class={`avatar hue-${hue(name)}`} aria-hidden="true">
      {initial(name)}
    </span>
  );
}

/** The low bits of FNV are similar for short names; this mixes the high bits in. */
function hue(name: string): number {
  const hash = fnv1a32(name);
  return ((hash ^ (hash >>> 21)) >>> 0) % HUES;
}

/** The first grapheme, which may be several code points. */
function initial(name: string): string {
  const [first] = graphemes.segment(name.replace(/^[^\p{L}\p{N}\p{Extended_Pictographic}]+/u, ""));
  return (first?.segment ?? name.slice(0, 1)).toLocaleUpperCase("en");
}

/** A name is foreign text: <bdi> keeps its direction from the text around it. */
export function Name({ name }: { readonly name: string }): JSX.Element {
  return (
    <bdi class="name" title={name}>
      {name}
    </bdi>
  );
}
