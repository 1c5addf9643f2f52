/**
 * Two texts word by word: what stayed, what is gone, what came. Put together again, the parts are the two texts.
 */

export interface TextPart {
  readonly kind: "same" | "removed" | "added";
  readonly text: string;
}

/** Beyond it nobody reads word by word, and comparing would cost: the middle counts as replaced. */
const MAX_WORDS = 2_000;

export function compareTexts(before: string, after: string): TextPart[] {
  const [old, fresh] = [splitWords(before), splitWords(after)];
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) {
    start++;
  }
  let end = 0;
  while (
    end < old.length - start &&
    end < fresh.length - start &&
    old[old.length - 1 - end] === fresh[fresh.length - 1 - end]
  ) {
    end++;
  }
  const middle = compareWords(old.slice(start, old.length - end), fresh.slice(start, fresh.length - end));
  return joinParts([
    { kind: "same", text: old.slice(0, start).join("") },
    ...middle,
    { kind: "same", text: old.slice(old.length - end).join("") },
  ]);
}

/** A word with the space behind it; a line end by itself. */
function splitWords(text: string): string[] {
  return text.match(/\n|[^\s]+[^\S\n]*|[^\S\n]+/g) ?? [];
}

/** The longest common subsequence, by its lengths. */
function compareWords(old: readonly string[], fresh: readonly string[]): TextPart[] {
  if (old.length > MAX_WORDS || fresh.length > MAX_WORDS) {
    return [
      { kind: "removed", text: old.join("") },
      { kind: "added", text: fresh.join("") },
    ];
  }
  const width = fresh.length + 1;
  const lengths = new Uint16Array((old.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = fresh.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        old[i] === fresh[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const parts: TextPart[] = [];
  for (let i = 0, j = 0; i < old.length || j < fresh.length; ) {
    const [removed, added] = [old[i], fresh[j]];
    if (removed !== undefined && removed === added) {
      parts.push({ kind: "same", text: removed });
      i++;
      j++;
    } else if (removed !== undefined && (added === undefined || at(i + 1, j) >= at(i, j + 1))) {
      parts.push({ kind: "removed", text: removed });
      i++;
    } else {
      parts.push({ kind: "added", text: added ?? "" });
      j++;
    }
  }
  return parts;
}

/** Runs of one kind become one part; between two parts that stayed, all that is gone comes before all that came. */
function joinParts(parts: readonly TextPart[]): TextPart[] {
  const joined: TextPart[] = [];
  let [removed, added] = ["", ""];
  const flush = (): void => {
    joined.push(
      ...(
        [
          { kind: "removed", text: removed },
          { kind: "added", text: added },
        ] as const
      ).filter(({ text }) => text !== ""),
    );
    [removed, added] = ["", ""];
  };
  for (const { kind, text } of parts) {
    if (kind === "removed") {
      removed += text;
    } else if (kind === "added") {
      added += text;
    } else if (text !== "") {
      flush();
      const last = joined.at(-1);
      const run = last?.kind === "same" ? joined.pop() : undefined;
      joined.push({ kind, text: (run?.text ?? "") + text });
    }
  }
  flush();
  return joined;
}
