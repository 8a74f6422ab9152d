// ImageViewer: an image of a message in full, over the page, with a button that downloads it.

import "./files.css";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Attachment } from "#shared/protocol/attachments.ts";
import { linkFailureWords, sizeWords } from "../../store/files/file-words.ts";
import { t } from "../../texts/texts.ts";
import { closeDialog, Dialog } from "../dialog.tsx";
import { Icon } from "../icons.tsx";
import type { MessageActions } from "../message-actions.ts";
import { useDownload } from "./message-files.tsx";

interface Props {
  readonly file: Attachment;
  readonly linkOf: MessageActions["linkOf"];
  readonly onClose: () => void;
}

export function ImageViewer({ file, linkOf, onClose }: Props): JSX.Element {
  const { id, name, bytes, width, height } = file;
  const [source, setSource] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const { problem: downloadProblem, download } = useDownload(file, linkOf);
  useEffect(() => {
    linkOf(id).then(
      ({ url }) => setSource(url),
      (error: unknown) => setProblem(linkFailureWords(error)),
    );
  }, []);
  const words = problem ?? downloadProblem;
  return (
    <Dialog class="viewer" label={name} onClose={onClose}>
      <header class="viewer-head">
        <h2 class="chip-text">
          <bdi class="chip-name">{name}</bdi>
          <span class="chip-note">{sizeWords(bytes)}</span>
        </h2>
        <button type="button" class="secondary viewer-download" onClick={download}>
          <Icon name="download" />
          {t("files.download")}
        </button>
        <button
          type="button"
          class="quiet square"
          aria-label={t("files.close")}
          title={t("files.close")}
          autofocus
          onClick={closeDialog}
        >
          <Icon name="close" />
        </button>
      </header>
      {words !== undefined && (
        <p class="problem" role="alert">
          {words}
        </p>
      )}
      <div class="viewer-image" style={styleOf(width, height)}>
        {source !== undefined && (
          <img
            src={source}
            alt={name}
            width={width}
            height={height}
            onError={() => setProblem(t("files.gone"))}
          />
        )}
      </div>
    </Dialog>
  );
}

/** Its whole size, or what fits between the edges of the window and below the head. */
function styleOf(width = 1, height = 1): { width: string; aspectRatio: string } {
  const shape = `${width}/${height}`;
  return { width: `min(${width}px, (100dvh - 110px) * ${shape})`, aspectRatio: shape };
}
