/**
 * Redaction: known secrets, in every form they are commonly written in, and what looks like a secret
 * become `[redacted:<kind>:<id>]` before anything is hashed or written. What comes out is well-formed Unicode.
 */
import type { Json } from "../canonical.ts";
import { listSecretForms } from "./secret-forms.ts";
import { TOKEN_FORMATS } from "./token-formats.ts";

/** A secret that must not enter a log. `id` and `kind` stand in its place: they are not secret. */
export interface Secret {
  readonly id: string;
  readonly kind: string;
  readonly value: string;
}

export interface Redactor {
  /** `count`: how many places were replaced; `note` hears the kind of each. */
  redactText(text: string, note?: (kind: string) => void): { text: string; count: number };
  /** The names of members are texts as well. The value that came in stays as it was. */
  redactJson(value: Json): { value: Json; count: number };
  /** From now on this secret is redacted too. */
  add(secret: Secret): void;
  /** Every form of every secret that it knows; none is ever taken out. */
  readonly forms: Pick<ReadonlySet<string>, "size" | "keys">;
}

/** `formats: false`: what it knows and nothing that only looks like a secret. */
export function createRedactor(secrets: readonly Secret[], { formats = true } = {}): Redactor {
  return new PatternRedactor(secrets, formats);
}

/** Each format is a named group, so that a match tells its format: `f3` is the fourth of `TOKEN_FORMATS`. */
const FORMATS = new RegExp(
  TOKEN_FORMATS.map(({ pattern }, index) => `(?<f${index}>${pattern.source})`).join("|"),
  "g",
);

/** Nothing shorter fits a format. */
const MIN_FORMAT_LENGTH = 15;

class PatternRedactor implements Redactor {
  /** By the form of a secret. */
  readonly #replacements = new Map<string, { readonly kind: string; readonly text: string }>();
  #known: RegExp | undefined;

  readonly #formats: boolean;

  constructor(secrets: readonly Secret[], formats: boolean) {
    this.#formats = formats;
    for (const secret of secrets) {
      this.add(secret);
    }
  }

  add({ id, kind, value }: Secret): void {
    for (const form of listSecretForms(value)) {
      if (!this.#replacements.has(form)) {
        this.#replacements.set(form, { kind, text: `[redacted:${kind}:${id}]` });
      }
    }
    // The longest first: a secret before its own parts.
    const forms = [...this.#replacements.keys()].sort((left, right) => right.length - left.length);
    this.#known =
      forms.length > 0 ? new RegExp(forms.map((form) => RegExp.escape(form)).join("|"), "g") : undefined;
  }

  get forms(): Redactor["forms"] {
    return this.#replacements;
  }

  /** What is known comes first: a format that ends in the middle of a known secret must not leave its other half. */
  redactText(text: string, note?: (kind: string) => void): { text: string; count: number } {
    let count = 0;
    const wellFormed = text.toWellFormed();
    const withoutKnown = this.#known
      ? wellFormed.replace(this.#known, (form) => {
          count += 1;
          const replacement = this.#replacements.get(form);
          note?.(replacement?.kind ?? "secret");
          return replacement?.text ?? "[redacted]";
        })
      : wellFormed;
    if (!this.#formats || withoutKnown.length < MIN_FORMAT_LENGTH) {
      return { text: withoutKnown, count };
    }
    const redacted = withoutKnown.replace(FORMATS, (...match: unknown[]) => {
      count += 1;
      const kind = findKind(match.at(-1));
      note?.(kind);
      return `[redacted:${kind}:unknown]`;
    });
    return { text: redacted, count };
  }

  redactJson(value: Json): { value: Json; count: number } {
    let count = 0;
    const redactOne = (text: string): string => {
      const redacted = this.redactText(text);
      count += redacted.count;
      return redacted.text;
    };
    return { value: mapTexts(value, redactOne), count };
  }
}

/** `groups` is what `String.replace` hands over last: the named groups of the match. */
function findKind(groups: unknown): string {
  const matched = TOKEN_FORMATS.find(
    (_, index) =>
      typeof groups === "object" && groups !== null && Reflect.get(groups, `f${index}`) !== undefined,
  );
  return matched?.kind ?? "secret";
}

function mapTexts(value: Json, map: (text: string) => string): Json {
  if (typeof value === "string") {
    return map(value);
  }
  if (Array.isArray(value)) {
    return value.map((item) => mapTexts(item, map));
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const mapped = new Map<string, Json>();
  const numbers = new Map<string, number>();
  for (const [name, member] of Object.entries(value)) {
    mapped.set(findFreeName(map(name), { mapped, numbers }), mapTexts(member, map));
  }
  return Object.fromEntries(mapped);
}

interface Taken {
  readonly mapped: ReadonlyMap<string, Json>;
  /** By name, the last number it was given: a hundred thousand equal names are not counted again for each. */
  readonly numbers: Map<string, number>;
}

/** Two names that were redacted to the same text both stay: the second as `…#2`. */
function findFreeName(name: string, { mapped, numbers }: Taken): string {
  let free = name;
  for (let number = numbers.get(name) ?? 1; mapped.has(free); numbers.set(name, number)) {
    number++;
    free = `${name}#${number}`;
  }
  return free;
}
