// Page: the web client on a LongRoom, for measure.ts. `?count=` messages.

import { render } from "preact";
import type { Entered } from "../../store/gate.ts";
import { App } from "../../ui/app.tsx";
import { FakeApi } from "../fixture/fake-api.ts";
import { FakeServer } from "../fixture/fake-server.ts";
import { LongClient } from "./long-room.ts";

const count = Number(new URLSearchParams(location.search).get("count") ?? 100_000);
const client = new LongClient("Grace", count);
Object.assign(window, { longRoom: client.room });
const root = document.getElementById("app");
if (root !== null) {
  const arrival = { user: "Grace", room: "general" };
  const api = new FakeApi(new FakeServer(), "Grace");
  const enter = (): Entered => ({ client, api, admission: Promise.resolve() });
  render(<App gate={{ kind: "dev", arrival, enter }} />, root);
}
