// Page: the web client on a LongRoom, for measure.ts. `?count=` messages.

import { render } from "preact";
import { App } from "../../ui/app.tsx";
import { LongClient } from "./long-room.ts";

const count = Number(new URLSearchParams(location.search).get("count") ?? 100_000);
const client = new LongClient("Grace", count);
Object.assign(window, { longRoom: client.room });
const root = document.getElementById("app");
if (root !== null) {
  const arrival = { user: "Grace", room: "general" };
  render(<App gate={{ kind: "dev", arrival, enter: async () => client }} />, root);
}
