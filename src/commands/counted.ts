/** `1 feature`, `2,000 features`. */

export const grouped = (count: number): string => count.toLocaleString('en-US')

export const counted = (count: number, noun: string): string =>
  `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
