/**
 * The output of a step as the runner takes it: lines that are commands are carried out, the others are shown,
 * with every masked value replaced.
 */

export interface Annotation {
  readonly level: "error" | "warning" | "notice";
  readonly message: string;
}

/** Values that are never shown. One for the whole job: a mask holds for every later step. */
export class Masks {
  readonly #values = new Set<string>();

  add(value: string): void {
    for (const line of [value, ...value.split(/\r?\n/)]) {
      if (line.trim() !== "") this.#values.add(line);
    }
  }

  apply(text: string): string {
    const longestFirst = [...this.#values].sort((a, b) => b.length - a.length);
    return longestFirst.reduce((shown, value) => shown.replaceAll(value, "***"), text);
  }
}

const COMMAND = /^::(?<name>[\w-]+)(?: [^:]*(?::(?!:)[^:]*)*)?::(?<data>.*)$/;

export class StepOutput {
  readonly annotations: Annotation[] = [];
  readonly #lines: string[] = [];
  readonly #masks: Masks;
  readonly #show: (line: string) => void;
  /** The word that turns commands on again. */
  #stoppedUntil: string | undefined;

  constructor(masks: Masks, show: (line: string) => void) {
    this.#masks = masks;
    this.#show = show;
  }

  /** What a reader of the job's log sees. */
  get text(): string {
    return this.#lines.join("\n");
  }

  addLine(line: string): void {
    const trimmed = line.trimStart();
    if (this.#stoppedUntil !== undefined) {
      if (trimmed === `::${this.#stoppedUntil}::`) this.#stoppedUntil = undefined;
      else this.#put(line);
      return;
    }
    const { name, data = "" } = COMMAND.exec(trimmed)?.groups ?? {};
    if (name === undefined || !this.#carryOut(name, unescapeData(data))) this.#put(line);
  }

  /** False: the runner knows no such command, and the line is a line like any other. */
  #carryOut(name: string, data: string): boolean {
    switch (name) {
      case "add-mask":
        this.#masks.add(data);
        return true;
      case "stop-commands":
        this.#stoppedUntil = data;
        return true;
      case "error":
      case "warning":
      case "notice":
        this.annotations.push({ level: name, message: this.#masks.apply(data) });
        this.#put(`${name}: ${data}`);
        return true;
      case "group":
        this.#put(`▾ ${data}`);
        return true;
      case "endgroup":
      case "debug":
        return true;
      default:
        return false;
    }
  }

  #put(line: string): void {
    const shown = this.#masks.apply(line);
    this.#lines.push(shown);
    this.#show(shown);
  }
}

function unescapeData(data: string): string {
  return data.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
}
