// Retired words: terms that the tree no longer uses, and what to write instead (docs/glossary.md).
//
//   retired-words.1. A retired word stands in no code and no document. Two exceptions:
//        CHANGELOG.md, which lists old and new terms, and this folder, which names the words that
//        it bans.

import { isCode, lineAt } from "./tree.ts";
import type { Complaint, SourceFile } from "./tree.ts";

interface Retired {
  readonly pattern: RegExp;
  readonly instead: string;
  /** Where the tree still uses the word. */
  readonly pending?: RegExp;
}

const EXCEPT = /^(?:CHANGELOG\.md$|tools\/tidy\/|services\/persistence\/migrations\/|LICENSE$)/;
const READ = /\.(?:md|ya?ml|sql|css|html|py)$|^Makefile$/;

export const RETIRED: readonly Retired[] = [
  // Names.
  { pattern: /\breigns?(?![a-z])/gi, instead: "tenure" },
  { pattern: /suspicions?\b/gi, instead: "failure detector, report" },
  { pattern: /\bGatewayDoor\b/g, instead: "GatewayRoomApi" },
  { pattern: /dropHopeless/g, instead: "expireStarved" },
  { pattern: /keepHouse\b/g, instead: "expireHandshakes" },
  { pattern: /STOOD_STILL/g, instead: "EVENT_LOOP_STALL" },
  { pattern: /PartitionDriver/g, instead: "PartitionRunner" },
  { pattern: /ArchiveWorker/g, instead: "ArchiveRunner" },
  { pattern: /\bRoomRunner/g, instead: "FeedRunner" },
  { pattern: /\bOutlet\b/g, instead: "MemberSink" },
  { pattern: /#?fruitless/gi, instead: "attemptsSinceProgress" },
  { pattern: /own-entry|ownEntry/gi, instead: "claim", pending: /^shared\/protocol\// },
  {
    pattern: /\b\w*World\b/g,
    instead: "a name that says what it is a world of: SimulatedCluster, HttpFixture",
    pending: /^(?:client\/sdk|verify\/sim)\//,
  },
  // The metric parley_room_condemned_total keeps its name: metrics are an interface.
  { pattern: /condemn(?!ed_total)\w*/gi, instead: "declare dead" },
  { pattern: /\bvoices\b/gi, instead: "reports" },
  { pattern: /\btalkers?\b/gi, instead: "writer, client" },
  {
    pattern: /\bcrowds?\b/gi,
    instead: "clients, load",
    pending: /^(?:client\/sdk|services\/gateway)\//,
  },
  { pattern: /\b(?:people|person)\b/gi, instead: "users, clients", pending: /^client\/web\// },
  // Subjects.
  {
    pattern: /\b(?:nobody|somebody|everybody|anybody|whoever)\b/gi,
    instead: "the actor by its term: user, client, process, owner, operator",
    pending: /^(?:client\/sdk|shared\/protocol|infra\/docker)\//,
  },
  // Verbs and images.
  {
    pattern: /\b(?:hears?|heard)\b/gi,
    instead: "receives, received",
    pending: /^(?:client\/sdk|services\/gateway)\//,
  },
  {
    pattern: /\btold\b/gi,
    instead: "sent, received, reported",
    pending: /^(?:client|shared\/protocol|services\/gateway)\//,
  },
  { pattern: /\bmend(?:s|ed|ing)?\b/gi, instead: "repair, correct" },
  { pattern: /\b(?:cure|cures|cured)\b/gi, instead: "recovery, correction" },
  {
    pattern: /\bdoubts?\b/gi,
    instead: "uncertain outcome: timeout, refusal, disconnect",
    pending: /^client\/sdk\//,
  },
  {
    pattern: /\b(?:reborn|born again)\b/gi,
    instead: "recreated",
    pending: /^(?:client\/sdk|services\/gateway)\//,
  },
  { pattern: /\b(?:dies|died)\b/gi, instead: "crashes, exits, is killed" },
  { pattern: /\bowe[sd]?\b/gi, instead: "pending", pending: /^client\/sdk\// },
  { pattern: /\bwish(?:es)?\b/gi, instead: "request, wants", pending: /^client\/sdk\// },
  { pattern: /\bhonest\b/gi, instead: "correct" },
  { pattern: /\bfor good\b/gi, instead: "permanently", pending: /^client\/sdk\// },
  { pattern: /\bby the way\b/gi, instead: "nothing: delete it" },
  { pattern: /\b(?:spoken|speaks) to\b/gi, instead: "sends to, connects to" },
];

export function checkRetiredWords(files: readonly SourceFile[]): Complaint[] {
  return files
    .filter(({ path }) => !EXCEPT.test(path) && (isCode(path) || READ.test(path)))
    .flatMap(({ path, text }) =>
      RETIRED.filter(({ pending }) => pending?.test(path) !== true).flatMap(
        ({ pattern, instead }) =>
          [...text.matchAll(pattern)].map((match) => ({
            path,
            line: lineAt(text, match.index),
            what: `"${match[0].trim()}" is retired; write: ${instead}`,
          })),
      ),
    );
}
