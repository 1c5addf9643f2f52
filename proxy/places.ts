/** A bounded number of places: whoever finds none is turned away. */
export class Places {
  readonly #max: number;
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get taken(): number {
    return this.#taken;
  }

  take(): boolean {
    if (this.#taken >= this.#max) {
      return false;
    }
    this.#taken++;
    return true;
  }

  free(): void {
    this.#taken--;
  }
}
