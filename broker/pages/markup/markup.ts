/**
 * The one way a page is put together: a template whose values are escaped and made visible.
 * Only another `Markup` goes in as it is, so a stranger's text cannot become a part of the page.
 */
import { html } from "ghtml";
import { revealText, splitVisible } from "./visible-text.ts";

export class Markup {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** A template of this project and its values. Attributes must be quoted: an unquoted one is a mistake and throws. */
  static render(literals: readonly string[], values: readonly MarkupValue[]): Markup {
    const parts = literals.map((literal, n) => {
      if (n < values.length && literal.endsWith("=")) {
        throw new Error(`An attribute without quotes before value ${n + 1} of a template`);
      }
      return literal + (n < values.length ? write(values[n]) : "");
    });
    return new Markup(parts.join(""));
  }
}

export type MarkupValue = Markup | string | number | undefined | readonly MarkupValue[];

export function markup(literals: TemplateStringsArray, ...values: MarkupValue[]): Markup {
  return Markup.render(literals, values);
}

/** Whatever comes, a page stays one that a browser can show. */
const MAX_TEXT_CHARS = 4_000;

/** A stranger's text with what was hidden in it set apart, and cut where it is longer than anybody would read. */
export function renderText(text: string): Markup {
  const more = text.length - MAX_TEXT_CHARS;
  return more <= 0
    ? renderParts(text)
    : markup`${renderParts(text.slice(0, MAX_TEXT_CHARS))}… (${more} more characters)`;
}

/** The same for text of several lines, whose line ends are meant. It is as long as it is. */
export function renderLines(text: string): Markup {
  const end = markup`
`;
  return markup`${text.split("\n").map((line, n) => [n === 0 ? "" : end, renderParts(line)])}`;
}

function renderParts(text: string): Markup {
  const parts = splitVisible(text).map((part) =>
    part.hidden
      ? markup`<span class="unseen" title="An invisible or control character that was made visible">${part.text}</span>`
      : markup`${part.text}`,
  );
  return markup`${parts}`;
}

function write(value: MarkupValue): string {
  if (value === undefined) {
    return "";
  }
  if (value instanceof Markup) {
    return value.text;
  }
  if (typeof value === "object") {
    return value.map(write).join("");
  }
  return html`${revealText(String(value))}`;
}
