// Conditions: the fault levels that are in force at this moment of a run.
//
// fault-injector.ts changes them; the simulated network, log and database read them for each
// message and call. Probabilities are per message, append or call.

export interface Conditions {
  /** The broker loses a core message to one subscriber. */
  loss: number;
  /**
   * The broker delivers a core message twice, the copy directly behind the original. Real NATS does
   * not do this (ports/bus.1); the product must tolerate it all the same.
   */
  duplication: number;
  /** A message takes up to `spikeMs` longer. */
  spike: number;
  spikeMs: number;
  /** Order holds for each connection and subject (ports/bus.2), but not across subjects. */
  reorders: boolean;

  readonly log: {
    /** An append takes up to `slowMs` longer. The order of appends does not change. */
    slowMs: number;
    /** The entry is stored and its ack is lost (ports/log.3). */
    ackLoss: number;
    /** The append is lost before it is stored, and the caller receives no answer (ports/log.3). */
    appendLoss: number;
    /** The log refuses an append without its last sequence (NATS error 10164). */
    conflictWithoutLast: number;
    /** The reported last sequence is old. */
    staleLast: number;
    isFull: boolean;
    /** No leader: an append has an unknown outcome, and another request gets no answer. */
    isLeaderless: boolean;
    /** Readers use a replica that is up to this far behind. */
    readLagMs: number;
  };
  readonly database: {
    slowMs: number;
    /** A call fails and has no effect. */
    error: number;
    /** A write is stored and its answer is an error. */
    answerLoss: number;
    isDown: boolean;
    /** Reads use a replica that is this far behind. */
    replicaLagMs: number;
  };
}

export function withoutFaults(): Conditions {
  return {
    loss: 0,
    duplication: 0,
    spike: 0,
    spikeMs: 0,
    reorders: false,
    log: {
      slowMs: 0,
      ackLoss: 0,
      appendLoss: 0,
      conflictWithoutLast: 0,
      staleLast: 0,
      isFull: false,
      isLeaderless: false,
      readLagMs: 0,
    },
    database: { slowMs: 0, error: 0, answerLoss: 0, isDown: false, replicaLagMs: 0 },
  };
}

/** Ends all faults at once. */
export function endFaults(conditions: Conditions): void {
  const { log, database, ...rest } = withoutFaults();
  Object.assign(conditions, rest);
  Object.assign(conditions.log, log);
  Object.assign(conditions.database, database);
}
