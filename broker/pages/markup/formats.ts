/**
 * Times, sizes and numbers as people read them. Times are UTC, whatever the reader's clock says.
 */
import { type Markup, markup, renderText } from "./markup.ts";

const day = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});
const clock = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZone: "UTC",
});
const integer = new Intl.NumberFormat("en-GB");

/** `22 Nov 2026, 14:03:22 UTC`. A text of a log that is no time is shown as it is. */
export function renderTime(iso: string): Markup {
  const time = new Date(iso);
  return Number.isNaN(time.getTime())
    ? renderText(iso)
    : markup`<time datetime="${iso}">${day.format(time)}, ${clock.format(time)} UTC</time>`;
}

/** `14:03:22.123`, with the whole time at hand. */
export function renderClock(iso: string): Markup {
  const time = new Date(iso);
  return Number.isNaN(time.getTime())
    ? renderText(iso)
    : markup`<time datetime="${iso}" title="${iso}">${iso.slice(11, 23)}</time>`;
}

/** `22 Nov 2026` over `14:03:22 UTC`, for a column. */
export function renderDayAndClock(iso: string): Markup {
  const time = new Date(iso);
  return markup`<time datetime="${iso}">${day.format(time)} <span class="soft">${clock.format(time)} UTC</span></time>`;
}

export function formatNumber(value: number): string {
  return integer.format(value);
}

/** `1 call`, `2 calls`. */
export function formatCount(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatNumber(count)} ${count === 1 ? noun : plural}`;
}

export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) {
    return `${Math.round(milliseconds)} ms`;
  }
  const seconds = milliseconds / 1000;
  if (seconds < 60) {
    return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  }
  const whole = Math.round(seconds);
  return whole < 3600
    ? `${Math.floor(whole / 60)} min ${whole % 60} s`
    : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) {
    return `${bytes} B`;
  }
  const kibibytes = bytes / 1024;
  return kibibytes < 1024 ? `${kibibytes.toFixed(1)} KiB` : `${(kibibytes / 1024).toFixed(1)} MiB`;
}
