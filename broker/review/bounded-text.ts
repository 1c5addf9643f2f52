/**
 * Texts of a log, cut to what a view has room for. The log itself keeps all of it.
 */

/** Names of tools, servers, agents and rules: whoever writes a longer one wants it not to be read. */
const MAX_NAME_CHARS = 300;

export function clipText(text: string, maxChars: number): string {
  const more = text.length - maxChars;
  return more <= 0 ? text : `${text.slice(0, maxChars)}… (${more} more characters)`;
}

export function clipName(name: string): string {
  return clipText(name, MAX_NAME_CHARS);
}
