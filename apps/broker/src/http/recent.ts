/** What was said last about each of the things that were spoken of most lately. */
export function createRecent(capacity: number) {
  const said = new Map<string, string>();
  return {
    /** @returns whether it is another word than the last one about this thing, or that is forgotten */
    isNews(thing: string, word: string): boolean {
      const isNews = said.get(thing) !== word;
      said.delete(thing);
      said.set(thing, word);
      const [oldest] = said.keys();
      if (said.size > capacity && oldest !== undefined) said.delete(oldest);
      return isNews;
    },
  };
}
