// RoomIcon: what kind of room it is: "#" for an open one, a lock for a closed one, the face of the
// other user for a direct one.

import type { JSX } from "preact";
import type { RoomKind } from "#shared/protocol/roles.ts";
import { t } from "../texts/texts.ts";
import { Avatar } from "./avatar.tsx";
import { Icon } from "./icons.tsx";

interface Props {
  readonly entry: { readonly kind: RoomKind; readonly title: string };
}

export function RoomIcon({ entry }: Props): JSX.Element {
  if (entry.kind === "direct") return <Avatar name={entry.title} />;
  if (entry.kind === "open") {
    return (
      <span class="hash" aria-hidden="true">
        #
      </span>
    );
  }
  return (
    <span class="hash">
      <Icon name="lock" />
      <span class="hidden">{t("rooms.closedKind")} </span>
    </span>
  );
}
