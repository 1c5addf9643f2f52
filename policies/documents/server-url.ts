/**
 * Addresses that a policy may name: https, or http to this machine and to a host without a dot (a service container).
 * Nothing in them is a secret or is ignored: no user, no password, no fragment.
 */

const thisMachine = new Set(["127.0.0.1", "[::1]", "localhost"]);

/** What is wrong with a URL, as a sentence; undefined when it can be used. */
export function checkUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return "expected a URL that begins with https://";
  }
  if (url.username !== "" || url.password !== "") {
    return "a URL must not hold a user or a password: policies hold no secrets";
  }
  if (url.hash !== "" || text.includes("#")) {
    return "a URL must not have a # part: it never reaches the server";
  }
  const nearby = thisMachine.has(url.hostname) || !url.hostname.includes(".");
  if (url.protocol === "http:" && !nearby) {
    return "http sends everything in the clear: use https (http is for this machine and for hosts without a dot)";
  }
  return undefined;
}

/** An issuer is compared with `iss` as text: there is one way to write it. */
export function checkIssuer(text: string): string | undefined {
  const problem = checkUrl(text);
  if (problem !== undefined) {
    return problem;
  }
  if (text.endsWith("/") || text.includes("?")) {
    return "write the issuer exactly as its tokens name it in `iss`: no slash at the end, no query";
  }
  const { origin, pathname } = new URL(text);
  const written = pathname === "/" ? origin : origin + pathname;
  return written === text ? undefined : `write the issuer in its plain form: ${written}`;
}
