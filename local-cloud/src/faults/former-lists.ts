const nothing = "[]";

/**
 * What lists held before their last change, as far as somebody asked: by URL, so that lists of
 * different zones or groups are not taken for one another.
 */
export class FormerLists {
    private readonly answers = new Map<string, { latest: string; former: string }>();

    /** Takes note of an answer; gives the one before the last change, an empty list at first. */
    note(url: string, latest: string): string {
        const known = this.answers.get(url);
        const former = known?.latest === latest ? known.former : (known?.latest ?? nothing);
        this.answers.set(url, { latest, former });
        return former;
    }
}
