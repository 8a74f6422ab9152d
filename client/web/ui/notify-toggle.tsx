// NotifyToggle: the bell that turns notifications of the desktop on and off.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../texts/texts.ts";
import { Icon } from "./icons.tsx";
import { notifyState, toggleNotify } from "./notifications.ts";

export function NotifyToggle(): JSX.Element | null {
  const [state, setState] = useState(notifyState);
  if (state === "missing") return null;
  const label = t(state === "on" ? "notify.off" : "notify.on");
  const note = t(state === "denied" ? "notify.denied" : "notify.note");
  return (
    <>
      <button
        type="button"
        class="quiet square"
        aria-label={label}
        title={`${label}. ${note}`}
        onClick={() => void toggleNotify().then(setState)}
      >
        <Icon name={state === "on" ? "bell" : "bellOff"} />
      </button>
      <span class="hidden" role="status">
        {state === "denied" ? note : ""}
      </span>
    </>
  );
}
