// Main: `parley chat <room>`. It is loaded only for this command: Ink needs a third of a second.

import { createElement } from "react";
import { render } from "ink";
import type { RoomId } from "#shared/protocol/ids.ts";
import { fileOutbox } from "../../sdk/outbox/file.ts";
import type { RoomAbout } from "../../web/store/chat-api.ts";
import { request } from "../change.ts";
import type { Caller } from "../change.ts";
import { newClient } from "../connect.ts";
import { Chat } from "./chat.ts";
import { frameOf } from "./frame.ts";
import { Screen } from "./screen.ts";
import { Terminal } from "./terminal.ts";

/** The banner counts the seconds to the next attempt, and the time to edit a message ends. */
const TICK_MS = 1_000;
/** What the list of the user's devices calls the systems; of others it has Node's name (SL10). */
const SYSTEMS: Record<string, string> = { linux: "Linux", darwin: "Mac", win32: "Windows" };

/** Resolves when the user leaves. Rejects as `newClient` does. */
export async function chatIn(
  caller: Caller,
  room: RoomId,
  { outbox: path }: { readonly outbox?: string },
): Promise<void> {
  const outbox = path === undefined ? {} : { outbox: fileOutbox(path) };
  const device = `parley chat, ${SYSTEMS[process.platform] ?? process.platform}`;
  const parley = await newClient(caller, { device, ...outbox });
  const handle = parley.join(room);
  const terminal = new Terminal(process.stdin, process.stdout);
  const left = Promise.withResolvers<void>();
  let draw = (): void => undefined;
  const chat = new Chat(parley, handle, {
    changed: () => draw(),
    quit: () => left.resolve(),
    about: async (name) => {
      return (await request(caller, "GET", `/v1/rooms/${name}`)) as unknown as RoomAbout;
    },
  });
  const watch = (changed: () => void): (() => void) => {
    draw = changed;
    return () => (draw = () => undefined);
  };
  const frame = (): ReturnType<typeof frameOf> => frameOf(chat, terminal.size, Date.now());
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const) process.once(signal, left.resolve);
  terminal.begin(
    (key) => chat.onKey(key),
    () => draw(),
  );
  const instance = render(createElement(Screen, { frame, watch }), {
    alternateScreen: true,
    interactive: true,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  const tick = setInterval(() => {
    if (parley.state === "waiting" || chat.selected !== undefined) draw();
  }, TICK_MS);
  parley.connect();
  try {
    await left.promise;
  } finally {
    clearInterval(tick);
    chat.close();
    instance.unmount();
    terminal.end();
    await parley.flush().catch(() => undefined);
    parley.close();
  }
}
