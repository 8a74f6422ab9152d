// Avatar: a user as this page shows one. The first letter of the display name stands on a colour
// that the id determines. The name is always beside it.
//
//   avatar.1. Two users can have one display name. So the id is in the tooltip of a name.

import { fnv1a32 } from "#shared/protocol/ids.ts";
import { createContext } from "preact";
import type { JSX } from "preact";
import { useContext, useEffect, useReducer } from "preact/hooks";
import type { RoomKind } from "#shared/protocol/roles.ts";
import type { NameBook } from "../store/name-book.ts";

/** The number of hue classes in styles/tokens.css. */
const HUES = 12;
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The names of the signed-in page. Without one, users are shown by their ids. */
export const Names = createContext<NameBook | undefined>(undefined);

/** Returns a function from a user id to the name to show. */
export function useNames(): (user: string) => string {
  const book = useContext(Names);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => book?.subscribe(() => redraw(undefined)), [book]);
  return (user) => book?.of(user) ?? user;
}

/** `name`: the id of the user. */
export function Avatar({ name }: { readonly name: string }): JSX.Element {
  const nameOf = useNames();
  return (
    <span class={`avatar hue-${hue(name)}`} aria-hidden="true">
      {initial(nameOf(name))}
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
  const shown = useNames()(name);
  return (
    <bdi class="name" title={shown === name ? name : `${shown} (${name})`}>
      {shown}
    </bdi>
  );
}

/** The title of a room: of a direct one, the name of the other user. */
export function RoomTitle(props: {
  readonly entry: { readonly kind: RoomKind; readonly title: string };
}): JSX.Element {
  const { kind, title } = props.entry;
  const nameOf = useNames();
  return <bdi class="room-name">{kind === "direct" ? nameOf(title) : title}</bdi>;
}
