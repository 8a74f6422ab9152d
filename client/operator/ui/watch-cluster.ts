// WatchCluster: asks for the state of the cluster again and again, and knows its age.
//
//   watch-cluster.1. One request at a time; the next begins EVERY_MS after the answer. A hidden
//       page asks nothing.
//   watch-cluster.2. A request that fails leaves the last state on the page, with its age and the
//       reason. The next request follows all the same.

import { useEffect, useRef, useState } from "preact/hooks";
import type { ClusterSnapshot } from "#shared/protocol/operator-page.ts";
import { OperatorError } from "../store/operator-api.ts";
import type { OperatorApi } from "../store/operator-api.ts";

const EVERY_MS = 1_000;

export interface Watched {
  readonly snapshot: ClusterSnapshot | undefined;
  /** Of the snapshot, by the clock of this browser; undefined without one. */
  readonly ageSeconds: number | undefined;
  /** Why the last request failed. */
  readonly problem: string | undefined;
}

export function useCluster(api: OperatorApi, isPaused: boolean, onEnded: () => void): Watched {
  const [snapshot, setSnapshot] = useState<ClusterSnapshot>();
  const [problem, setProblem] = useState<string>();
  const [ageSeconds, setAge] = useState<number>();
  /** When the state was true, by `performance.now()`. */
  const trueAt = useRef<number | undefined>(undefined);
  useEffect(() => {
    if (isPaused) return undefined;
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        if (!document.hidden) {
          const next = await api.state();
          if (isOver) return;
          trueAt.current = performance.now() - (next.now - next.at);
          setSnapshot(next);
          setProblem(undefined);
        }
      } catch (error) {
        if (isOver) return;
        if (error instanceof OperatorError && error.isSignedOut) return onEnded();
        setProblem(error instanceof Error ? error.message : String(error));
      }
      timer = setTimeout(() => void ask(), EVERY_MS);
    };
    void ask();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [isPaused]);
  useEffect(() => {
    const tick = setInterval(() => {
      if (trueAt.current !== undefined) setAge((performance.now() - trueAt.current) / 1_000);
    }, 500);
    return () => clearInterval(tick);
  }, []);
  return { snapshot, ageSeconds, problem };
}
