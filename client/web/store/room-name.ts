// RoomName: the name of a room that fits a title: "Café & Plans" becomes "cafe-plans". Pure.

/** An empty text when nothing of the title can be in a name. */
export function roomNameOf(title: string): string {
  return title
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/gu, "-")
    .replaceAll(/^-+|-+$/gu, "")
    .slice(0, 64);
}
