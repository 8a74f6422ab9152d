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

const CODE = /\.(?:tsx?|css)$/;

export const RETIRED: readonly Retired[] = [
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
  // The metric parley_room_condemned_total keeps its name: metrics are an interface.
  { pattern: /condemn(?!ed_total)\w*/gi, instead: "declare dead" },
  { pattern: /\bvoices\b/gi, instead: "reports" },
  { pattern: /\btalkers?\b/gi, instead: "writer, client" },
  { pattern: /\bmend(?:s|ed|ing)?\b/gi, instead: "repair, correct" },
  {
    pattern: /\b(?:nobody|somebody|everybody|anybody|whoever)\b/gi,
    instead: "the actor by its term: user, client, process, owner, operator",
    pending: CODE,
  },
  { pattern: /\b(?:people|person)\b/gi, instead: "users, clients", pending: CODE },
  { pattern: /\b(?:hears?|heard)\b/gi, instead: "receives, received", pending: CODE },
  { pattern: /\b(?:in|any) doubt\b/gi, instead: "uncertain outcome", pending: CODE },
  { pattern: /\b(?:cure|cures|cured)\b/gi, instead: "recovery, correction" },
  { pattern: /\bby the way\b/gi, instead: "nothing: delete it" },
  { pattern: /\b(?:dies|died)\b/gi, instead: "crashes, exits, is killed" },
  { pattern: /\b(?:spoken|speaks) to\b/gi, instead: "sends to, connects to" },
  { pattern: /\bown-entry|ownEntry\b/gi, instead: "claim", pending: CODE },
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
