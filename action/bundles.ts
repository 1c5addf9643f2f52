/** The files of `dist/` that the proxy's process runs: what it is started with, and what it loads where it is needed. */
export const PROXY_BUNDLES = [
  "proxy.cjs",
  "server-gate.cjs",
  "condition.cjs",
  "http-upstream.cjs",
  "inspector.cjs",
  "self-test.cjs",
  "stdio-upstream.cjs",
] as const;
