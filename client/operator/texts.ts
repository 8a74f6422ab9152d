// Texts: the sentences of the admin page.
//
// In English only, like the `parley` command: its readers are operators, and runbooks and logs use
// the same words. The parts that the page takes from the web client (theme) follow its catalogue.

import type { NodeKind } from "#shared/protocol/ids.ts";

export const TEXT = {
  title: "Parley admin",
  lead: "For administrators of this cluster.",
  token: "Token of an administrator",
  tokenNote: "With AUTH=dev: ./parley token <name> --admin",
  enter: "Sign in",
  entering: "Signing in …",
  enterWith: (host: string) => `Sign in with ${host}`,
  noAnswer: "The operator service does not answer.",
  ageOf: (age: string) => `${age} old`,
  signOut: "Sign out",
  ended: "The sign-in has ended. Sign in again.",
  pause: "Pause",
  resume: "Resume",
  cut: "The operator service has no connection to NATS. The page shows the last known state.",
  healthy: "No problem found.",
  problems: (count: number) => (count === 1 ? "1 problem" : `${count} problems`),
  search: "Search",
  none: "None.",
  sections: {
    processes: "Processes",
    partitions: "Partitions",
    rooms: "Rooms",
    sessions: "Sessions",
    webhooks: "Webhooks",
  },
  totals: { sockets: "Connections", rooms: "Rooms in memory", lag: "Entries to archive" },
  range: (low: string, high: string) => `${low} to ${high} while this page was open`,
  columns: {
    process: "Process",
    where: "Host, pid",
    up: "Up",
    work: "Work",
    answer: "Answer",
    action: "Action",
    partition: "Partition",
    owner: "Owner",
    epoch: "Epoch",
    lag: "Entries to archive",
    seconds: "Behind",
    fill: "Log full",
    room: "Room",
    members: "Sessions",
    head: "Head",
    session: "Session",
    since: "Since",
    device: "Device",
    address: "Address",
    gateway: "Gateway",
    url: "Address",
    kinds: "Events",
    waiting: "Waiting",
    dead: "Dead letters",
    behind: "Behind",
    reason: "Last failure",
  },
  answers: "answers",
  silent: (age: string) => `silent for ${age}`,
  noOwner: "none",
  more: (count: number) => `… and ${count} more.`,
  showAll: (count: number) => `Show all ${count}`,
  findRoom: "Part of a room id",
  findUser: "User id",
  findSessions: "Show sessions",
  sessionsOf: (user: string, total: number) => `${user} has ${total} sessions.`,
  previous: "Previous",
  next: "Next",
  noWebhooks: "No process of this cluster sends webhooks.",
  actions: {
    drain: "Drain",
    end: "End",
    kick: "Kick",
    revoke: "Revoke tokens",
    cancel: "Cancel",
  },
} as const;

/** The title of a confirmation, what happens, and the label of its button. */
export interface Confirmation {
  readonly title: string;
  readonly effect: string;
  readonly confirm: string;
}

export const KIND_NAMES: Readonly<Record<NodeKind, string>> = {
  gateway: "gateway",
  room: "room node",
  persistence: "persistence",
  webhooks: "webhooks",
  region: "region agent",
  operator: "operator",
};

/** What a drain does, by the kind of the process. `work`: how much of its work moves. */
const DRAIN_EFFECTS: Readonly<Record<NodeKind, (work: number) => string>> = {
  gateway: (work) =>
    `Its ${work} connections close within ten seconds, and the clients connect to another gateway.`,
  room: (work) =>
    `Its ${work} partitions move to other room nodes. Messages to their rooms wait for up to about a second; none is lost.`,
  persistence: (work) =>
    `Another persistence process takes over its ${work} logs. The archive is behind until then.`,
  webhooks: () => "Another webhooks process continues its deliveries. Some may arrive twice.",
  region: () => "Its region has no agent until it runs again.",
  operator: () => "This page ends, and all administrators are signed out.",
};

export function drainConfirmation(
  { kind, id }: { readonly kind: NodeKind; readonly id: string },
  work: number,
  isOnly: boolean,
): Confirmation {
  const name = `${KIND_NAMES[kind]} ${id}`;
  const alone = isOnly
    ? ` No other ${KIND_NAMES[kind]} process answers: its work stops until one runs.`
    : "";
  const effect = `${DRAIN_EFFECTS[kind](work)} The process then exits; its supervisor decides whether it starts again.${alone}`;
  return { title: `Drain ${name}?`, effect, confirm: `Drain ${id}` };
}

export const CONFIRM = {
  kick: (user: string): Confirmation => ({
    title: `Kick ${user}?`,
    effect: `All present tokens of ${user} are refused on every gateway, and all connections of the user close at once. A token that the issuer signs later is accepted.`,
    confirm: `Kick ${user}`,
  }),
  revoke: (user: string): Confirmation => ({
    title: `Revoke the tokens of ${user}?`,
    effect: `Every gateway refuses the present tokens of ${user}, and closes the connections with them within two seconds. A token that the issuer signs later is accepted.`,
    confirm: `Revoke tokens of ${user}`,
  }),
  end: (user: string, session: string): Confirmation => ({
    title: `End a session of ${user}?`,
    effect: `The connection of session ${session} closes. Its token stays valid, so the user can connect again.`,
    confirm: "End the session",
  }),
} as const;

export const DONE = {
  drain: (id: string) => `${id} hands over its work and exits.`,
  kick: (user: string, closed: number) => `Kicked ${user}: ${closed} connections closed at once.`,
  revoke: (user: string, until: string) => `Tokens of ${user} up to ${until} are refused.`,
  end: (ended: number, left: number) =>
    left === 0
      ? `Ended ${ended} sessions.`
      : `Ended ${ended} sessions; the gateway of ${left} has not confirmed the end.`,
} as const;

/** `3 s`, `5 min`, `2 h`, `4 d`. */
export function age(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.round(seconds / 3_600)} h`
    : `${Math.round(seconds / 86_400)} d`;
}

const numbers = new Intl.NumberFormat("en");

export function count(value: number): string {
  return numbers.format(value);
}
