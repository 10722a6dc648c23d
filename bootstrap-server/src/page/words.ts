const [minute, hour, day] = [60, 3600, 86_400];

/** A length of time as people say it: `3.2 s`, `41 s`, `3 min 20 s`, `5 h 10 min`, `12 days`. */
export function duration(seconds: number): string {
    if (seconds < 10) {
        return `${Math.max(0, seconds).toFixed(1)} s`;
    }
    const whole = Math.round(seconds);
    if (whole < 2 * minute) {
        return `${whole} s`;
    }
    if (whole < hour) {
        return `${Math.floor(whole / minute)} min ${whole % minute} s`;
    }
    if (whole < 2 * day) {
        return `${Math.floor(whole / hour)} h ${Math.floor((whole % hour) / minute)} min`;
    }
    return `${Math.floor(whole / day)} days`;
}

/** How long ago a moment was: `just now`, `12 s ago`. A clock that is ahead says `just now`. */
export function ago(moment: Date, now: Date): string {
    const seconds = Math.floor((now.getTime() - moment.getTime()) / 1000);
    return seconds < 1 ? "just now" : `${duration(seconds).replace(".0 s", " s")} ago`;
}

/** A moment to the second: `2030-01-01 12:00:00 UTC`. */
export function timestamp(moment: Date): string {
    return `${moment.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Enough of a digest to tell two apart: the first 12 digits. */
export function shortDigest(digest: string): string {
    return digest.slice(0, 12);
}

/** `1 node`, `2 nodes`. */
export function count(number: number, noun: string): string {
    return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
