/** The browser of whoever typed a command, where there is one. That it does not open is no failure: the address is printed, too. */
import { spawn } from "node:child_process";
import { hasDisplay } from "../../config.ts";

export type OpenBrowser = (address: string) => void;

const OPENERS: Readonly<Record<string, string>> = { darwin: "open", linux: "xdg-open" };

export const openBrowser: OpenBrowser = (address) => {
  const opener = OPENERS[process.platform];
  const isSeen = process.platform === "darwin" || hasDisplay();
  if (opener === undefined || !isSeen || !process.stderr.isTTY) return;
  const child = spawn(opener, [address], { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
};
