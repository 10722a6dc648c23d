import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

import type { App } from "./routes/types";

/** Label of requests that no route took: their paths are anything. */
const noRoute = "none";

/**
 * What a monitor counts. Every label has few values, all of them this program's own words: nothing a
 * caller sends is one, nor a cluster's or a node's name.
 */
export class Metrics {
    readonly registry = new Registry();

    private readonly requests = new Histogram({
        name: "bootstrap_http_request_duration_seconds",
        help: "Requests by route and status, and how long they took",
        labelNames: ["method", "route", "status"],
        buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
        registers: [this.registry],
    });

    readonly firstContacts = new Counter({
        name: "bootstrap_first_contacts_total",
        help: "Decisions about first bundles",
        labelNames: ["decision", "reason"],
        registers: [this.registry],
    });

    readonly bundles = new Counter({
        name: "bootstrap_bundles_total",
        help: "Bundles given to nodes: first ones, later ones, and answers that nothing changed",
        labelNames: ["kind"],
        registers: [this.registry],
    });

    constructor() {
        collectDefaultMetrics({ register: this.registry });
    }

    /** Counts every request of an application. */
    observe(app: App): void {
        app.addHook("onResponse", (request, reply, done) => {
            const route = request.routeOptions.url ?? noRoute;
            const labels = { method: request.method, route, status: reply.statusCode };
            this.requests.observe(labels, reply.elapsedTime / 1000);
            done();
        });
    }

    /** Adds a gauge that is read when it is asked for: a value per label value, or one alone. */
    gauge<L extends string>(
        name: string,
        help: string,
        labelNames: readonly L[],
        read: () => Promise<readonly { labels: Record<L, string>; value: number }[]>,
    ): void {
        new Gauge({
            name,
            help,
            labelNames: [...labelNames],
            registers: [this.registry],
            async collect() {
                this.reset();
                for (const { labels, value } of await read()) {
                    this.set(labels, value);
                }
            },
        });
    }
}
