/**
 * How a log is verified without this broker: the commands, ready to be pasted.
 */

/** `BUCKET` stands for the bucket's folder, or for a copy of it: a page cannot know where the reader has one. */
export function listVerifyCommands(prefix: string, publicUrl: string): string[] {
  return [
    `curl -fsSo checkpoint-keys.json ${publicUrl}/.well-known/checkpoint-keys.json`,
    `npm exec lanyard -- audit verify --keys checkpoint-keys.json BUCKET/${prefix}`,
  ];
}
