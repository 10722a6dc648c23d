import { clearTimeout, setTimeout } from "node:timers";

/** A step that ends sooner than this says nothing, in milliseconds. */
const quietMs = 4000;

/**
 * Does one step of the set-up. A line says what goes on once it takes noticeable time, and another
 * how many seconds it took.
 */
export async function step(title, work) {
    const started = Date.now();
    let announced = false;
    const timer = setTimeout(() => {
        announced = true;
        console.error(`${title} ...`);
    }, quietMs);
    try {
        return await work();
    } finally {
        clearTimeout(timer);
        if (announced) {
            console.error(`${title}: ${Math.round((Date.now() - started) / 1000)} s`);
        }
    }
}
