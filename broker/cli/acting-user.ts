/** Who a command says that it works for. Whoever has the database can write any name: it is a note, not a proof. */
import { userInfo } from "node:os";
import { InvalidArgumentError } from "commander";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

export function parseUserName(text: string): string {
  if (!NAME.test(text)) {
    throw new InvalidArgumentError("Write 1 to 64 letters, digits, dots, dashes, underscores or @.");
  }
  return text;
}

/** Of this machine. */
export function nameUser(): string {
  try {
    const { username } = userInfo();
    return NAME.test(username) ? username : "somebody";
  } catch {
    // A container's user may have no entry.
    return "somebody";
  }
}
