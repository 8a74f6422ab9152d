// MessageFiles: the files of a message: thumbnails that open the image, and lines that download. It
// is loaded with the first message that has files.
//
//   message-files.1. A link is asked for when its thumbnail comes near the visible part. One that
//        does not work is asked for again once; after that the user decides.
//   message-files.2. What is opened or downloaded has a link of this moment: those of the page end.

import "./files.css";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Attachment } from "#shared/protocol/attachments.ts";
import { kindOf, linkFailureWords, sizeWords } from "../../store/files/file-words.ts";
import { t } from "../../texts/texts.ts";
import { FileBoxes } from "../file-boxes.tsx";
import type { MessageFilesProps } from "../file-boxes.tsx";
import { Icon } from "../icons.tsx";
import type { MessageActions } from "../message-actions.ts";
import { useIsNear } from "../near.ts";

type LinkOf = MessageActions["linkOf"];

export function MessageFiles(props: MessageFilesProps): JSX.Element {
  const { message, files, isReachable, actions } = props;
  const { linkOf } = actions;
  const tabIndex = isReachable ? 0 : -1;
  return (
    <FileBoxes
      files={files}
      draw={(file) =>
        file.width === undefined ? (
          <Line {...{ file, linkOf, tabIndex }} />
        ) : (
          <Thumbnail {...{ file, linkOf, tabIndex }} onOpen={() => actions.view(message, file)} />
        )
      }
    />
  );
}

/** message-files.1. */
const RETRIES = 1;

interface FileProps {
  readonly file: Attachment;
  readonly linkOf: LinkOf;
  readonly tabIndex: number;
}

function Thumbnail({
  file,
  linkOf,
  tabIndex,
  onOpen,
}: FileProps & { onOpen: () => void }): JSX.Element {
  const { id, name, width, height } = file;
  const button = useRef<HTMLButtonElement>(null);
  const isNear = useIsNear(button);
  const [attempt, setAttempt] = useState(0);
  const [source, setSource] = useState<string>();
  const [hasFailed, setFailed] = useState(false);
  useEffect(() => {
    if (!isNear) return undefined;
    let isShown = true;
    linkOf(id, attempt > 0).then(
      ({ url, thumbnail }) => isShown && setSource(thumbnail ?? url),
      () => isShown && setFailed(true),
    );
    return () => void (isShown = false);
  }, [isNear, attempt, id]);
  const retry = (): void => {
    setSource(undefined);
    setFailed(false);
    setAttempt(attempt + 1);
  };
  return (
    <button
      ref={button}
      type="button"
      class="thumbnail"
      tabIndex={tabIndex}
      title={name}
      aria-label={t(hasFailed ? "files.notLoaded" : "files.open", { name })}
      onClick={hasFailed ? retry : onOpen}
    >
      {hasFailed && <Icon name="retry" />}
      {source !== undefined && !hasFailed && (
        <img
          src={source}
          alt={name}
          width={width}
          height={height}
          decoding="async"
          draggable={false}
          onError={() => (attempt < RETRIES ? retry() : setFailed(true))}
        />
      )}
    </button>
  );
}

function Line({ file, linkOf, tabIndex }: FileProps): JSX.Element {
  const { name, bytes } = file;
  const { problem, isBusy, download } = useDownload(file, linkOf);
  return (
    <button type="button" class="file-line" tabIndex={tabIndex} title={name} onClick={download}>
      <span class="file-kind" aria-hidden="true">
        {kindOf(name)}
      </span>
      <span class="chip-text">
        <span class="hidden">{t("files.download")}</span>
        <bdi class="chip-name">{name}</bdi>
        {problem === undefined ? (
          <span class="chip-note">{sizeWords(bytes)}</span>
        ) : (
          <span class="chip-note problem" role="alert">
            {problem}
          </span>
        )}
      </span>
      <Icon name={isBusy ? "clock" : "download"} />
    </button>
  );
}

/** message-files.2. */
export function useDownload(
  { id, name }: Attachment,
  linkOf: LinkOf,
): {
  readonly problem: string | undefined;
  readonly isBusy: boolean;
  readonly download: () => void;
} {
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const download = (): void => {
    setProblem(undefined);
    setBusy(true);
    linkOf(id)
      .then(
        ({ url }) => save(url, name),
        (error: unknown) => setProblem(linkFailureWords(error)),
      )
      .finally(() => setBusy(false));
  };
  return { problem, isBusy, download };
}

function save(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}
