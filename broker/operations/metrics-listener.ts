/**
 * Where Prometheus reads the metrics: a listener of its own, so that they are never at the broker's public address.
 * It answers `GET /metrics` and nothing else.
 */
import { type Server, createServer } from "node:http";
import type { Metrics } from "./metrics.ts";

const SERVER_LIMITS = { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 65_000 };
/** Scrapers are few. */
const MAX_CONNECTIONS = 64;

/** Not listening yet. */
export function createMetricsServer(metrics: Metrics): Server {
  const server = createServer(SERVER_LIMITS, (request, response) => {
    request.resume();
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    metrics.render().then(
      ({ text, mediaType }) => response.writeHead(200, { "content-type": mediaType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}
