// Service manager: reports to systemd that this process is ready, and that its event loop runs.
//
// Node has no datagram socket of the kind that systemd listens on, so the program `systemd-notify`,
// a part of systemd, sends each message. The unit has Type=notify, NotifyAccess=all and WatchdogSec
// (infra/ansible).
//
//   service-manager.1. Without NOTIFY_SOCKET no program is started.
//   service-manager.2. Keep-alives come from a timer of the event loop. When the event loop stalls,
//        none is sent, and systemd ends the process after WatchdogSec.
//   service-manager.3. At most one systemd-notify runs at a time, and it is ended after
//        NOTIFY_TIMEOUT_MS. A keep-alive that is due meanwhile is left out.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Logger } from "./logger.ts";

const run = promisify(execFile);
const PROGRAM = "systemd-notify";
/**
 * On a starved machine a new process needs many seconds. A message that arrives late in the period
 * of the watchdog is as good as an early one, so the limit is above that period.
 */
export const NOTIFY_TIMEOUT_MS = 60_000;
/** So that two keep-alives can be late before systemd acts. */
const KEEP_ALIVES_PER_PERIOD = 3;

export interface ServiceManager {
  /** Reports that the process serves, and begins the keep-alives. Never rejects. */
  ready(): Promise<void>;
}

export function openServiceManager(
  logger: Logger,
  env: NodeJS.ProcessEnv = process.env,
): ServiceManager {
  if ((env["NOTIFY_SOCKET"] ?? "") === "") return { ready: () => Promise.resolve() };
  let isSending = false;
  const send = async (message: string): Promise<void> => {
    if (isSending) return; // service-manager.3
    isSending = true;
    try {
      await run(PROGRAM, [message], { env, timeout: NOTIFY_TIMEOUT_MS });
    } catch (error: unknown) {
      const reason = error instanceof Error ? error.message.trim() : String(error);
      logger.warn({ reason, message }, "systemd was not notified");
    } finally {
      isSending = false;
    }
  };
  return {
    async ready(): Promise<void> {
      await send("READY=1");
      const periodMs = watchdogMs(env);
      if (periodMs === undefined) return;
      setInterval(() => void send("WATCHDOG=1"), periodMs / KEEP_ALIVES_PER_PERIOD).unref();
    },
  };
}

/** WatchdogSec of this process's own unit, as systemd passes it. */
function watchdogMs(env: NodeJS.ProcessEnv): number | undefined {
  const microseconds = Number(env["WATCHDOG_USEC"] ?? "");
  const isOwn = [undefined, String(process.pid)].includes(env["WATCHDOG_PID"]);
  return isOwn && microseconds > 0 ? microseconds / 1_000 : undefined;
}
