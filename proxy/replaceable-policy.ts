/**
 * The policy that holds at this moment: replaced as a whole, between one decision and the next.
 * Whoever was given it decides by the new one from then on; nothing of the old one is kept anywhere else.
 */
import type { CompiledPolicy } from "../policies/decision.ts";

export class ReplaceablePolicy implements CompiledPolicy {
  #current: CompiledPolicy;

  constructor(first: CompiledPolicy) {
    this.#current = first;
  }

  replace(next: CompiledPolicy): void {
    this.#current = next;
  }

  get digest(): string {
    return this.#current.digest;
  }

  get mode(): CompiledPolicy["mode"] {
    return this.#current.mode;
  }

  readonly reaches: CompiledPolicy["reaches"] = (server, kind) => this.#current.reaches(server, kind);
  readonly canLoseTools: CompiledPolicy["canLoseTools"] = (server) => this.#current.canLoseTools(server);
  readonly show: CompiledPolicy["show"] = (target, labels) => this.#current.show(target, labels);
  readonly decide: CompiledPolicy["decide"] = (call, usage) => this.#current.decide(call, usage);
  readonly labelsOf: CompiledPolicy["labelsOf"] = (target) => this.#current.labelsOf(target);
  readonly argumentsInLog: CompiledPolicy["argumentsInLog"] = (rule) => this.#current.argumentsInLog(rule);
  readonly inspectionOf: CompiledPolicy["inspectionOf"] = (rule) => this.#current.inspectionOf(rule);
  readonly lockOf: CompiledPolicy["lockOf"] = (server) => this.#current.lockOf(server);
}
