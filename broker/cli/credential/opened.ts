/** What every command about credentials stands on: the documents, and the database where it needs it. */
import type { Policies } from "../../../policies/policies.ts";
import type { Queries } from "../../storage/schema.ts";
import { withDatabase } from "../database.ts";
import { NoAnswer, answer, openDirectory } from "../policy/answer.ts";
import type { ExitCode, Terminal } from "../terminal.ts";
import { SecretUnreadable } from "./secret-input.ts";

export interface Opened {
  readonly policies: Policies;
  readonly database: Queries;
  readonly terminal: Terminal;
}

export interface CommonOptions {
  readonly policies: string;
  readonly json?: true;
}

/** The documents are read first: what they do not have is not looked up. */
export async function withCredentials(
  options: CommonOptions,
  terminal: Terminal,
  action: (opened: Opened) => Promise<ExitCode>,
): Promise<void> {
  await answer({ terminal, json: options.json ?? false }, async () => {
    const { policies } = await openDirectory(options.policies);
    let code: ExitCode = 0;
    const exit = (given: ExitCode): void => {
      code = given;
    };
    try {
      await withDatabase({ ...terminal, exit }, async (database) => action({ policies, database, terminal }));
    } catch (error) {
      if (error instanceof SecretUnreadable) throw new NoAnswer(error.message);
      throw error;
    }
    return code;
  });
}
