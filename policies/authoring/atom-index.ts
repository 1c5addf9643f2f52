/**
 * The atoms of one side, found by what they name: a document may hold thousands of patterns, and each is looked up.
 */
import { type Atom, coversPattern, type Pattern } from "./access-terms.ts";

export class AtomIndex {
  readonly #atoms: readonly Atom[];
  readonly #byPattern: ReadonlyMap<string, readonly Atom[]>;

  constructor(atoms: readonly Atom[]) {
    this.#atoms = atoms;
    this.#byPattern = Map.groupBy(atoms, ({ pattern }) => keyOf(pattern));
  }

  get patterns(): Pattern[] {
    return [...this.#byPattern.values()].flatMap(([first]) => first?.pattern ?? []);
  }

  /** Those that name just this. */
  listOwn(pattern: Pattern): readonly Atom[] {
    return this.#byPattern.get(keyOf(pattern)) ?? [];
  }

  /** Those that name all of it, and perhaps more. */
  listCovering(pattern: Pattern): Atom[] {
    const { text } = pattern;
    const wider = Array.from({ length: text.length }, (_, end) => `${text.slice(0, end)}*`);
    return [...new Set([...wider, text])]
      .flatMap((each) => this.listOwn({ ...pattern, text: each }))
      .filter((atom) => coversPattern(atom.pattern, pattern));
  }

  /** Those that name a part of it. */
  listInside(pattern: Pattern): Atom[] {
    return this.#atoms.filter((atom) => coversPattern(pattern, atom.pattern));
  }
}

function keyOf({ server, kind, text }: Pattern): string {
  return `${kind} ${server} ${text}`;
}
