/** A description that is another one each time that its list is said to have changed: a list that really changes. */
class ChangingText {
  readonly #text: string;
  #changes = 0;

  constructor(text: string) {
    this.#text = text;
  }

  change(): void {
    this.#changes++;
  }

  get text(): string {
    return this.#text + "!".repeat(this.#changes);
  }
}

/** Of all servers of one process: in a stateless revision each request has a server of its own. */
export const TRIGGER = new ChangingText("Changes a list");
export const SIMPLE_PROMPT = new ChangingText("No arguments");
