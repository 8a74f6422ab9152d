// ScriptedGateway: a gateway on a memory bus with a scripted owner and archive behind it, for tests that
// bring their own sockets. Everybody is ada.

import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { ProcessId, UserId } from "#shared/protocol/ids.ts";
import { frameMaker } from "../adapters/websocket.ts";
import { Gateway } from "../gateway.ts";
import { ScriptedArchive, ScriptedOwner } from "./scripted-owner.ts";

export interface ScriptedGateway {
  readonly gateway: Gateway;
  readonly owner: ScriptedOwner;
  readonly archive: ScriptedArchive;
}

export function openScriptedGateway(clock: Clock): ScriptedGateway {
  const broker = new MemoryBroker();
  const owner = new ScriptedOwner(broker.connect(), 2);
  const archive = new ScriptedArchive(owner.model);
  const identity = { user: "ada" as UserId, expiresAt: Infinity, admin: false };
  const gateway = new Gateway(
    { id: "gw-1" as ProcessId, partitions: 2, version: "test", limits: true },
    {
      bus: broker.connect(),
      archive,
      clock,
      random: systemRandom,
      auth: { verify: () => Promise.resolve({ kind: "ok", identity }) },
      frames: frameMaker,
      report: () => undefined,
    },
  );
  gateway.start();
  owner.serve();
  return { gateway, owner, archive };
}
