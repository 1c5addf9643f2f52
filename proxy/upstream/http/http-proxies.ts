/**
 * The way out of a network that has an HTTP proxy at its edge: the variables of the environment that name it
 * (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`, also in lower case), as Node reads them. What is on this machine is never
 * reached through it.
 */
export type HttpProxies = Readonly<Record<string, string>>;

const NONE: HttpProxies = {};

export function selectProxies(url: URL, proxies: HttpProxies): HttpProxies {
  return isLoopback(url) ? NONE : proxies;
}

/** By name, or by an address as a URL writes it. */
function isLoopback({ hostname }: Pick<URL, "hostname">): boolean {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])\.?$/.test(hostname);
}
