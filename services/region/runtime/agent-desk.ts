// AgentDesk: answers the requests of processes and operators to the agent of a region.
//
// Owns: the two subscriptions, the codecs. Does not own: any answer.

import type { Bus, BusMessage } from "#shared/ports/bus.ts";
import {
  decodeGrantRequest,
  decodeRegionRequest,
  encodeGrant,
  encodeRegionAnswer,
} from "#shared/protocol/regions.ts";
import type {
  Grant,
  RegionAnswer,
  RegionRefusal,
  RegionRequest,
} from "#shared/protocol/regions.ts";
import { subjects } from "#shared/protocol/subjects.ts";

export interface Answering {
  grant(n: number): Grant;
  /** Resolves, never rejects. */
  handle(request: RegionRequest): Promise<RegionAnswer>;
}

const AGENT_QUEUE = "region";

/** Returns the function that ends it. */
export function openDesk(bus: Bus, agent: Answering): () => void {
  const queue = { queue: AGENT_QUEUE };
  const subscriptions = [
    bus.subscribe(subjects.regionGrant, (message) => onGrantRequest(bus, agent, message), queue),
    bus.subscribe(subjects.regionControl, (message) => onControl(bus, agent, message), queue),
  ];
  return () => subscriptions.forEach((one) => one.unsubscribe());
}

export function refusal(error: RegionRefusal, message: string): RegionAnswer {
  return { v: 1, error, message };
}

function onGrantRequest(bus: Bus, agent: Answering, { data, reply }: BusMessage): void {
  const request = decodeGrantRequest(new TextDecoder().decode(data));
  if (request === undefined || reply === undefined) return; // N5
  bus.publish(reply, encodeGrant(agent.grant(request.n)));
}

function onControl(bus: Bus, agent: Answering, { data, reply }: BusMessage): void {
  if (reply === undefined) return;
  const answer = (whole: RegionAnswer): void => {
    bus.publish(reply, encodeRegionAnswer(whole));
  };
  const request = decodeRegionRequest(new TextDecoder().decode(data));
  if (request === undefined) {
    answer(refusal("bad_request", "the agent does not know this request"));
    return;
  }
  void agent.handle(request).then(answer);
}
