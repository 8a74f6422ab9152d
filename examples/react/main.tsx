// A chat in React: messages as they are now, edits, reactions, typing, and an outbox.

import { StrictMode, useState } from "react";
import type { FormEvent } from "react";
import { createRoot } from "react-dom/client";
import { Parley } from "@parley/client";
import type { ShownMessage } from "@parley/client";
import { indexedDbOutbox } from "@parley/client/browser";
import { devToken } from "@parley/client/dev";
import { useConnection, useRoom, useTimeline, useTyping } from "@parley/client/react";

const query = new URLSearchParams(location.search);
const gateway = query.get("gateway") ?? "http://localhost:8080";
const user = query.get("user") ?? "ada";

const parley = new Parley({
  url: `${gateway.replace("http", "ws")}/v1/ws`,
  token: () => devToken(gateway, user),
  outbox: indexedDbOutbox(user),
});
parley.connect();

function Message({ message, onLike }: { message: ShownMessage; onLike: () => void }) {
  const { from, body, deleted, state } = message;
  if (deleted !== undefined) return <li>This message was deleted.</li>;
  return (
    <li>
      {from}: {String(body["text"])} {state?.edited && <small>edited</small>}{" "}
      {state?.reactions?.map(({ emoji, count }) => (
        <span key={emoji}>
          {emoji} {count}
        </span>
      ))}{" "}
      <button onClick={onLike}>👍</button>
    </li>
  );
}

function Chat() {
  const connection = useConnection(parley);
  const room = useRoom(parley, "general");
  const { entries, unsent, isFromBeginning, timeline } = useTimeline(room);
  const typing = useTyping(room);
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() !== "") timeline?.send({ text });
    setText("");
  };
  return (
    <main>
      <p role="status">{connection}</p>
      {!isFromBeginning && <button onClick={() => void timeline?.loadOlder()}>Older</button>}
      <ol>
        {entries.map(({ seq, message }) => (
          <Message key={seq} message={message!} onLike={() => room.react(seq, "👍")} />
        ))}
        {unsent.map(({ id, kind, body }) => (
          <li key={id}>
            {kind}: {String(body["text"])}
          </li>
        ))}
      </ol>
      <p>{typing.size > 0 && `${[...typing].join(", ")} typing`}</p>
      <form onSubmit={submit}>
        <input
          aria-label="Message"
          value={text}
          onChange={({ target }) => {
            setText(target.value);
            room.typing(target.value !== "");
          }}
        />
      </form>
    </main>
  );
}

createRoot(document.querySelector("#root")!).render(
  <StrictMode>
    <Chat />
  </StrictMode>,
);
