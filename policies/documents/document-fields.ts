/**
 * Kinds of fields that several policy documents share, each with the sentence a person reads when it does not fit.
 * Descriptions go into the JSON Schemas, and into the message about a missing key.
 */
import * as z from "zod/mini";

/** Text of one shape. `expected` completes the message "… : expected …". */
export const textLike = (pattern: RegExp, expected: string, description: string) =>
  z.string().check(z.regex(pattern, expected), z.describe(description));

/** A name becomes part of URLs, object keys and client configurations: few characters, no surprises. */
export const nameOf = (what: string) =>
  textLike(
    /^(?!constructor$)[a-z0-9][a-z0-9_-]{0,62}$/,
    "expected lower-case letters, digits, - and _, at most 63, beginning with a letter or digit",
    `The name of ${what}: lower-case letters, digits, - and _.`,
  );

/** How many entries a list or a map may have: what is compared with each other stays few, whoever wrote it. */
export const atMost = (max: number, what: string) =>
  z.maxLength(max, `more than ${max} ${what}: no document needs that`);

export const namesAtMost = (max: number, what: string) =>
  z.refine<object>(
    (entries) => Object.keys(entries).length <= max,
    `more than ${max} ${what}: no document needs that`,
  );

/** Text that a function judges: the sentence it returns becomes the message. */
export const textWithout = (findProblem: (value: string) => string | undefined, description: string) =>
  z.string().check((context) => {
    const message = findProblem(context.value);
    if (message !== undefined) {
      context.issues.push({ code: "custom", message, input: context.value });
    }
  }, z.describe(description));
