/** Where a command writes: the answer apart from what is told beside it, so that pipes stay clean. */
export type Io = {
  /** Standard output: the command's answer, and with --json exactly one JSON object. */
  readonly out: (text: string) => void
  /** Standard error: logs, progress, faults. */
  readonly err: (text: string) => void
  /** Standard error is a terminal: a line may be drawn again in place. */
  readonly errIsTerminal: boolean
}
