// Avatar: a person's first letter on a colour of their own. The name always stands beside it.

import { fnv1a32 } from "#shared/protocol/ids.ts";
import type { JSX } from "preact";

/** As many as styles/avatar.css has. */
const HUES = 12;
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

export function Avatar({ name }: { readonly name: string }): JSX.Element {
  return (
    <span class={`avatar hue-${hue(name)}`} aria-hidden="true">
      {initial(name)}
    </span>
  );
}

/** FNV's low bits are alike for short names; the high ones are folded in. */
function hue(name: string): number {
  const hash = fnv1a32(name);
  return ((hash ^ (hash >>> 21)) >>> 0) % HUES;
}

/** One visible character, whatever it is made of. */
function initial(name: string): string {
  const [first] = graphemes.segment(name.replace(/^[^\p{L}\p{N}\p{Extended_Pictographic}]+/u, ""));
  return (first?.segment ?? name.slice(0, 1)).toLocaleUpperCase("en");
}

/** A name is somebody else's text: its direction must not leak into ours. */
export function Name({ name }: { readonly name: string }): JSX.Element {
  return (
    <bdi class="name" title={name}>
      {name}
    </bdi>
  );
}
