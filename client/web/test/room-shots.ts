// RoomShots: the pictures of what users do with rooms, for screenshots.ts.

import type { Page } from "playwright-core";

export interface RoomShot {
  readonly file: string;
  readonly room: string;
  readonly isPhone?: boolean;
  readonly isDark?: boolean;
  readonly prepare: (page: Page) => Promise<void>;
}

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
}

export const ROOM_SHOTS: readonly RoomShot[] = [
  {
    file: "web-mention.png",
    room: "engineering",
    prepare: async (page) => {
      await page.locator(".message-mention").waitFor();
      await page.keyboard.type("Yes, with @");
      await page.locator(".mentions").waitFor();
    },
  },
  {
    file: "web-search.png",
    room: "general",
    prepare: async (page) => {
      await press(page, "Search messages");
      await page.getByLabel("Words to find").fill("gateway");
      await page.keyboard.press("Enter");
      await page.locator("mark").first().waitFor();
    },
  },
  {
    file: "web-pins.png",
    room: "general",
    isDark: true,
    prepare: async (page) => {
      await press(page, "Pinned messages");
      await press(page, "Show in the room");
      await page.locator(".message:focus", { hasText: "The chaos run" }).waitFor();
    },
  },
  {
    file: "web-create-room.png",
    room: "general",
    prepare: async (page) => {
      await press(page, "New room");
      await page.getByLabel("Title").fill("Café plans");
      await page.getByText("Only users who are invited").click();
    },
  },
  {
    file: "web-invite.png",
    room: "engineering",
    prepare: async (page) => {
      await press(page, "Invite with a link");
      await press(page, "Make a link");
      await page.locator(".invite-link").waitFor();
      // The port of the fixture differs from run to run.
      const link = "https://chat.example/#invite=engineering.0199b0c2-7a10";
      await page.locator(".invite-link input").evaluate((input, value) => {
        (input as HTMLInputElement).value = value;
      }, link);
    },
  },
  {
    file: "web-devices.png",
    room: "general",
    prepare: async (page) => {
      await press(page, "Your devices");
      await page.getByText("this one").waitFor();
    },
  },
  {
    file: "web-member.png",
    room: "general",
    isDark: true,
    prepare: async (page) => {
      await press(page, "Actions for Edsger");
      await page.locator(".menu-item").first().waitFor();
    },
  },
  {
    file: "web-room-settings.png",
    room: "engineering",
    prepare: async (page) => {
      await press(page, "About this room");
      await press(page, "Room settings");
      await page.getByLabel("Title").waitFor();
    },
  },
  {
    file: "web-removed.png",
    room: "engineering",
    prepare: async (page) => {
      const gone = { t: "member", user: "Grace", role: "none", reason: "moved to another team" };
      await page.evaluate(
        `parleyFixture.server.add("engineering", "Radia", ${JSON.stringify(gone)})`,
      );
      await page.locator(".composer-bar").waitFor();
    },
  },
  {
    file: "web-phone-rooms.png",
    room: "general",
    isPhone: true,
    prepare: async (page) => {
      await page.getByRole("button", { name: "Rooms", exact: true }).tap();
      await page.clock.runFor(500);
    },
  },
  {
    file: "web-phone-about.png",
    room: "general",
    isPhone: true,
    isDark: true,
    prepare: async (page) => {
      await page.getByRole("button", { name: "About this room" }).tap();
      await page.locator(".about-actions").waitFor();
    },
  },
];
