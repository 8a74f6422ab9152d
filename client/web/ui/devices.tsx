// Devices: the dialog with the devices of the user, which signs out the others, and what the user
// chooses for this one.
//
//   devices.1. It asks before a device is signed out. When the question closes and the button that
//        opened it is gone, the title has the focus.

import type { JSX } from "preact";
import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import type { ChatStore } from "../store/chat-store.ts";
import { DeviceList } from "../store/device-list.ts";
import type { Device } from "../store/device-list.ts";
import { dateWords } from "../store/words.ts";
import { t } from "../texts/texts.ts";
import { browserClock } from "./browser-clock.ts";
import { closeDialog, Dialog } from "./dialog.tsx";
import { PreviewSetting } from "./previews/preview-setting.tsx";
import { FormDialog } from "./rooms/form-dialog.tsx";

interface Props {
  readonly store: ChatStore;
  readonly onClose: () => void;
}

export function Devices({ store, onClose }: Props): JSX.Element {
  const list = useDevices(store);
  const [asked, setAsked] = useState<Device | "others">();
  const title = useRef<HTMLHeadingElement>(null);
  const { devices, problem, more } = list;
  const hasOthers = devices?.some(({ isOwn }) => !isOwn) === true;
  const closeQuestion = (): void => {
    setAsked(undefined);
    if (document.activeElement === document.body) title.current?.focus(); // devices.1
  };
  return (
    <>
      <Dialog class="confirm form-dialog" label={t("me.devices")} onClose={onClose}>
        <h2 ref={title} tabIndex={-1}>
          {t("me.devices")}
        </h2>
        <p class="confirm-note">{t("devices.note")}</p>
        <ul class="devices">
          {devices?.map((device) => (
            <Item key={device.session} device={device} onSignOut={() => setAsked(device)} />
          ))}
        </ul>
        {more > 0 && <p class="confirm-note">{t("devices.more", { count: more })}</p>}
        <p class="confirm-note" role="status">
          {devices === undefined && problem === undefined && t("devices.loading")}
          {devices !== undefined && !hasOthers && t("devices.none")}
        </p>
        <p class="problem" role="alert">
          {problem}
        </p>
        <PreviewSetting me={store.me} />
        <div class="confirm-buttons">
          {hasOthers && (
            <button type="button" class="secondary" onClick={() => setAsked("others")}>
              {t("devices.others")}
            </button>
          )}
          {problem !== undefined && (
            <button type="button" class="secondary" onClick={() => void list.load()}>
              {t("list.tryAgain")}
            </button>
          )}
          <button type="button" class="secondary" autofocus onClick={closeDialog}>
            {t("message.close")}
          </button>
        </div>
      </Dialog>
      {asked !== undefined && <Question list={list} asked={asked} onClose={closeQuestion} />}
    </>
  );
}

function useDevices(store: ChatStore): DeviceList {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [list] = useState(
    () =>
      new DeviceList({
        sessions: () => store.api.sessions(store.me),
        own: store,
        clock: browserClock,
        changed: () => redraw(undefined),
      }),
  );
  useEffect(() => {
    void list.load();
    return () => list.close();
  }, [list]);
  return list;
}

function Item(props: { readonly device: Device; readonly onSignOut: () => void }): JSX.Element {
  const { device, onSignOut } = props;
  const { name = t("devices.unnamed"), since, address, isOwn } = device;
  return (
    <li>
      <div class="device">
        <span class="device-name">
          <bdi>{name}</bdi>
          {isOwn && <span class="tag">{t("devices.own")}</span>}
        </span>
        <span class="invite-note">
          <span>{t("devices.since", { date: dateWords(since) })}</span>
          <bdi>{address}</bdi>
        </span>
      </div>
      {!isOwn && (
        <button type="button" class="link" onClick={onSignOut}>
          {t("me.signOut")}
          <span class="hidden"> {name}</span>
        </button>
      )}
    </li>
  );
}

function Question(props: {
  readonly list: DeviceList;
  readonly asked: Device | "others";
  readonly onClose: () => void;
}): JSX.Element {
  const { list, asked, onClose } = props;
  const isOne = asked !== "others";
  return (
    <FormDialog
      title={
        isOne
          ? t("devices.askOne", { name: asked.name ?? t("devices.unnamed") })
          : t("devices.askOthers")
      }
      submit={t("me.signOut")}
      isDangerous
      onSubmit={() => (isOne ? list.signOut(asked.session) : list.signOutOthers())}
      onClose={onClose}
    >
      <p class="confirm-note">{t(isOne ? "devices.oneNote" : "devices.othersNote")}</p>
    </FormDialog>
  );
}
