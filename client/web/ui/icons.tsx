// Icons: 16 × 16 paths in the colour of the text around them. They are decoration: a text or a
// label always states the same.

import type { JSX } from "preact";

const PATHS = {
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.4 10.4l3.1 3.1",
  users:
    "M6 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM1.5 13.5c0-2.5 2-4 4.5-4s4.5 1.5 4.5 4M10.5 2.8a2.4 2.4 0 0 1 0 4.4M12 9.8c1.5.5 2.5 1.8 2.5 3.7",
  close: "m4 4 8 8M12 4l-8 8",
  send: "M8 13V3M3.8 7.2 8 3l4.2 4.2",
  down: "M8 3v10M3.8 8.8 8 13l4.2-4.2",
  check: "m3 8.5 3.2 3.2L13 5",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.8V8l2.2 1.4",
  alert: "M8 2.2 14.4 13H1.6ZM8 6.5v3M8 11.2v.1",
  retry: "M13 8a5 5 0 1 1-1.6-3.7M13 2.2v2.6h-2.6",
  copy: "M5.5 5.5h7v7h-7zM3.5 10.5v-7h7",
  sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9",
  moon: "M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8Z",
  system: "M2 3h12v8H2zM5.5 13.5h5M8 11v2.5",
  contrast: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 2v12M8 5h5M8 8h6M8 11h5",
  globe:
    "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM2 8h12M8 2c-3.6 3.6-3.6 8.4 0 12M8 2c3.6 3.6 3.6 8.4 0 12",
  devices: "M13.5 5V3.5h-11v7H7M1.5 13H7M9.5 7h5v6.5h-5ZM12 11.4v.1",
  leave: "M6.5 2.5h-4v11h4M10 5l3 3-3 3M13 8H6",
  plus: "M8 3v10M3 8h10",
  filter: "M2.5 4h11M4.5 8h7M6.5 12h3",
  lock: "M4 7.5h8v6H4zM5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2",
  more: "M3.5 8v.1M8 8v.1M12.5 8v.1",
  bell: "M4 11V7a4 4 0 0 1 8 0v4l1.2 1.5H2.8ZM6.8 14h2.4",
  bellOff: "M4 11V7a4 4 0 0 1 8 0v4l1.2 1.5H2.8ZM6.8 14h2.4M2.5 2.5l11 11",
  link: "M6.8 9.2a2.5 2.5 0 0 0 3.6 0l2-2a2.5 2.5 0 0 0-3.6-3.6l-.8.8M9.2 6.8a2.5 2.5 0 0 0-3.6 0l-2 2a2.5 2.5 0 0 0 3.6 3.6l.8-.8",
  gear: "M8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM8 2v1.7M8 12.3V14M2 8h1.7M12.3 8H14M3.8 3.8 5 5M11 11l1.2 1.2M3.8 12.2 5 11M11 5l1.2-1.2",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 7.2v3.6M8 5v.1",
  calendar: "M2.5 4h11v9.5h-11ZM2.5 7h11M5.5 2.3V5M10.5 2.3V5",
  addUser:
    "M6.5 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM2 13.5c0-2.5 2-4 4.5-4s4.5 1.5 4.5 4M12.5 4.5v5M10 7h5",
  smile:
    "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM5.6 9.4c.6 1 1.4 1.5 2.4 1.5s1.8-.5 2.4-1.5M6 6.4v.1M10 6.4v.1",
  thread: "M2.5 3h11v7.5H8L5 13v-2.5H2.5ZM5.3 5.7h5.4M5.3 7.9h3.4",
  pen: "M3 13l.6-2.8 7-7a1.1 1.1 0 0 1 1.6 0l.6.6a1.1 1.1 0 0 1 0 1.6l-7 7ZM9.4 4.4l2.2 2.2",
  pin: "M6 2.5h4L9.5 7l2.5 2.5H4L6.5 7ZM8 9.5v4",
  clip: "M12.8 7.3 7.6 12.5a3 3 0 0 1-4.2-4.2l5.5-5.5a2 2 0 0 1 2.8 2.8l-5.4 5.4a1 1 0 0 1-1.4-1.4l4.8-4.8",
  download: "M8 2.5v7.7M4.8 7 8 10.2 11.2 7M3 13.5h10",
  bin: "M3 4.5h10M6.3 4.5v-2h3.4v2M4.5 4.5l.5 9h6l.5-9M6.9 7.2v3.6M9.1 7.2v3.6",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The logo: two speech bubbles. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect class="mark-ground" width="32" height="32" rx="8" />
      <path
        class="mark-first"
        d="M8.5 6.5h11a5 5 0 0 1 0 10h-5.6l-3.6 3.3v-3.3H8.5a5 5 0 0 1 0-10Z"
      />
      <path
        class="mark-second"
        d="M14.6 14.9h9.4a4.3 4.3 0 0 1 0 8.6h-.4v3l-3.3-3h-5.7a4.3 4.3 0 0 1 0-8.6Z"
      />
    </svg>
  );
}
