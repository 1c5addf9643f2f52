/**
 * A state as a word with a colour: the word says it, the colour finds it.
 */
import { type Markup, markup } from "./markup.ts";

const words = {
  running: "Running",
  complete: "Complete",
  incomplete: "Incomplete",
  recovered: "Recovered",
  broken: "Broken",
  allow: "Allowed",
  deny: "Denied",
  observed: "Observed",
  observe: "Only observed",
  working: "Working",
  failing: "Failing",
  expired: "Expired",
  unset: "Not set",
  expiring: "Expires soon",
  left: "Left over",
  finding: "Finding",
  warning: "Warning",
} as const;

export function renderPill(state: keyof typeof words): Markup {
  return markup`<span class="pill ${state}">${words[state]}</span>`;
}
