/**
 * The forms in which a known secret can stand in a text: as it is, and as common encodings write it.
 * Base64 has three forms for a secret in the middle of other bytes, as a password in a Basic header is.
 */

/** Shorter values are not looked for: replacing every `a` would tell which letter it was, and hide the rest. */
const MIN_SECRET_LENGTH = 4;
/** A part of a secret counts as one from this length on: a line of a key, the inner part of a base64 text. */
const MIN_PART_LENGTH = 12;

/** Every form of `value` that is looked for, without duplicates. Empty when the value is too short. */
export function listSecretForms(value: string): string[] {
  if (value.length < MIN_SECRET_LENGTH) {
    return [];
  }
  const forms = new Set<string>();
  for (const text of [value, ...listLines(value)]) {
    const escaped = JSON.stringify(text).slice(1, -1);
    forms.add(text);
    forms.add(escaped);
    forms.add(JSON.stringify(escaped).slice(1, -1));
    for (const encoded of listUrlForms(text.toWellFormed())) {
      forms.add(encoded);
    }
  }
  for (const encoded of listBase64Forms(value)) {
    forms.add(encoded);
  }
  return [...forms];
}

/** The lines of a secret that has several: what prints them one by one gives each away. */
function listLines(value: string): string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  return lines.length === 1
    ? []
    : lines.filter((line) => line.length >= MIN_PART_LENGTH && !line.startsWith("-----"));
}

/** RFC 3986 with either case of hex digits, the same with everything beyond letters and digits encoded, and forms. */
function listUrlForms(text: string): string[] {
  const plain = encodeURIComponent(text);
  const strict = plain.replace(/[!'()*~._-]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams({ v: text }).toString().slice(2);
  return [plain, strict, form].flatMap((url) => [
    url,
    url.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()),
  ]);
}

/**
 * Base64 and base64url, whole and as the middle of a longer text at each of the three alignments. There the first and
 * last characters depend on the bytes around the secret and are left out; what remains is as telling as the secret.
 */
function listBase64Forms(value: string): string[] {
  const bytes = Buffer.from(value, "utf8");
  const whole = bytes.toString("base64");
  const forms = [whole, whole.replace(/=+$/, "")];
  for (const before of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const first = before === 0 ? 0 : before + 1;
    const last = (before + bytes.length) % 3 === 0 ? encoded.length : encoded.length - 1;
    const inner = encoded.slice(first, last);
    if (inner.length >= MIN_PART_LENGTH) {
      forms.push(inner);
    }
  }
  return forms.flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]);
}
