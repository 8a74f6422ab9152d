// OverBus: a bus that passes every call to another one, except those that its caller replaces.

import type { Bus } from "#shared/ports/bus.ts";

export function overBus(bus: Bus, changed: Partial<Bus>): Bus {
  return {
    publish: (...args) => bus.publish(...args),
    subscribe: (...args) => bus.subscribe(...args),
    request: (...args) => bus.request(...args),
    flush: () => bus.flush(),
    get status() {
      return bus.status;
    },
    get counts() {
      return bus.counts;
    },
    onStatus: (handler) => bus.onStatus(handler),
    close: () => bus.close(),
    ...changed,
  };
}
