/** The end of a sentence that says what is not there: what is there and was most likely meant. */
export const didYouMean = (meant: string | undefined): string =>
  meant === undefined ? '' : `; did you mean '${meant}'?`
