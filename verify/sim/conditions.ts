// Weather: the conditions that hold for everybody at this moment of a run.
//
// fault-injector.ts changes it, the simulated network, log and database ask it each time. All probabilities
// are per message, append or call. `calm` is a world without trouble.

export interface Weather {
  /** A core message to one subscriber is lost. */
  loss: number;
  /** A core message comes twice, the copy right behind it. More than ports/bus.1 allows: defence in depth. */
  duplication: number;
  /** A message takes up to `spikeMs` longer. */
  spike: number;
  spikeMs: number;
  /** Order holds only per connection and subject (ports/bus.2), not across the subjects of a connection. */
  reorders: boolean;

  /** An append takes up to `log.slowMs` longer; the order of appends is kept. */
  readonly log: {
    slowMs: number;
    /** The ack is lost: stored, and nobody is told (ports/log.3). */
    ackLoss: number;
    /** The append is lost on its way: not stored, and nobody is told (ports/log.3). */
    appendLoss: number;
    /** Refused without a number (10164). */
    unnamed: number;
    /** What the stream reports as its last entry is old. */
    stale: number;
    isFull: boolean;
    /** No leader: appends and questions find nobody. */
    isLeaderless: boolean;
    /** Readers are served by a replica that is this far behind. */
    readLagMs: number;
  };
  readonly database: {
    slowMs: number;
    /** A call fails and has done nothing. */
    error: number;
    /** A write is done and its answer is an error. */
    doubt: number;
    isDown: boolean;
    /** Reads see the state of this long ago. */
    replicaLagMs: number;
  };
}

export function calm(): Weather {
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
      unnamed: 0,
      stale: 0,
      isFull: false,
      isLeaderless: false,
      readLagMs: 0,
    },
    database: { slowMs: 0, error: 0, doubt: 0, isDown: false, replicaLagMs: 0 },
  };
}

/** Ends all trouble at once. */
export function clearUp(weather: Weather): void {
  const { log, database, ...rest } = calm();
  Object.assign(weather, rest);
  Object.assign(weather.log, log);
  Object.assign(weather.database, database);
}
