// ClusterPage: the whole page of a signed-in administrator: the bar with the age of what it shows,
// the problems, and one section for each kind of thing.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Icon, Mark } from "../../web/ui/icons.tsx";
import { ThemeToggle } from "../../web/ui/theme.tsx";
import type { OperatorAction, OperatorActionResult } from "#shared/protocol/operator-page.ts";
import { OperatorError } from "../store/operator-api.ts";
import type { OperatorApi } from "../store/operator-api.ts";
import { age, DONE, TEXT } from "../texts.ts";
import type { Confirmation } from "../texts.ts";
import type { Act } from "./act.ts";
import { ConfirmAction } from "./confirm-action.tsx";
import { Partitions } from "./partitions.tsx";
import { Processes } from "./processes.tsx";
import { Rooms } from "./rooms.tsx";
import { Totals } from "./totals.tsx";
import { UserSessions } from "./user-sessions.tsx";
import { useCluster } from "./watch-cluster.ts";
import { Webhooks } from "./webhooks.tsx";

interface Props {
  readonly api: OperatorApi;
  readonly user: string;
  /** The sign-in ended by itself. */
  readonly onEnded: () => void;
  readonly onSignedOut: () => void;
}

/** An action that waits for its confirmation. */
interface Asked {
  readonly action: OperatorAction;
  readonly confirmation: Confirmation;
}

/** After this time the age is shown as a warning. */
const OLD_SECONDS = 10;

export function ClusterPage({ api, user, onEnded, onSignedOut }: Props): JSX.Element {
  const [isPaused, setPaused] = useState(false);
  const [asked, setAsked] = useState<Asked>();
  const [result, setResult] = useState<{ readonly text: string; readonly isBad: boolean }>();
  /** Counts the actions, so that the sessions on the page are read again. */
  const [acts, setActs] = useState(0);
  const { snapshot, ageSeconds, problem } = useCluster(api, isPaused, onEnded);

  const act: Act = (action, confirmation) => setAsked({ action, confirmation });
  const perform = (action: OperatorAction): void => {
    api.act(action).then(
      (done) => {
        setResult({ text: resultText(action, done), isBad: false });
        setActs((before) => before + 1);
      },
      (error: unknown) => {
        if (error instanceof OperatorError && error.isSignedOut) return onEnded();
        setResult({ text: error instanceof Error ? error.message : String(error), isBad: true });
      },
    );
  };
  const signOut = (): void => void api.signOut().then(onSignedOut, onSignedOut);

  return (
    <div class="operator">
      <header class="operator-bar">
        <Mark />
        <h1>{TEXT.title}</h1>
        <Age seconds={ageSeconds} />
        <button type="button" class="secondary" onClick={() => setPaused(!isPaused)}>
          {isPaused ? TEXT.resume : TEXT.pause}
        </button>
        <span class="operator-user">{user}</span>
        <ThemeToggle />
        <button type="button" class="secondary" onClick={signOut}>
          {TEXT.signOut}
        </button>
      </header>
      <main>
        <p class="operator-result" role="status" data-bad={result?.isBad}>
          {result?.text}
        </p>
        <Alarm problem={problem ?? (snapshot?.isConnected === false ? TEXT.cut : undefined)} />
        {snapshot !== undefined && (
          <>
            <Problems problems={snapshot.problems} />
            <Totals snapshot={snapshot} />
            <Processes snapshot={snapshot} act={act} />
            <Partitions partitions={snapshot.partitions} processes={snapshot.processes} />
            <Rooms api={api} />
            <UserSessions api={api} act={act} acts={acts} />
            <Webhooks webhooks={snapshot.webhooks} />
          </>
        )}
      </main>
      {asked !== undefined && (
        <ConfirmAction
          {...asked.confirmation}
          onConfirm={() => perform(asked.action)}
          onClose={() => setAsked(undefined)}
        />
      )}
    </div>
  );
}

function Age({ seconds }: { readonly seconds: number | undefined }): JSX.Element {
  const isOld = seconds === undefined || seconds > OLD_SECONDS;
  return (
    <span class="operator-age" data-old={isOld}>
      <Icon name="clock" />
      {seconds === undefined ? "…" : TEXT.ageOf(age(seconds))}
    </span>
  );
}

function Alarm({ problem }: { readonly problem: string | undefined }): JSX.Element {
  return (
    <p class="operator-alarm" role="alert">
      {problem}
    </p>
  );
}

function Problems({ problems }: { readonly problems: readonly string[] }): JSX.Element {
  if (problems.length === 0) {
    return (
      <p class="operator-healthy">
        <Icon name="check" />
        {TEXT.healthy}
      </p>
    );
  }
  return (
    <section class="operator-problems" aria-label={TEXT.problems(problems.length)}>
      <h2>
        <Icon name="alert" />
        {TEXT.problems(problems.length)}
      </h2>
      <ul>
        {problems.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </section>
  );
}

function resultText(action: OperatorAction, result: OperatorActionResult): string {
  switch (result.action) {
    case "drain":
      return DONE.drain(result.process);
    case "kick":
      return DONE.kick("user" in action ? action.user : "", result.closed);
    case "revoke":
      return DONE.revoke("user" in action ? action.user : "", new Date(result.at).toISOString());
    case "end":
      return DONE.end(result.ended, result.left);
    default:
      return "";
  }
}
