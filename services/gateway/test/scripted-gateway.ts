// ScriptedGateway: a gateway on a memory bus with a scripted owner and archive, for tests with
// their own sockets. A token is the user's name, and a token that begins with `forged` is refused.

import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { ProcessId, UserId } from "#shared/protocol/ids.ts";
import { frameMaker } from "../adapters/websocket.ts";
import { Gateway } from "../runtime/gateway.ts";
import type { GatewayOptions } from "../runtime/gateway.ts";
import type { Verification } from "#shared/ports/identity.ts";
import { ScriptedArchive, ScriptedOwner } from "./scripted-owner.ts";

export interface ScriptedGateway {
  readonly gateway: Gateway;
  readonly owner: ScriptedOwner;
  readonly archive: ScriptedArchive;
  /** Every token that was given for verification, in order. */
  readonly tokens: string[];
}

export function openScriptedGateway(
  clock: Clock,
  options: Partial<GatewayOptions> = {},
): ScriptedGateway {
  const broker = new MemoryBroker();
  const owner = new ScriptedOwner(broker.connect(), 2);
  const archive = new ScriptedArchive(owner.model);
  const tokens: string[] = [];
  const verify = (token: string): Promise<Verification> => {
    tokens.push(token);
    if (token.startsWith("forged")) {
      return Promise.resolve({ kind: "refused", error: "unauthorized" });
    }
    const identity = { user: token as UserId, expiresAt: Infinity, admin: false };
    return Promise.resolve({ kind: "ok", identity });
  };
  const gateway = new Gateway(
    { id: "gw-1" as ProcessId, partitions: 2, version: "test", limits: true, ...options },
    {
      bus: broker.connect(),
      archive,
      clock,
      random: systemRandom,
      auth: { verify },
      frames: frameMaker,
      report: () => undefined,
    },
  );
  gateway.start();
  owner.serve();
  return { gateway, owner, archive, tokens };
}
