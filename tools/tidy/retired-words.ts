// Retired words: terms that the tree no longer uses, and what to write instead (docs/glossary.md).
//
//   retired-words.1. No code and no document contains a retired word. Three exceptions:
//        CHANGELOG.md lists old and new terms, this folder names the words that it bans, and a
//        migration never changes.

import { isCode, lineAt } from "./tree.ts";
import type { Complaint, SourceFile } from "./tree.ts";

interface Retired {
  readonly pattern: RegExp;
  readonly instead: string;
  /** Where the word has another meaning. */
  readonly except?: RegExp;
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
  { pattern: /own-entry|ownEntry/gi, instead: "claim" },
  {
    pattern: /\b\w*World\b/g,
    instead: "a name that says what it is a world of: SimulatedCluster, HttpFixture",
  },
  // The metric parley_room_condemned_total keeps its name: metrics are an interface.
  { pattern: /condemn(?!ed_total)\w*/gi, instead: "declare dead" },
  { pattern: /\bvoices\b/gi, instead: "reports" },
  { pattern: /\btalkers?\b/gi, instead: "writer, client" },
  {
    pattern: /\bcrowds?\b/gi,
    instead: "clients, load",
  },
  { pattern: /\b(?:people|person)\b/gi, instead: "users, clients", except: /^client\/web\// },
  // Subjects.
  {
    pattern: /\b(?:nobody|somebody|everybody|anybody|whoever)\b/gi,
    instead: "the actor by its term: user, client, process, owner, operator",
    except: /^infra\/docker\/stand-ins\.ts$/,
  },
  // Verbs and images.
  {
    pattern: /\b(?:hears?|heard)\b/gi,
    instead: "receives, received",
  },
  {
    pattern: /\btold\b/gi,
    instead: "sent, received, reported",
  },
  { pattern: /\bmend(?:s|ed|ing)?\b/gi, instead: "repair, correct" },
  { pattern: /\b(?:cure|cures|cured)\b/gi, instead: "recovery, correction" },
  {
    pattern: /\bdoubts?\b/gi,
    instead: "uncertain outcome: timeout, refusal, disconnect",
  },
  {
    pattern: /\b(?:reborn|born again)\b/gi,
    instead: "recreated",
  },
  { pattern: /\b(?:dies|died)\b/gi, instead: "crashes, exits, is killed" },
  { pattern: /\bowe[sd]?\b/gi, instead: "pending" },
  { pattern: /\bwish(?:es)?\b/gi, instead: "request, wants" },
  { pattern: /\btells?\b/gi, instead: "sends, reports, returns" },
  { pattern: /\blives\b/gi, instead: "exists, runs; incarnation, birth" },
  { pattern: /\banew\b/gi, instead: "again" },
  { pattern: /\bfor ever\b/gi, instead: "permanently, forever" },
  { pattern: /\bstands? still\b/gi, instead: "is paused, stalls" },
  { pattern: /\bhonest\b/gi, instead: "correct" },
  { pattern: /\bfor good\b/gi, instead: "permanently" },
  { pattern: /\bby the way\b/gi, instead: "nothing: delete it" },
  { pattern: /\b(?:spoken|speaks) to\b/gi, instead: "sends to, connects to" },
];

export function checkRetiredWords(files: readonly SourceFile[]): Complaint[] {
  return files
    .filter(({ path }) => !EXCEPT.test(path) && (isCode(path) || READ.test(path)))
    .flatMap(({ path, text }) =>
      RETIRED.filter(({ except }) => except?.test(path) !== true).flatMap(({ pattern, instead }) =>
        [...text.matchAll(pattern)].map((match) => ({
          path,
          line: lineAt(text, match.index),
          what: `"${match[0].trim()}" is retired; write: ${instead}`,
        })),
      ),
    );
}
