/**
 * Text without what a person does not see and a model reads, or a terminal obeys: invisible characters, characters
 * that turn the direction of writing, control characters, terminal escape sequences. Every script stays readable:
 * joiners stay between the letters and pictures that they join. Takes time in proportion to the text.
 */

export type Removal = "escape_sequence" | "tag" | "bidi" | "zero_width" | "variation_selector" | "control";

export interface CleanText {
  readonly text: string;
  /** How many of which kind were removed. */
  readonly removed: ReadonlyMap<Removal, number>;
}

const INVISIBLE = String.raw`[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u3164\ufeff\uffa0\ufff0-\ufffb\u{1d173}-\u{1d17a}]`;
const JOINER = String.raw`[\u200c\u200d]`;
/** What a joiner has on either side where it means something; nothing of Latin script is joined. */
const JOINED = String.raw`(?![\0-\u024f])[\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]`;
/** What has variants: pictures, symbols, ideographs, and what stands on keycaps. */
const VARIED = String.raw`[#*0-9\u00a9\u00ae\u1000-\u{e007f}]`;

/**
 * In this order: a sequence before the control character that begins it. One that does not end loses its beginning
 * alone, or a text could take away what follows it.
 */
const KINDS: readonly (readonly [Removal, string])[] = [
  [
    "escape_sequence",
    [
      String.raw`(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]`,
      String.raw`(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)`,
      String.raw`\x1b[ -/]*[0-~]?`,
    ].join("|"),
  ],
  ["tag", String.raw`[\u{e0000}-\u{e007f}]`],
  ["bidi", String.raw`[\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f]`],
  ["zero_width", `${INVISIBLE}|(?<!${JOINED})${JOINER}|${JOINER}(?!${JOINED})`],
  [
    "variation_selector",
    String.raw`[\u{e0080}-\u{e0fff}]|(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]|(?<!${VARIED})[\ufe00-\ufe0f]`,
  ],
  ["control", String.raw`[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)`],
];

const UNSEEN = new RegExp(KINDS.map(([kind, source]) => `(?<${kind}>${source})`).join("|"), "gu");
/** Whatever can be removed is one of these: most texts have none. */
const SUSPICIOUS =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/u;

const NOTHING: CleanText["removed"] = new Map();

/** `noted` hears of each that is removed; it can throw to end it. */
export function cleanText(text: string, noted?: () => void): CleanText {
  if (!SUSPICIOUS.test(text)) {
    return { text, removed: NOTHING };
  }
  const removed = new Map<Removal, number>();
  const cleaned = text.replace(UNSEEN, (...match: unknown[]) => {
    noted?.();
    const groups = match.at(-1);
    const kind = KINDS.find(
      ([name]) => typeof groups === "object" && groups !== null && Reflect.get(groups, name) !== undefined,
    )?.[0];
    if (kind !== undefined) {
      removed.set(kind, (removed.get(kind) ?? 0) + 1);
    }
    return "";
  });
  return { text: cleaned, removed };
}
