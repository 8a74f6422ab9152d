// NatsUnreachable: the failure of a first connect to NATS. It has no import, so that a program can
// recognise it without loading the client of NATS.

/** NATS did not answer at the first connect. */
export class NatsUnreachable extends Error {
  override readonly name = "NatsUnreachable";
  readonly code = "nats_unreachable";
}
